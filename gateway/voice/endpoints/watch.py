"""The counts of what endpoints do. Pure."""

from typing import Protocol


class PoolWatch(Protocol):
    """Counts for the metrics of the process, and logs the changes of circuits."""

    def session_begun(self, endpoint: str) -> None:
        """Count a connection that is opened."""

    def session_opened(self, endpoint: str, took_s: float) -> None:
        """Measure the time from the attempt to the accepted session."""

    def attempt_failed(self, endpoint: str, kind: str) -> None:
        """Count an attempt that failed because of its endpoint."""

    def circuit_opened(self, endpoint: str, kind: str, open_s: float) -> None:
        """Note that an endpoint is left alone for a time."""

    def circuit_closed(self, endpoint: str) -> None:
        """Note that an endpoint opens sessions again."""


class UnwatchedPool:
    """Counts nothing."""

    def session_begun(self, endpoint: str) -> None:
        """Ignore it."""

    def session_opened(self, endpoint: str, took_s: float) -> None:
        """Ignore it."""

    def attempt_failed(self, endpoint: str, kind: str) -> None:
        """Ignore it."""

    def circuit_opened(self, endpoint: str, kind: str, open_s: float) -> None:
        """Ignore it."""

    def circuit_closed(self, endpoint: str) -> None:
        """Ignore it."""
