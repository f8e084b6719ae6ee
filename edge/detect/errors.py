"""What can be wrong with a model, a scene or a picture, under one base.

DetectError
├── BadModel        a manifest, a weights file or a runtime that cannot be used
├── BadGround       ground points that fix no mapping
└── UnreadablePicture
"""

from pathlib import Path

from wire.coded import Coded, coded, of_system


class DetectError(ValueError):
    """The base of this package's errors; the message names the thing, the value, the remedy."""


def unreadable(path: Path, fault: OSError) -> Coded:
    """Why a file of a model cannot be used: it cannot be read."""
    return coded(
        "unreadable_file", "{file}: cannot be read: {why}", file=path, why=of_system(fault)
    )


class BadModel(DetectError):
    """A model that cannot be used; it stops the start."""


class BadGround(DetectError):
    """Ground points that do not fix a mapping from picture to ground."""


class UnreadablePicture(DetectError):
    """A file that is not a picture we can decode."""
