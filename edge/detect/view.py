"""Whether a picture can be judged at all (whether the camera is well is told in edge/camera)."""

import numpy as np

from edge.detect.thumbnail import Grey

BLACK_MEAN, BLACK_BRIGHTEST = 14, 40
"""Grey levels. A street at night is dark too, but has a lamp or a window somewhere."""

GLARE_LEVEL, GLARE_SHARE = 250, 0.6

UNIFORM_STD = 3.0


def is_blind(small: Grey) -> bool:
    """Nothing can be told from this picture: black, blown out or all of one colour."""
    return is_black(small) or is_over_exposed(small) or bool(small.std() < UNIFORM_STD)


def is_black(small: Grey) -> bool:
    """No light anywhere."""
    return bool(small.mean() < BLACK_MEAN and np.percentile(small, 99.9) < BLACK_BRIGHTEST)


def is_over_exposed(small: Grey) -> bool:
    """Most of it blown out."""
    return bool((small >= GLARE_LEVEL).mean() > GLARE_SHARE)
