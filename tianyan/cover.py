"""Faces and plates in photos that people send in, covered with what the edge has for it."""

import logging
import threading

from hub.proof.picture import Cover

log = logging.getLogger(__name__)

MODEL = "street-n"


def open_cover() -> Cover | None:
    """What covers them; None where this machine has no models to see them with."""
    try:
        from edge.detect.cover import Cover as Eyes
    except ImportError as fault:
        log.warning("photos of fixes are shown to few: %s (pip install 'tianyan[edge]')", fault)
        return None
    eyes, lock = Eyes(MODEL), threading.Lock()

    def cover(picture: bytes) -> bytes | None:
        with lock:
            return eyes.cover(picture)

    return cover
