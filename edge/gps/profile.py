"""What a model of terminal says of the vehicle's body: a report's bits → its state.

No national item exists for hopper and cover; which bit means what is told by the profile of the
terminal's model. What it does not say, or its sensor cannot, is unknown: never guessed.
"""

from edge.config import BitsConfig, LoadConfig, ProfileConfig, SwitchConfig, ValueConfig
from edge.gps.jt808.position import Position
from wire.track import EMPTY, FULL, HALF, body_of

LOADS = {"empty": EMPTY, "half": HALF, "full": FULL}


def body_state(profile: ProfileConfig, position: Position) -> int:
    """Give the state of the vehicle's body as `wire.track.body_of` packs it."""
    return body_of(
        _load(profile.load, position),
        hopper=_switch(profile.hopper, position),
        cover_open=_switch(profile.cover, position),
        lift_inhibited=_switch(profile.lift_inhibited, position),
        locked=_switch(profile.locked, position),
        speed_limited=_switch(profile.speed_limited, position),
        sensor_fault=_has_fault(profile, position),
    )


def _has_fault(profile: ProfileConfig, position: Position) -> bool:
    read = (profile.load, profile.hopper, profile.cover, profile.lift_inhibited, profile.locked,
            profile.speed_limited)  # fmt: skip
    if any(_is_at_fault(where, position) for where in read if where):
        return True
    return any(_bits(where, 1, position) for where in profile.faults)


def _is_at_fault(where: BitsConfig, position: Position) -> bool:
    if where.fault is None or (found := _number(where, position)) is None:
        return False
    return bool(found[0] >> where.fault & 1)


def own_values(profile: ProfileConfig, position: Position) -> dict[str, float]:
    """Give the numbers of a maker's own items that are in the report, by their names."""
    found = {name: _value(where, position) for name, where in profile.values.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(where: ValueConfig, position: Position) -> float | None:
    end = None if where.size is None else where.offset + where.size
    for item in position.items:
        data = item.data[where.offset : end]
        if item.id == where.item and data and len(data) == (where.size or len(data)):
            number = int.from_bytes(data, signed=where.signed)
            return round(number * where.scale + where.shift, 6)
    return None


def _load(where: LoadConfig | None, position: Position) -> int | None:
    value = _bits(where, where.width, position) if where else None
    meaning = where.meaning.get(value) if where and value is not None else None
    return LOADS[meaning] if meaning else None


def _switch(where: SwitchConfig | None, position: Position) -> bool | None:
    value = _bits(where, 1, position) if where else None
    return None if where is None or value is None else bool(value) != where.inverted


def _bits(where: BitsConfig, width: int, position: Position) -> int | None:
    found = _number(where, position)
    if found is None:
        return None
    number, size = found
    if where.bit + width > size or (where.fault is not None and number >> where.fault & 1):
        return None
    return number >> where.bit & ((1 << width) - 1)


def _number(where: BitsConfig, position: Position) -> tuple[int, int] | None:
    """Give the number the bits stand in and how many bits it has."""
    if where.item is None:
        return position.status, 32
    end = None if where.size is None else where.offset + where.size
    for item in position.items:
        if item.id == where.item and (data := item.data[where.offset : end]):
            return int.from_bytes(data), 8 * len(data)
    return None
