"""Evidence on its way out: named, signed, kept in the outbox until the hub has it.

Files of an alert are stored together with its message (`AlertDesk`). What belongs to no alert, a
look at a place on request, is handed in with `EvidenceDesk.keep`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.detect.evidence import EvidenceFile
from edge.outbox import EvidenceFile as OutgoingFile, Outbox
from edge.signature import Signer
from wire.alert import EvidenceRef
from wire.statement import Scene


@dataclass(frozen=True)
class Kept:
    """Files that are on their way: the scene that was signed, and their signed names."""

    scene: Scene
    refs: Sequence[EvidenceRef]


class EvidenceDesk:
    """Stores files that show no alert. Safe to use from several threads."""

    def __init__(self, outbox: Outbox, signer: Signer) -> None:
        """Store in `outbox`, sign with the device's key."""
        self._outbox = outbox
        self._signer = signer

    def keep(self, scene: Scene, files: Sequence[EvidenceFile]) -> Kept:
        """Store files that show `scene` and send them; durable on return.

        What comes back goes into the message that tells of them: the hub checks the signed names
        against the same scene (`wire.statement`).
        """
        refs = self._signer.sign(scene, [ref_of(file) for file in files])
        self._outbox.add_files(scene.subject, [outgoing(file) for file in files])
        return Kept(scene, refs)


def ref_of(file: EvidenceFile) -> EvidenceRef:
    """The name under which a message tells of a file; not signed yet."""
    return EvidenceRef(
        file.sha256,
        len(file.data),
        file.type,
        file.role,
        at=int(file.at.timestamp() * 1000),
        sealed=file.sealed,
        original=file.original,
    )


def outgoing(file: EvidenceFile) -> OutgoingFile:
    """The file as the outbox keeps it."""
    return OutgoingFile(file.data, file.type, sealed=file.sealed)
