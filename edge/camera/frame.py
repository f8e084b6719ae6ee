"""A picture with its time: what every source yields and every detector reads."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from wire.status import CameraState

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Frame:
    """One picture of a camera.

    `image`: height × width × 3, uint8, BGR. `at`: UTC, when it was taken. `t_s`: seconds into the
    recording, or since the camera was first opened; it only grows, also when the clock is set.
    `index`: 0 for the first frame a source yields. `sight`: what the picture says of its camera:
    `ok` when it can be judged by, else why not; `moved` when it shows what no zone was drawn for.
    """

    image: Image
    at: datetime
    t_s: float
    index: int
    sight: CameraState = CameraState.OK
