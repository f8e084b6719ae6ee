"""What a measured time was measured on: without it a number says nothing."""

import os
import platform
from pathlib import Path
from typing import Any

FAST_INT8 = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
VECTORS = ("avx2", "avx512f", "asimd", *FAST_INT8)
"""Of the processor's own list (x86 and ARM): what matters to a network. Without one of `FAST_INT8`
int8 gains a third instead of two thirds."""


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, Any]:
    """Processor, cores, what it can compute with, and how busy it is now (1 minute)."""
    try:
        told = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        told = ""
    pairs = [line.partition(":") for line in told.splitlines()]
    fields = {name.strip().lower(): value.strip() for name, _, value in reversed(pairs)}
    words = (fields.get("flags") or fields.get("features") or "").split()
    return {
        "cpu": fields.get("model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "vectors": [name for name in VECTORS if name in words],
        "fast_int8": any(name in words for name in FAST_INT8),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }
