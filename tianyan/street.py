"""What the demo's devices see: generated scenes and tracks, or the user's own recordings."""

import json
import logging
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import scenes
from hub.grid.ankang import ankang_grids
from scenes.demo import DEMO_CAMERAS
from scenes.vehicles import FLEET, write_nmea

log = logging.getLogger(__name__)

VEHICLE_DAY_S = 6 * 3600
REPORT_EVERY_S = 2.0
VIDEO_DWELL_S = 10.0
# The user's recordings come without a place: they are shown in a row in the middle of the map.
VIDEO_LAT, VIDEO_LON, VIDEO_STEP_DEG = 32.6865, 109.0265, 0.004


@dataclass(frozen=True)
class Device:
    """An edge device of the demo: its id and the sections of its configuration."""

    id: str
    settings: dict[str, Any]


def draw_street(folder: Path, videos: tuple[Path, ...]) -> list[Device]:
    """Write grids, recordings and tracks into `folder`; returns the devices that play them.

    With `videos` the cameras show these and no generated scene.
    """
    folder.mkdir(parents=True, exist_ok=True)
    grids = json.dumps(ankang_grids(), ensure_ascii=False)
    (folder / "grids.geojson").write_text(grids, encoding="utf-8")
    cameras = _own_cameras(videos) if videos else _generated_cameras()
    return [
        Device("box-1", {"generated": not videos, "cameras": cameras}),
        Device("fleet-1", {"generated": True, "receivers": _receivers(folder)}),
    ]


def _own_cameras(videos: tuple[Path, ...]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"video-{number + 1}",
            "name": path.name,
            "source": str(path.resolve()),
            "loop": True,
            "looks_per_s": 2,
            "position": {"lat": VIDEO_LAT, "lon": VIDEO_LON + number * VIDEO_STEP_DEG},
            "zones": [{"id": "all", "name": "整个画面", "dwell_s": VIDEO_DWELL_S}],
        }
        for number, path in enumerate(videos)
    ]


def _generated_cameras() -> list[dict[str, Any]]:
    """Draw each scene once; the recordings are kept for the next demo of the same version."""
    cache = _cache_folder()
    missing = [
        number
        for number, camera in enumerate(DEMO_CAMERAS)
        if not (cache / f"{camera.id}.mp4").exists()
    ]
    if missing:
        log.info("drawing %d street scenes (once, about a minute)", len(missing))
        # A fresh process, not a fork: this one has threads and open files of its own.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
            drawn = [pool.submit(_draw, number, cache) for number in missing]
            for done, future in enumerate(as_completed(drawn), start=1):
                log.info("drawn %d of %d: %s", done, len(missing), future.result())
    return [camera.config(str(cache / f"{camera.id}.mp4")) for camera in DEMO_CAMERAS]


def _draw(number: int, cache: Path) -> str:
    camera = DEMO_CAMERAS[number]
    unfinished = cache / f"{camera.id}.unfinished.mp4"
    camera.write(unfinished, datetime.now(UTC))
    unfinished.replace(cache / f"{camera.id}.mp4")
    return camera.id


def _cache_folder() -> Path:
    """A folder that changes its name when anything that draws has changed."""
    sources = sorted(Path(scenes.__path__[0]).glob("*.py"))
    version = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "tianyan" / f"scenes-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _receivers(folder: Path) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    receivers = []
    for vehicle in FLEET:
        path = folder / f"{vehicle.id}.nmea"
        write_nmea(vehicle, path, now, VEHICLE_DAY_S)
        receivers.append(
            {
                "id": vehicle.id,
                "vehicle": vehicle.id,
                "plate": vehicle.plate,
                "kind": vehicle.kind,
                "source": str(path),
                "report_every_s": REPORT_EVERY_S,
            }
        )
    return receivers
