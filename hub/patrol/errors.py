"""What can be wrong with patrol plans, duty tables and questions about them."""


class PatrolError(ValueError):
    """A plan, a shift or a span of days that cannot be used; the message says what is allowed."""
