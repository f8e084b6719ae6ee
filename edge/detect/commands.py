"""What the command line does with pictures and recordings; each yields JSON-ready lines."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from edge.camera.errors import BadSource
from edge.camera.frame import Frame, Image
from edge.camera.pace import Pace
from edge.camera.pictures import SUFFIXES
from edge.camera.recording import Extent, extent
from edge.camera.sight import BlindSpan, RecordedSight
from edge.camera.sources import open_source
from edge.config import CameraConfig
from edge.detect.clip import make_clip
from edge.detect.detection import Detection
from edge.detect.detectors import Detector, open_detector
from edge.detect.errors import UnreadablePicture
from edge.detect.evidence import EvidenceFile
from edge.detect.faces import FaceFinder, NoFinder, open_finder
from edge.detect.passing import PassingWatch
from edge.detect.selftest import open_proven
from edge.detect.watch import AlertEvent, CameraWatch
from edge.moving import Course
from wire.zone import ZoneConfig

MODEL = "street-n"

DWELL_S, DWELL_LEAST_S, DWELLS_A_RECORDING = 60.0, 5.0, 3
"""Without a camera file a thing must stay a minute, in a short recording a third of it."""

SUFFIX_OF = {"image/jpeg": ".jpg", "video/mp4": ".mp4"}


def detect_paths(
    paths: Iterable[Path], model: str = MODEL, conf: float | None = None
) -> Iterator[dict[str, Any]]:
    """A line a picture; folders are walked. A picture that cannot be read gets a line of its own.

    Lines: {"path", "width", "height", "ms", "boxes": [{"label", "score", "x", "y", "w", "h"}]},
    x, y = top-left corner, all four fractions of the picture; or {"path", "error"}.
    Raises BadModel before the first line.
    """
    detector = open_proven(model) if conf is None else open_detector(model, conf=conf)
    return (_detect_line(path, detector) for path in _pictures(paths))


def replay(
    video: Path,
    camera: CameraConfig | None = None,
    *,
    start: datetime | None = None,
    dwell_s: float | None = None,
    model: str = MODEL,
    evidence_dir: Path | None = None,
    track: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """A recording through the whole camera pipeline on its own clock, as fast as possible.

    `camera`: its zones; without one the whole picture is one zone for all matters. `start`: when
    the recording began, else what the file says. `dwell_s`: in place of every zone's.
    `evidence_dir`: where pictures and clips go, named by their SHA-256; those with faces and plates
    as they are in a folder `sealed` of their own. Without it no clips are made.
    `track`: the log of the receiver (NMEA) that a camera which moves goes by.
    Lines: alerts, then {"summary": …}. The same recording gives the same lines, but for the
    measured `cpu_s`.
    Raises BadSource, BadModel, BadGround.
    """
    camera = _camera_for(video, camera, dwell_s)
    # Faces are looked for where pictures are kept; else nobody sees them.
    finder = NoFinder() if evidence_dir is None else open_finder()
    watch = _watch(camera, open_proven(model), finder, track)
    if evidence_dir is not None:
        evidence_dir.mkdir(parents=True, exist_ok=True)
        (evidence_dir / "sealed").mkdir(mode=0o700, exist_ok=True)
    return _replay(camera, watch, start, finder, evidence_dir)


def _watch(
    camera: CameraConfig, detector: Detector, finder: FaceFinder, track: Path | None
) -> CameraWatch | PassingWatch:
    if camera.moving is None:
        return CameraWatch(camera, detector, finder)
    if track is None:
        raise BadSource(
            f"camera {camera.id}: moves, so its receiver's log is needed too (--nmea FILE)"
        )
    from edge.gps.fix import Fix
    from edge.gps.nmea import NmeaDecoder

    course = Course(camera.moving.max_age_s)
    decoder = NmeaDecoder()
    for out in [*decoder.feed(track.read_bytes()), *decoder.close()]:
        if isinstance(out, Fix):
            course.take(out, None)
    course.end()
    return PassingWatch(camera, detector, course, is_recorded=True, finder=finder)


def _replay(
    camera: CameraConfig,
    watch: CameraWatch | PassingWatch,
    start: datetime | None,
    finder: FaceFinder,
    folder: Path | None,
) -> Iterator[dict[str, Any]]:
    cpu_began_s = time.process_time()
    alerts = 0
    last = None
    pace = Pace()
    sight = RecordedSight(camera.looks_per_s, moves=camera.moving is not None)
    for frame in sight.judged(open_source(camera, begins_at=start, pace=pace)):
        last = frame
        events = watch.look(frame)
        pace.gap_s = watch.gap_s
        for event in events:
            alerts += event.state == "new"
            yield alert_line(event.developed(), folder)
        yield from _clip_lines(watch, frame.at, frame.t_s, finder, folder)
    if last is not None:
        yield from _clip_lines(watch, last.at, None, finder, folder)
    for event in watch.finish(last.at) if last else []:
        yield alert_line(event, folder)
    held = _extent(Path(camera.source), watch, last)
    yield {
        "summary": {
            "frames": held.frames,
            "looks": watch.looks,
            "analysed": watch.analysed,
            "seconds": round(held.seconds, 3),
            "cpu_s": round(time.process_time() - cpu_began_s, 3),
            "alerts": alerts,
            "dwell_s": camera.zones[0].dwell_s,
            "blind_s": round(sum(span.until_s - span.from_s for span in sight.blind), 3),
            "blind": [_blind_line(span) for span in sight.blind],
        }
    }


def _blind_line(span: BlindSpan) -> dict[str, Any]:
    return {
        "state": str(span.state),
        "since": _iso(span.since),
        "from_s": round(span.from_s, 3),
        "until_s": round(span.until_s, 3),
    }


def _clip_lines(
    watch: CameraWatch | PassingWatch,
    at: datetime,
    t_s: float | None,
    finder: FaceFinder,
    folder: Path | None,
) -> Iterator[dict[str, Any]]:
    """The updates that bring clips."""
    for update, clip in watch.clips(at, t_s):
        if folder is not None:
            yield alert_line(replace(update, evidence=(make_clip(clip, finder),)), folder)


def _extent(recording: Path, watch: CameraWatch | PassingWatch, last: Frame | None) -> Extent:
    """What the recording holds; of a folder of pictures, what was looked at."""
    if recording.is_dir():
        return Extent(watch.looks, last.t_s if last else 0.0)
    return extent(recording)


def alert_line(event: AlertEvent, folder: Path | None = None) -> dict[str, Any]:
    """One alert as a line; its files are written to `folder` when there is one."""
    return {
        "kind": "alert",
        "id": event.id,
        "state": str(event.state),
        "label": event.label,
        "matter": event.matter,
        "zone": event.zone,
        "at": _iso(event.at),
        "since": _iso(event.since),
        "last_clean": event.last_clean and _iso(event.last_clean),
        "t_s": round(event.t_s, 3),
        "score": round(event.score, 4),
        "level": event.level,
        "place": event.place
        and {
            "lat": round(event.place.lat, 7),
            "lon": round(event.place.lon, 7),
            "acc_m": event.place.acc_m,
            "source": event.place.source,
        },
        "boxes": [_box_line(box) for box in event.boxes],
        "evidence": [_file_line(file, folder) for file in event.evidence],
    }


def _camera_for(video: Path, camera: CameraConfig | None, dwell_s: float | None) -> CameraConfig:
    """The camera as the recording is to be watched: its file in place of the live source."""
    if camera is None:
        zone = ZoneConfig(id="all", dwell_s=dwell_s or _fitting_dwell_s(video))
        camera = CameraConfig(id="replay", zones=[zone])
    elif dwell_s is not None:
        zones = [zone.model_copy(update={"dwell_s": dwell_s}) for zone in camera.zones]
        camera = camera.model_copy(update={"zones": zones})
    return camera.model_copy(update={"source": str(video), "real_time": False, "loop": False})


def _fitting_dwell_s(video: Path) -> float:
    """A minute; in a recording of less than three a third of it, but at least five seconds."""
    try:
        with av.open(str(video)) as container:
            seconds = (container.duration or 0) / av.time_base
    except (av.FFmpegError, OSError):
        seconds = 0.0
    if not seconds:
        return DWELL_S
    return round(min(max(seconds / DWELLS_A_RECORDING, DWELL_LEAST_S), DWELL_S), 1)


def _pictures(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        else:
            yield path


def _detect_line(path: Path, detector: Detector) -> dict[str, Any]:
    try:
        image = read_picture(path)
    except UnreadablePicture as fault:
        return {"path": str(path), "error": str(fault)}
    began_s = time.perf_counter()
    boxes = detector.detect(image)
    return {
        "path": str(path),
        "width": image.shape[1],
        "height": image.shape[0],
        "ms": round((time.perf_counter() - began_s) * 1000, 2),
        "boxes": [_box_line(box) for box in boxes],
    }


def read_picture(path: Path) -> Image:
    """Decode a picture file, upright, BGR.

    Raises UnreadablePicture.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as fault:
        raise UnreadablePicture(f"{path}: cannot be read: {fault.strerror}") from None
    if not data.size:
        raise UnreadablePicture(f"{path}: is empty (0 bytes), not a picture")
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise UnreadablePicture(f"{path}: is not a picture that can be decoded")
    return image  # type: ignore[return-value]


def _box_line(box: Detection) -> dict[str, Any]:
    return {
        "label": box.label,
        "score": round(box.score, 4),
        **{key: round(getattr(box, key), 5) for key in ("x", "y", "w", "h")},
    }


def _file_line(file: EvidenceFile, folder: Path | None) -> dict[str, Any]:
    line = {"role": file.role, "type": file.type, "sha256": file.sha256, "size": len(file.data)}
    line |= {"at": _iso(file.at), "sealed": file.sealed}
    if file.original is not None:
        line["original"] = file.original
    if folder is not None:
        where = folder / "sealed" if file.sealed else folder
        path = where / f"{file.sha256}{SUFFIX_OF[file.type]}"
        path.write_bytes(file.data)
        line["path"] = str(path)
    return line


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
