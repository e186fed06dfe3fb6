"""The counts of what the negotiation of sessions finds. Pure."""

from typing import Protocol


class Watch(Protocol):
    """Counts for the metrics of the process."""

    def session_reduced(self, member: str) -> None:
        """Count a session that was accepted without a member, or with another ``model`` than the line's first."""

    def session_differs(self, member: str) -> None:
        """Count a session of which the service has a member otherwise than it was asked for."""

    def service_error(self, code: str) -> None:
        """Count an error that came before a session was accepted, and was not about it."""


class Unwatched:
    """Counts nothing."""

    def session_reduced(self, member: str) -> None:
        """Ignore it."""

    def session_differs(self, member: str) -> None:
        """Ignore it."""

    def service_error(self, code: str) -> None:
        """Ignore it."""
