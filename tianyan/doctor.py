"""What is installed and what is missing, each with the command that mends it."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tianyan.broker import find_mosquitto

LEAST_FREE_GB = 2

_MODULES = {
    "edge": ("av", "cv2", "onnxruntime", "numpy"),
    "gps": ("pynmea2", "serial"),
    "hub": ("fastapi", "sqlalchemy", "alembic", "pwdlib", "shapely", "uvicorn"),
    "postgres": ("psycopg",),
    "openvino": ("openvino",),
    "train": ("ultralytics", "torch"),
}
_ROLES = ("edge", "gps", "hub")
"""What a machine is for: a camera box, a vehicle, the centre. One is enough."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `needed`: the system does not run without it."""

    name: str
    ok: bool
    needed: bool
    found: str
    mend: str = ""


def examine() -> Iterator[dict[str, object]]:
    """A line for each thing looked at."""
    for finding in _findings():
        yield asdict(finding)


def _findings() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "python", sys.version_info >= (3, 11), True, python, "install Python 3.11 or newer"
    )
    roles = [extra for extra in _ROLES if not _missing(extra)]
    for extra in _MODULES:
        missing = _missing(extra)
        found = f"missing: {', '.join(missing)}" if missing else "installed"
        needed = extra in (roles or _ROLES)
        mend = f"pip install 'tianyan[{extra}]'"
        yield Finding(f"extra {extra}", not missing, needed, found, mend)
    broker = find_mosquitto()
    yield Finding(
        "mosquitto", broker is not None, False, broker or "not found: amqtt stands in, slower",
        "apt-get install mosquitto",
    )  # fmt: skip
    if "hub" in roles:
        yield from _console()
    if "edge" in roles:
        yield from _models()
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    yield Finding(
        "disk", free_gb >= LEAST_FREE_GB, True, f"{free_gb:.1f} GB free", "make room on this disk"
    )


def _missing(extra: str) -> list[str]:
    return [name for name in _MODULES[extra] if importlib.util.find_spec(name) is None]


def _console() -> Iterator[Finding]:
    page = Path(__file__).parents[1] / "hub" / "console" / "dist" / "index.html"
    node = shutil.which("node")
    yield Finding("console", page.exists(), True, str(page), "make console")
    if not page.exists():
        yield Finding("node", node is not None, True, node or "not found", "install Node 20+")


def _models() -> Iterator[Finding]:
    from training.commands import list_models

    models = list(list_models())
    for model in models:
        found = model["version"] if model["usable"] else model["reason"]
        yield Finding(
            f"model {model['model']}", model["usable"], True, found, "git checkout models"
        )
    if not models:
        yield Finding("model", ok=False, needed=True, found="none", mend="git checkout models")
