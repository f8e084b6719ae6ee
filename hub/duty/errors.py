"""What can be wrong with duty tables and shifts."""

from collections.abc import Iterable

from hub.grid.errors import Problem


class DutyError(ValueError):
    """A duty table, shift or tolerance that cannot be used; says what is allowed."""

    def __init__(self, message: str, allowed: str = "") -> None:
        """Keep both, coded where they are."""
        super().__init__(f"{message} ({allowed})" if allowed else message)
        self.message = message
        self.allowed = allowed


class BadDuty(DutyError):
    """A duty table with every bad row of it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems, each with its place."""
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{p.where}: {p.message} ({p.allowed})" for p in self.problems))
