"""What can go wrong in the hub, by name.

HubError
├── BadConfig      a configuration, with every error at once
├── SchemaError    a database this program cannot work on
└── Problem        an answer to a caller: status, code, message, remedy
"""

from pathlib import Path

from wire.coded import coded


class HubError(Exception):
    """Anything the hub refuses or cannot do; the message names the thing and the remedy."""


class BadConfig(HubError, ValueError):
    """All errors of one file at once, each naming its key, the value and what is allowed."""

    def __init__(self, path: Path, errors: list[str]) -> None:
        """Name the file in front of each error."""
        super().__init__("\n".join(f"{path}: {error}" for error in errors))
        self.path = path
        self.errors = errors


class SchemaError(HubError):
    """A database whose schema is older or newer than this program."""


class Problem(HubError):
    """An answer that refuses a call: HTTP status, a fixed code, what is wrong, what is allowed."""

    def __init__(self, status: int, code: str, message: str, allowed: str = "") -> None:
        """Keep what the answer will say."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.allowed = allowed


LOOK_AGAIN = coded("look_again", "look again and repeat if still right")
"""What is allowed to whom somebody was ahead of."""
ANOTHER_PERSON = coded("another_person", "another person")
SEE_PROBLEMS = coded("see_problems", "see problems")
SEE_API = coded("see_api", "see /api/openapi.json")
BOTH_OR_NONE = coded("both_or_none", "both or none")
TRY_AGAIN = coded("try_again", "try again")


def not_found(what: str, name: object) -> Problem:
    """The answer for a thing that is not there."""
    return Problem(
        404,
        "not_found",
        coded("no_such", "{thing} {name} does not exist", thing=what, name=name),
        coded("id_of_list", "an id from the list"),
    )


def taken(what: str, name: str) -> Problem:
    """The answer where a new thing has the name of one that is there."""
    return Problem(
        409,
        "taken",
        coded("name_taken", "a {thing} is named {name}", thing=what, name=name),
        coded("new_name", "a new name"),
    )


def unknown_grid(code: str) -> Problem:
    """The answer to a grid that is named and not there."""
    return Problem(
        422,
        "bad_grid",
        coded("grid_unknown", "grid {grid!r} does not exist", grid=code),
        coded("grid_code", "a grid's code"),
    )
