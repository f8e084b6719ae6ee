"""What the demo's devices see: generated scenes and tracks, or the user's own recordings."""

import json
import logging
import os
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import scenes
from hub.grid.ankang import ankang_grids
from scenes.demo import DEMO_CAMERAS
from scenes.vehicles import FLEET, YESTERDAY, FleetVehicle, drive, write_nmea
from tianyan.children import Child, spawn

log = logging.getLogger(__name__)

CAMERA_BOX, FLEET_BOX = "box-1", "fleet-1"
LOOKS_PER_S = 2.0
VEHICLE_DAY_S = 6 * 3600
YESTERDAY_S = 4 * 3600
SITE = ZoneInfo("Asia/Shanghai")
REPORT_EVERY_S = 2.0
VIDEO_DWELL_S = 10.0
# The user's recordings come without a place: they are shown in a row in the middle of the map.
VIDEO_LAT, VIDEO_LON, VIDEO_STEP_DEG = 32.6865, 109.0265, 0.004


class DrawingFailed(RuntimeError):
    """A scene could not be drawn; carries the end of its log."""


@dataclass(frozen=True)
class Device:
    """An edge device of the demo: its id and the sections of its configuration."""

    id: str
    settings: dict[str, Any]


def write_grids(folder: Path) -> Path:
    """Write the generated 1/8/91 grids of central Ankang; returns the file."""
    path = folder / "grids.geojson"
    path.write_text(json.dumps(ankang_grids(), ensure_ascii=False), encoding="utf-8")
    return path


def own_cameras(videos: tuple[Path, ...]) -> Device:
    """The user's recordings as cameras, each with its whole picture as one zone."""
    cameras = [
        {
            "id": f"video-{number + 1}",
            "name": path.name,
            "source": str(path.resolve()),
            "loop": True,
            "looks_per_s": LOOKS_PER_S,
            "position": {"lat": VIDEO_LAT, "lon": VIDEO_LON + number * VIDEO_STEP_DEG},
            "zones": [{"id": "all", "name": "整个画面", "dwell_s": VIDEO_DWELL_S}],
        }
        for number, path in enumerate(videos)
    ]
    return Device(CAMERA_BOX, {"generated": False, "cameras": cameras})


def generated_cameras() -> Device:
    """The rendered scenes as cameras; `draw_scenes` must have been done."""
    cache = cache_folder()
    cameras = [camera.config(str(cache / f"{camera.id}.mp4")) for camera in DEMO_CAMERAS]
    return Device(CAMERA_BOX, {"generated": True, "cameras": cameras})


def draw_scenes(folder: Path, stop: threading.Event) -> None:
    """Draw each scene once; the recordings are kept for the next demo of the same version.

    Returns early when `stop` is set. Raises DrawingFailed.
    """
    cache = cache_folder()
    waiting = [camera.id for camera in DEMO_CAMERAS if not (cache / f"{camera.id}.mp4").exists()]
    drawing: list[Child] = []
    if waiting:
        log.info("drawing %d street scenes (once, about a minute)", len(waiting))
    try:
        while (waiting or drawing) and not stop.wait(0.1):
            while waiting and len(drawing) < (os.cpu_count() or 1):
                drawing.append(_draw_in_child(waiting.pop(0), cache, folder))
            drawing = [child for child in drawing if not _is_drawn(child)]
    finally:
        for child in drawing:
            child.stop()


def _draw_in_child(camera: str, cache: Path, folder: Path) -> Child:
    args = [sys.executable, "-m", "tianyan.street", camera, str(cache)]
    return spawn(camera, args, folder / f"draw-{camera}.log")


def _is_drawn(child: Child) -> bool:
    if (status := child.exit_status()) is None:
        return False
    if status != 0:
        raise DrawingFailed(f"scene {child.name} could not be drawn:\n{child.last_words()}")
    log.info("scene %s is drawn", child.name)
    return True


def draw_scene(name: str, cache: Path) -> None:
    """Draw the scene of the camera called `name` into `cache`."""
    camera = next(camera for camera in DEMO_CAMERAS if camera.id == name)
    with TemporaryDirectory(dir=cache) as folder:
        unfinished = Path(folder) / "scene.mp4"
        # The agent looks this often and no frame between its looks is ever seen.
        camera.write(unfinished, datetime.now(UTC), fps=LOOKS_PER_S)
        unfinished.replace(cache / f"{name}.mp4")


def cache_folder() -> Path:
    """A folder that changes its name when anything that draws has changed."""
    sources = sorted(Path(scenes.__path__[0]).glob("*.py"))
    version = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "tianyan" / f"scenes-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def vehicles(folder: Path) -> Device:
    """The fleet, each vehicle with a log of its next hours, played at its own pace."""
    now = datetime.now(UTC)
    receivers = []
    for vehicle in FLEET:
        path = folder / f"{vehicle.id}.nmea"
        write_nmea(vehicle, path, now, VEHICLE_DAY_S)
        receivers.append(_receiver(vehicle, vehicle.id, path))
    for vehicle in YESTERDAY:
        name = f"{vehicle.id}-yesterday"
        path = folder / f"{name}.nmea"
        start = _yesterday(now)
        write_nmea(vehicle, path, start, _until_parked_s(vehicle, start))
        receivers.append(_receiver(vehicle, name, path) | {"real_time": False})
    return Device(FLEET_BOX, {"generated": True, "receivers": receivers})


def _receiver(vehicle: FleetVehicle, name: str, log_file: Path) -> dict[str, Any]:
    return {
        "id": name,
        "vehicle": vehicle.id,
        "plate": vehicle.plate,
        "kind": vehicle.kind,
        "source": str(log_file),
        "report_every_s": REPORT_EVERY_S,
    }


def _until_parked_s(vehicle: FleetVehicle, start: datetime) -> int:
    """Seconds to the middle of the day's last stop: nobody goes off duty while driving."""
    last = drive(vehicle, start, YESTERDAY_S).stops[-1]
    begin, end = datetime.fromisoformat(last.start), datetime.fromisoformat(last.end)
    return int((begin + (end - begin) / 2 - start).total_seconds())


def _yesterday(now: datetime) -> datetime:
    """Eight in the morning of the day before, at the site."""
    local = now.astimezone(SITE) - timedelta(days=1)
    return local.replace(hour=8, minute=0, second=0, microsecond=0).astimezone(UTC)


if __name__ == "__main__":
    draw_scene(sys.argv[1], Path(sys.argv[2]))
