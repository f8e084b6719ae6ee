"""What can go wrong between a camera and its frames, under one base.

CameraError
├── BadSource    the address or file cannot be a source: the configuration needs mending
└── SourceLost   it cannot be reached, or has stopped sending: worth another try
"""


class CameraError(Exception):
    """The base of this package's errors; the message names the source, never its password."""


class BadSource(CameraError):
    """A source that cannot be one: no such file, not a video, an unknown scheme."""


class SourceLost(CameraError):
    """A source that does not answer, refuses us, or went silent."""
