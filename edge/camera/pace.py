"""How long a camera's next frame may wait: an idle street need not be decoded every second.

The one who looks says so after each look; the decoder asks before each packet. Nothing else passes
between the two, and a plain number may be written by one thread and read by another.
"""


class Pace:
    """`gap_s`: seconds that may pass between two frames beyond the camera's own `looks_per_s`."""

    def __init__(self) -> None:
        """No frame may wait."""
        self.gap_s = 0.0
