"""What can be wrong with a model, a scene or a picture, under one base.

DetectError
├── BadModel        a manifest, a weights file or a runtime that cannot be used
├── BadGround       ground points that fix no mapping
└── UnreadablePicture
"""


class DetectError(ValueError):
    """The base of this package's errors; the message names the thing, the value, the remedy."""


class BadModel(DetectError):
    """A model that cannot be used; it stops the start."""


class BadGround(DetectError):
    """Ground points that do not fix a mapping from picture to ground."""


class UnreadablePicture(DetectError):
    """A file that is not a picture we can decode."""
