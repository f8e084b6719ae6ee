"""What may be ordered of a device's cameras."""

from hub.devices.orders.order import Op
from hub.roles import Right
from wire.looks import LookArgs, SnapshotArgs

OPS = {
    "camera.snapshot": Op(Right.ACT, SnapshotArgs, 120, about=("camera", "camera")),
    "camera.look": Op(Right.ACT, LookArgs, 300, about=("camera", "camera")),
}
