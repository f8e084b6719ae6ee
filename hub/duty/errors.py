"""What can be wrong with duty tables and shifts."""

from collections.abc import Iterable

from hub.grid.errors import Problem


class DutyError(ValueError):
    """A duty table, shift or tolerance that cannot be used; the message says what is allowed."""


class BadDuty(DutyError):
    """A duty table with every bad row of it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems, each with its place."""
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{p.where}: {p.message} ({p.allowed})" for p in self.problems))
