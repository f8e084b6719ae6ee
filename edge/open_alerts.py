"""Alerts that have begun and not ended, kept on disk so that a crash does not leave them open.

An agent that was killed does not know afterwards which of the things it sees it had told of. So it
ends on its next start what was open when it stopped; what is still there is told of anew, and the
hub, which knows place and time, sees that it is the same.
"""

import logging
from pathlib import Path

from wire.alert import Alert, AlertState
from wire.codec import Refused, decode, encode

log = logging.getLogger(__name__)


class OpenAlerts:
    """One small file for each open alert in a folder."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`; it is made when it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def note(self, alert: Alert) -> None:
        """Remember or forget an alert by what has just been told of it."""
        path = self._path(alert.alert)
        if alert.state == AlertState.END:
            path.unlink(missing_ok=True)
            return
        part = path.with_suffix(".part")
        part.write_bytes(encode(alert))
        part.replace(path)

    def has(self, alert: str) -> bool:
        """Whether that alert is open."""
        return self._path(alert).exists()

    def left(self) -> list[Alert]:
        """What was open when the agent last stopped."""
        alerts = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                alert = decode("alert", path.read_bytes())
            except Refused as fault:
                log.warning("%s cannot be read and is dropped: %s", path, fault)
                path.unlink()
                continue
            if isinstance(alert, Alert):
                alerts.append(alert)
        return alerts

    def _path(self, alert: str) -> Path:
        return self._folder / f"{alert}.json"
