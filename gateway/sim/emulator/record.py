"""The record that a session keeps of its events, and the error by which it rejects one."""

from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One event and when it passed, in seconds of the event loop's clock.

    A ``response.audio.delta`` that was sent is kept as its ids and ``bytes``; audio that was received is not kept.
    """

    at: float
    event: Event

    @property
    def type(self) -> str:
        """The type of the event."""
        return str(self.event.get("type"))


class Rejected(Exception):  # noqa: N818 -- an answer of the protocol, not a failure of this program
    """A client event that the service answers with an ``error`` event; the session goes on.

    ``harmless``: an orderly client meets it in a race (a cancel that crosses the end of the response), so it is
    no violation. The same holds for what the script refuses. ``silent``: no ``error`` is sent.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None,
        param: str | None = None,
        harmless: bool = False,
        silent: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.harmless = harmless
        self.silent = silent

    def error(self, client_event_id: str | None) -> Event:
        """Return the body of the ``error`` event."""
        return {
            "type": "invalid_request_error",
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": client_event_id,
        }
