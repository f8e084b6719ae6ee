"""The settings of track analysis, with the reason for each default."""

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

    def __post_init__(self) -> None:
        """Raises TrackError for a setting that is no positive number."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not 0 < value < float("inf"):
                raise TrackError(f"{setting.name} {value!r} is not allowed (a number above 0)")


DEFAULTS = TrackSettings()
