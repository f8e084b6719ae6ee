"""What may be ordered of a device's cameras."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from hub.devices.orders.order import Op
from hub.http import Body
from hub.roles import Right
from wire.zone import Fraction, Id, Label

Crop = Annotated[str, Field(max_length=24_000)]


class SnapshotArgs(Body):
    """The camera, as its device calls it."""

    camera: Id


class BoxArgs(Body):
    """A rectangle, fractions of the picture."""

    x: Fraction
    y: Fraction
    w: Annotated[float, Field(gt=0, le=1)]
    h: Annotated[float, Field(gt=0, le=1)]


class LookArgs(Body):
    """A place of the camera's picture: by an alert, by its box, or by a spot on the map.

    `looks` fresh looks over `seconds`. `with_it`, `without_it`: crops of the place, JPEG in base64.
    """

    camera: Id
    alert: Annotated[str, Field(max_length=64)] | None = None
    box: BoxArgs | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    label: Label = "unknown_object"
    seconds: Annotated[float, Field(ge=2, le=600)] = 60
    looks: Annotated[int, Field(ge=3, le=60)] = 12
    with_it: Crop | None = None
    without_it: Crop | None = None

    @model_validator(mode="after")
    def _names_a_place(self) -> Self:
        if self.alert is None and self.box is None and (self.lat is None or self.lon is None):
            raise ValueError("an alert, a box or lat and lon are needed")
        return self


OPS = {
    "camera.snapshot": Op(Right.ACT, SnapshotArgs, 120, about=("camera", "camera")),
    "camera.look": Op(Right.ACT, LookArgs, 300, about=("camera", "camera")),
}
