"""Evidence as the API shows it."""

from typing import Literal

from pydantic import BaseModel

from hub.evidence.refs import Picture
from hub.http import CodedText, Utc, coded_of

Clock = Literal["none", "ntp", "gnss"]
CLOCKS: tuple[Clock, ...] = ("none", "ntp", "gnss")


class ProofItem(BaseModel):
    """How far a file can be relied on, and what its device said of it.

    `state`: `verified` = signed by the device's key and received as signed; `unsigned` = the device
    does not sign; `bad` = something differs, `fault` says what, in `coded` with its code. `clock`:
    how the device's clock is kept; `config_rev`: the revision of the configuration that judged.
    """

    state: Literal["verified", "unsigned", "bad"]
    fault: str
    coded: dict[str, CodedText] = {}
    device: str
    source: str
    model: str
    config_rev: str
    clock: Clock


class EvidenceItem(BaseModel):
    """A file that shows the alert; `url` is null until it is here, and of what is sealed or bad.

    `original`: the SHA-256 of the sealed file it was made from; that one is opened by
    `POST /api/evidence/{sha256}/opening`. `held`: the file is here. `taken_at`: device clock.
    """

    role: str
    type: str
    sha256: str
    url: str | None
    size: int
    sealed: bool
    held: bool
    original: str | None
    taken_at: Utc | None
    proof: ProofItem


def evidence_url(sha256: str) -> str:
    """Where a file can be had."""
    return f"/api/evidence/{sha256}"


def evidence_item(picture: Picture) -> EvidenceItem:
    """One file."""
    said = picture.statement
    return EvidenceItem(
        role=picture.role,
        type=picture.type,
        sha256=picture.sha256,
        url=evidence_url(picture.sha256) if picture.is_for_all else None,
        size=picture.size,
        sealed=picture.sealed,
        held=picture.held,
        original=picture.original,
        taken_at=picture.taken_at,
        proof=ProofItem(
            state=picture.proof.state,
            fault=picture.proof.fault,
            coded=coded_of({"fault": picture.proof.fault}),
            device=said.dev if said else "",
            source=said.source if said else "",
            model=said.model if said else "",
            config_rev=said.config_rev if said else "",
            clock=CLOCKS[said.tq] if said else "none",
        ),
    )
