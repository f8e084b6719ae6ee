"""A verb of the command line, and the exit statuses."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

OK, FOUND_WRONG, USAGE = 0, 1, 2


@dataclass(frozen=True)
class Verb:
    """`name` ("edge run"), one line of help, how its options are declared, what it does."""

    name: str
    help: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
