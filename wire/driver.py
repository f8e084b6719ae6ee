"""Who drives: a driver's card put into a vehicle's terminal, or taken out of it."""

from typing import Annotated

from msgspec import Meta

from wire.envelope import Envelope, Name, Text


class DriverCard(Envelope, kw_only=True, frozen=True):
    """One card event; `ts` is the terminal's time of it.

    `read`: how reading the card went, `read` or a reason; empty when it was taken out. `driver`
    and `certificate` (of qualification) are known after a good reading alone. `expires_on`: the
    certificate's last day, YYYY-MM-DD, or empty.
    """

    vehicle: Name
    inserted: bool
    read: Annotated[str, Meta(max_length=32)] = ""
    driver: Text = ""
    certificate: Annotated[str, Meta(max_length=64)] = ""
    issuer: Text = ""
    expires_on: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
