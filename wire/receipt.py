"""What the hub answers: stored, refused for good, and where files may be put."""

from typing import Annotated

from msgspec import Meta, Struct

from wire.envelope import DeviceId, Epoch, Name, Seq, Sha256, Text, UnixMs, Versioned
from wire.media import PATTERN


class Refusal(Struct, frozen=True, omit_defaults=True):
    """An item the hub will never take: the device keeps it aside and does not send it again."""

    seq: Seq
    code: Name
    msg: Text = ""


class Receipt(Versioned, kw_only=True, frozen=True):
    """Sent after the commit. The named numbers of `stream` in `epoch` are stored.

    `seqs`: ranges [first, last]. `sha256`: files stored.
    """

    dev: DeviceId
    epoch: Epoch
    stream: Name
    seqs: Annotated[list[tuple[Seq, Seq]], Meta(max_length=1000)] = []
    refused: Annotated[list[Refusal], Meta(max_length=1000)] = []
    sha256: Annotated[list[Sha256], Meta(max_length=1000)] = []


class EvidenceOffer(Versioned, kw_only=True, frozen=True):
    """Device to hub: these files of `alert` (or a look) are held here and wait for an address."""

    dev: DeviceId
    alert: Name
    files: Annotated[list["OfferedFile"], Meta(min_length=1, max_length=20)]


class OfferedFile(Struct, frozen=True, omit_defaults=True):
    """A file by its hash; `size` in bytes; `sealed`: the hub is to keep it under lock."""

    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=100_000_000)]
    type: Annotated[str, Meta(pattern=PATTERN)]
    sealed: bool = False


class Grant(Versioned, kw_only=True, frozen=True):
    """Hub to device: PUT each file to its URL before `exp` (ms UTC); empty url = held already."""

    dev: DeviceId
    files: list["GrantedFile"]
    exp: UnixMs


class GrantedFile(Struct, frozen=True, omit_defaults=True):
    """The signed address of one file."""

    sha256: Sha256
    url: Annotated[str, Meta(max_length=2000)] = ""
