"""What may be ordered of a device and its cameras."""

from hub.devices.orders.order import Op
from hub.roles import Right
from wire.looks import LookArgs, SnapshotArgs
from wire.settings import Settings

INTRODUCE = "device.introduce"


class NoArgs(Settings):
    """Nothing is to be said with it."""


OPS = {
    INTRODUCE: Op(Right.ADMIN, NoArgs),
    "camera.snapshot": Op(Right.ACT, SnapshotArgs, 120, about=("camera", "camera")),
    "camera.look": Op(Right.ACT, LookArgs, 300, about=("camera", "camera")),
}
