"""Each parser against a fuzzer that follows its branches (atheris), for a bounded time.

`TIANYAN_FUZZ_S` seconds each (default 3). What is found is printed as bytes, to become a test.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.seeds import write
from tests.fuzz.targets import TARGETS

SECONDS = int(os.environ.get("TIANYAN_FUZZ_S", "3"))
HAS_WHEEL = (
    platform.machine() == "x86_64" and sys.platform == "linux" and sys.version_info < (3, 14)
)
ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not HAS_WHEEL, reason="atheris has no wheel for this machine")
@pytest.mark.timeout(60 + 3 * SECONDS)
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_it(name, tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    words = write(name, corpus)
    options = [
        f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=4096",
        "-print_final_stats=1", f"-artifact_prefix={tmp_path}/", "-use_value_profile=1",
    ]  # fmt: skip
    if "json" in name:
        options.append(f"-dict={words}")
    # A shell between: what is run begins with the peak of memory of whoever started it.
    run = subprocess.run(
        ["/bin/sh", "-c", '"$@"; exit $?', "sh",
         sys.executable, "-m", "tests.fuzz.guided", name, *options, str(corpus)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60 + 2 * SECONDS,
    )  # fmt: skip
    found = [path.read_bytes() for path in tmp_path.glob("*-*") if path.is_file()]
    assert run.returncode == 0, f"{run.stdout[-3000:]}\n{run.stderr[-2000:]}\ninput: {found}"
    assert "stat::number_of_executed_units" in run.stderr, run.stderr[-2000:]
