"""What a camera is asked for: the arguments of `camera.snapshot`, `camera.look`, `camera.watch`.

Both sides check with the same models, so what the hub takes the device does not refuse.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from wire.settings import Settings
from wire.zone import UNNAMED, Fraction, Id, Label

Crop = Annotated[str, Field(max_length=24_000)]


class SnapshotArgs(Settings):
    """The camera, as its device calls it."""

    camera: Id


class BoxArgs(Settings):
    """A rectangle, fractions of the picture."""

    x: Fraction
    y: Fraction
    w: Annotated[float, Field(gt=0, le=1)]
    h: Annotated[float, Field(gt=0, le=1)]


class LookArgs(Settings):
    """A place of the camera's picture: by an alert, by its box, or by a spot on the map.

    `looks` fresh looks over `seconds`. `with_it`, `without_it`: crops of the place (JPEG in base64)
    with the thing and before it came, for an alert that the device does not remember.
    """

    camera: Id
    alert: Annotated[str, Field(max_length=64)] | None = None
    box: BoxArgs | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    label: Label = UNNAMED
    seconds: Annotated[float, Field(ge=2, le=600)] = 60
    looks: Annotated[int, Field(ge=3, le=60)] = 12
    with_it: Crop | None = None
    without_it: Crop | None = None

    @model_validator(mode="after")
    def _names_a_place(self) -> Self:
        if self.alert is None and self.box is None and (self.lat is None or self.lon is None):
            raise ValueError("place: an alert, a box or lat and lon are needed")
        return self


class WatchArgs(Settings):
    """Pictures for a while, put to `url`, an address of the hub's that holds as long.

    At most `per_s` pictures a second, each at most `most_bytes` and `longest` pixels on its longer
    side. The order itself lasts `seconds`; who still looks then asks again.
    """

    camera: Id
    url: Annotated[str, Field(pattern=r"^https?://", max_length=1000)]
    seconds: Annotated[float, Field(ge=5, le=120)] = 60
    per_s: Annotated[float, Field(ge=0.1, le=4)] = 1
    longest: Annotated[int, Field(ge=160, le=1920)] = 960
    most_bytes: Annotated[int, Field(ge=10_000, le=400_000)] = 120_000
