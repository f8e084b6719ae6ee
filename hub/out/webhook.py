"""Webhooks: what is told to whom, how it is signed, when it is tried again.

The signature is that of Standard Webhooks (standardwebhooks.com): base64 of HMAC-SHA256 over
`id.timestamp.body`, so that libraries of many languages verify it. The id of a message is the same
at every attempt: who hears it twice knows.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=6)
MOST_ATTEMPTS = 12
SECRET_PREFIX = "whsec_"  # noqa: S105 - the form of secrets, not one


class Topic(StrEnum):
    """What is told."""

    ALERT_NEW = "alert.new"
    ALERT_DECIDED = "alert.decided"
    CASE_OPENED = "case.opened"
    CASE_MOVED = "case.moved"
    CASE_OVERDUE = "case.overdue"
    CASE_DUAL_REPORT = "case.dual_report"
    CASE_SUPERVISION = "case.supervision"
    REPORT_RECEIVED = "report.received"
    REPORT_ANSWERED = "report.answered"


@dataclass(frozen=True)
class Webhook:
    """Somebody who wants to be told. `grid`: of this part of the city alone. `secret`: signs.

    `template`: what is sent in place of the whole message (`hub.out.template`).
    """

    id: int
    name: str
    url: str
    topics: frozenset[Topic]
    grid: str | None
    secret: str
    made_at: datetime
    made_by: str
    paused_at: datetime | None = None
    template: str = ""

    def wants(self, topic: str, path: tuple[str, ...]) -> bool:
        """Whether it is told of something in these grids."""
        wanted = self.paused_at is None and topic in self.topics
        return wanted and (self.grid is None or self.grid in path)


def new_secret() -> str:
    """A secret to sign with, shown once."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message: str, at: datetime, body: bytes) -> str:
    """`v1,` and the signature of a message sent at a moment."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join([message.encode(), str(int(at.timestamp())).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secret: str, message: str, at: datetime, body: bytes) -> dict[str, str]:
    """What goes with a message."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Tianyan-Webhooks/1",
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(secret, message, at, body),
    }


def wait_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts; None when it is given up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return min(FIRST_WAIT * int(4 ** (attempts - 1)), LONGEST_WAIT)
