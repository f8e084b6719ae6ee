"""Where the shared pictures, recordings and logs lie, for tests that need them."""

import os
from pathlib import Path

import pytest

_PATH = Path(os.environ.get("TIANYAN_SHARED", Path(__file__).parents[2] / "shared"))

SHARED: Path | None = _PATH if (_PATH / "data").is_dir() else None

needs_shared = pytest.mark.skipif(
    SHARED is None, reason="no shared data: set TIANYAN_SHARED or put it at ../shared"
)
