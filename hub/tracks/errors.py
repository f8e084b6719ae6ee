"""What can be wrong with a track analysis."""


class TrackError(ValueError):
    """Sites, settings or a time zone that cannot be used; the message says what is allowed."""
