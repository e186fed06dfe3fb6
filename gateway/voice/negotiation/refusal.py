"""A refusal of a session before it is accepted, in the service's words, and what kind it is. Pure."""

from msgspec import Struct

from gateway.voice.events import ServiceError

DETAIL_LENGTH = 300
"""Characters that are kept of the service's own words."""
_ABOUT_SESSIONS = frozenset(
    {"invalid_model", "invalid_profile", "max_config_attempts_exceeded", "invalid_session_update_message"}
)
_OF_THE_MODEL = frozenset({"invalid_model", "invalid_profile"})
_FAULTS = frozenset({"server_error", "internal_error"})
_QUOTA = "rate_limit"
POLICY = 1008
"""RFC 6455 §7.4.1: we violated a policy of the service."""
_TROUBLE = frozenset({1001, 1006, 1011, 1012, 1013})
"""Close codes of a server that has trouble of its own (RFC 6455 §7.4.1, IANA registry): going away, a broken
connection, internal error, restart, try again later."""


class Refusal(Struct, frozen=True):
    """One refusal: an error about our update, or the end of the connection before it was accepted."""

    code: str = ""
    message: str = ""
    param: str = ""
    close_code: int = 0
    """The code with which the connection ended; 0 where it is open."""

    @property
    def closed(self) -> bool:
        """``True`` if the connection has ended."""
        return self.close_code != 0

    @property
    def is_of_the_model(self) -> bool:
        """``True`` if no other session with this model would be accepted either."""
        return self.code in _OF_THE_MODEL

    @property
    def is_quota(self) -> bool:
        """``True`` if too much was asked for, whatever it was."""
        return self.code.startswith(_QUOTA)

    @property
    def is_lasting(self) -> bool:
        """``True`` if the service answered to this session, which it will refuse for longer."""
        return self.code not in _FAULTS and not self.is_quota and self.close_code in (0, POLICY)

    @property
    def passes(self) -> bool:
        """``True`` if the same session may be accepted a moment later."""
        return self.is_quota or (self.close_code in _TROUBLE and not self.code)

    @property
    def words(self) -> str:
        """The refusal in words, the service's own in them."""
        said = shortened(self.message) or self.code
        if self.code and self.code not in said:
            said = f"{said} ({self.code})"
        if self.closed:
            ended = f"it closed the session with {self.close_code}"
            return f"{ended}: {said}" if said else ended
        return said or "it gave no reason"


def is_about_update(error: ServiceError, update_id: str) -> bool:
    """Return ``True`` if an error before acceptance answers our update; any other may be waited out."""
    return (
        error.event_id == update_id
        or error.param.partition(".")[0].partition("[")[0] == "session"
        or error.code in _ABOUT_SESSIONS
        or error.code.startswith(_QUOTA)
    )


def shortened(text: str) -> str:
    """Return the service's words on one line, cut to ``DETAIL_LENGTH``."""
    text = " ".join(text.split())
    return text if len(text) <= DETAIL_LENGTH else f"{text[: DETAIL_LENGTH - 1]}…"
