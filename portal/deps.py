"""What a request needs: the time, read once."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the instant of the request."""
    return datetime.now(UTC)
