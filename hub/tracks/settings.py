"""The settings of track analysis, with the reason for each default."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from hub.tracks.errors import TrackError


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """Thresholds; all are positive numbers, units in the names."""

    stop_radius_m: float = 100.0
    """A stop's points lie this near their middle: the value of most tools."""
    stop_min_s: float = 300.0
    """A stay shorter than this is no stop: traffic lights and jams are not."""
    leave_min_s: float = 60.0
    """A stop ends when the vehicle stays outside for so long; single stray fixes do not end it."""
    gap_min_s: float = 900.0
    """Silence of this length is a gap: neither stop nor move."""
    trip_min_m: float = 200.0
    """A way shorter than this is no trip."""
    jump_kmh: float = 200.0
    """No vehicle is faster: a fix that needs more speed is a jump unless the next confirms it."""
    standing_kmh: float = 5.0
    """Up to this speed a vehicle with its hopper raised stands: trucks creep while they unload."""
    lift_pause_s: float = 30.0
    """Lowered for less than this, the hopper is still at the same lift: drivers shake it empty."""
    load_settle_s: float = 60.0
    """A load sensor may say so long after the hopper came down that the load is gone."""
    moving_kmh: float = 10.0
    """From this speed on a vehicle is under way, whatever its receiver makes of standing."""
    leg_max_s: float = 120.0
    """Between points further apart in time nobody knows what the vehicle did."""
    idle_min_s: float = 300.0
    """Standing with the engine on for so long is idling: China's usual limit for parked trucks."""
    overspeed_min_s: float = 10.0
    """So long above the limit, and two points: one wrong speed accuses nobody."""
    overspeed_margin_kmh: float = 5.0
    """What receivers and speedometers are granted."""
    night_min_s: float = 60.0
    """Under way for so long at night: shunting in a yard is no running."""
    silent_min_s: float = 300.0
    """Silence of this length while under way: ten reports in a row missing at 30 s each."""
    offline_min_s: float = 1800.0
    """Silence of this length whatever the vehicle did: parked ones report every few minutes."""
    jump_min_m: float = 2000.0
    """A believed leg at more than `jump_kmh` and this long is told: the trade's limit."""
    off_route_min_s: float = 60.0
    """So long outside the corridor, and two points: a detour around a parked car is none."""
    uncovered_min_s: float = 60.0
    """So long under way with the cover open."""
    haul_min_s: float = 60.0
    """So long under way with a load before its permit is asked for."""
    alarms_an_hour: float = 6.0
    """An alarm bit that rises more often flaps: what follows is one event until it keeps quiet."""
    loading_min_s: float = 180.0
    """Standing at a loading site for so long counts as loading where the truck does not say."""

    def __post_init__(self) -> None:
        """Raises TrackError for a setting that is no positive number."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not 0 < value < float("inf"):
                raise TrackError(f"{setting.name} {value!r} is not allowed (a number above 0)")


DEFAULTS = TrackSettings()


def settings_of(given: Mapping[str, float]) -> TrackSettings:
    """The defaults with some of them changed. Raises TrackError that names an unknown one."""
    known = [setting.name for setting in fields(TrackSettings)]
    for name in given:
        if name not in known:
            raise TrackError(f"{name}: unknown threshold (allowed: {', '.join(known)})")
    return TrackSettings(**given)
