"""What evaluation refuses."""

from hub.errors import HubError


class EvaluationError(HubError):
    """A question that cannot be asked; says what was given and what is allowed."""
