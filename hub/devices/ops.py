"""What may be ordered of a device's cameras."""

from typing import Annotated

from pydantic import Field

from hub.devices.orders.order import Op
from hub.http import Body
from hub.roles import Right

CameraName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class SnapshotArgs(Body):
    """The camera, as its device calls it."""

    camera: CameraName


OPS = {"camera.snapshot": Op(Right.ACT, SnapshotArgs, 120, about=("camera", "camera"))}
