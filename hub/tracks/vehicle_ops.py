"""What may be ordered of a vehicle's terminal (JT/T 808); its device checks the details again."""

from typing import Annotated, Any, Literal

from pydantic import Field

from hub.devices.orders.order import Op, Ops
from hub.http import Body
from hub.roles import Right

PREFIX = "terminal."
SHORT_S, LONG_S = 120, 3600

Vehicle = Annotated[str, Field(min_length=1, max_length=64)]
Parameter = Annotated[str, Field(min_length=1, max_length=40)]
ParameterValue = int | str | dict[Literal["hex"], str]
Shape = Literal["circle", "rectangle", "polygon", "route"]
FenceId = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]


class VehicleArgs(Body):
    """The vehicle, as its device calls it."""

    vehicle: Vehicle


class TextArgs(VehicleArgs):
    """Words for the driver: on the terminal's display, spoken, or both."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    urgent: bool = False
    display: bool = True
    speak: bool = True


class TrackArgs(VehicleArgs):
    """A report each `interval_s` for `seconds`; 0 ends it."""

    interval_s: Annotated[int, Field(ge=0, le=3600)]
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 600


class PhotoArgs(VehicleArgs):
    """Pictures of a camera of the vehicle, sent at once; `quality` 1 is the best."""

    channel: Annotated[int, Field(ge=1, le=255)] = 1
    count: Annotated[int, Field(ge=1, le=20)] = 1
    interval_s: Annotated[int, Field(ge=0, le=3600)] = 0
    size: Literal["320x240", "640x480", "800x600", "1024x768"] = "640x480"
    quality: Annotated[int, Field(ge=1, le=10)] = 5


class ParametersArgs(VehicleArgs):
    """Which parameters: names (`interval_s`) or IDs in hex (`0029`); all without any."""

    names: Annotated[list[Parameter], Field(default_factory=list, max_length=100)]


class SetParametersArgs(VehicleArgs):
    """Parameters by name or ID in hex: a number, a text, or bytes as {"hex": "…"}."""

    parameters: Annotated[dict[Parameter, ParameterValue], Field(min_length=1, max_length=100)]


class SetFenceArgs(VehicleArgs):
    """A fence for the terminal to keep, as `docs/how-to/add-terminals.md` describes it."""

    fence: dict[str, Any]


class DeleteFencesArgs(VehicleArgs):
    """Fences of a shape to forget; all of it without `ids`."""

    shape: Shape
    ids: Annotated[list[FenceId], Field(default_factory=list, max_length=125)]


class ConfirmAlarmsArgs(VehicleArgs):
    """Alarms somebody has seen, by name: the terminal lets them go."""

    alarms: Annotated[list[str], Field(min_length=1, max_length=32)]
    serial: Annotated[int, Field(ge=0, le=0xFFFF)] = 0


class DoorsArgs(VehicleArgs):
    """Lock or unlock the doors."""

    locked: bool


class ControlArgs(VehicleArgs):
    """What the terminal does to itself. After `factory_reset` it may find no platform any more."""

    command: Literal["power_off", "reset", "factory_reset", "data_off", "radio_off"]


def _op(right: Right, args: type[VehicleArgs], valid_s: int = SHORT_S) -> Op:
    return Op(right, args, valid_s, about=("vehicle", "vehicle"))


OPS: Ops = {
    "terminal.text": _op(Right.ACT, TextArgs, 600),
    "terminal.position": _op(Right.ACT, VehicleArgs),
    "terminal.track": _op(Right.ACT, TrackArgs),
    "terminal.photo": _op(Right.ACT, PhotoArgs),
    "terminal.confirm_alarms": _op(Right.DECIDE, ConfirmAlarmsArgs, LONG_S),
    "terminal.set_fence": _op(Right.FLEET, SetFenceArgs, LONG_S),
    "terminal.delete_fences": _op(Right.FLEET, DeleteFencesArgs, LONG_S),
    "terminal.parameters": _op(Right.ACT, ParametersArgs),
    "terminal.attributes": _op(Right.ACT, VehicleArgs),
    "terminal.set_parameters": _op(Right.ADMIN, SetParametersArgs, LONG_S),
    "terminal.doors": _op(Right.ADMIN, DoorsArgs),
    "terminal.control": _op(Right.ADMIN, ControlArgs),
}
