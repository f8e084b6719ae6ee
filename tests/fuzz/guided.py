"""`python -m tests.fuzz.guided NAME [libFuzzer's options] CORPUS`: fuzz a target by its coverage.

It ends when its time is over, or with the input for which something does not hold.
"""

import sys

import atheris

with atheris.instrument_imports(include=["edge", "hub"]):
    from tests.fuzz.targets import TARGETS

atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
atheris.Fuzz()
