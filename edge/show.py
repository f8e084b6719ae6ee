"""Pictures of looks on request, as evidence: covered for most, sealed originals for few, signed."""

from collections.abc import Sequence

from edge.camera.frame import Frame
from edge.clock_quality import clock_quality
from edge.config import CameraConfig, Position
from edge.detect.detection import Detection
from edge.detect.evidence import EvidenceFile
from edge.detect.faces import FaceFinder
from edge.detect.negative import negative_of
from edge.evidence_desk import EvidenceDesk, Kept
from edge.outbox import Outbox
from edge.signature import Signer
from wire.statement import Scene


class Shower:
    """Makes, signs and stores the pictures. Safe to use from several threads."""

    def __init__(self, outbox: Outbox, signer: Signer, finder: FaceFinder) -> None:
        """`finder`: of faces to cover."""
        self._outbox = outbox
        self._signer = signer
        self._finder = finder
        self._desk = EvidenceDesk(outbox, signer)

    def __call__(
        self,
        subject: str,
        camera: CameraConfig,
        shown: Sequence[tuple[Frame, Sequence[Detection]]],
        model: str,
    ) -> Kept | None:
        """Store frames with what was seen on them; durable on return. None where nothing was."""
        if not shown:
            return None
        position = camera.position if isinstance(camera.position, Position) else None
        scene = Scene(
            dev=self._outbox.dev,
            epoch=self._outbox.epoch,
            subject=subject,
            source=camera.id,
            model=model,
            config_rev=self._signer.config_rev,
            tq=clock_quality(),
            lat=float(position.lat) if position else 0.0,
            lon=float(position.lon) if position else 0.0,
        )
        files = [file for frame, seen in shown for file in self._files(frame, seen)]
        return self._desk.keep(scene, files)

    def _files(self, frame: Frame, seen: Sequence[Detection]) -> tuple[EvidenceFile, ...]:
        return negative_of(frame, seen, self._finder.find).files("clean")
