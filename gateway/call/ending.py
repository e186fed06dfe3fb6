"""The reasons for which calls end, and who ends them; decided where it happens. Pure."""

import enum
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gateway.phone.events import PhoneEnd
from gateway.voice.events import VoiceEnd


class EndReason(enum.StrEnum):
    """The reasons for which calls end; metrics and logs carry these words."""

    CALLER_HUNG_UP = "caller_hung_up"
    BOT_HUNG_UP = "bot_hung_up"
    STREAM_LOST = "stream_lost"
    STREAM_STALLED = "stream_stalled"
    STREAM_BROKEN = "stream_broken"
    VOICE_UNAVAILABLE = "voice_unavailable"
    VOICE_REFUSED = "voice_refused"
    VOICE_LOST = "voice_lost"
    VOICE_STALLED = "voice_stalled"
    TRANSFERRED = "transferred"
    LINE_CLOSED = "line_closed"
    TIME_LIMIT = "time_limit"
    SILENCE = "silence"
    SHUT_DOWN = "shut_down"
    SHUT_DOWN_ANNOUNCED = "shut_down_announced"
    """The process stops, and the caller has heard the line's words about it."""
    FAULT = "fault"
    """The gateway's own: a bug, with its traceback in the log."""
    ENDED_BY_OPERATOR = "ended_by_operator"
    """Somebody has ended it in the console."""


ENDED_BY: Mapping[EndReason, str] = {
    EndReason.CALLER_HUNG_UP: "caller",
    EndReason.BOT_HUNG_UP: "bot",
    EndReason.STREAM_LOST: "provider",
    EndReason.STREAM_STALLED: "provider",
    EndReason.STREAM_BROKEN: "provider",
    EndReason.VOICE_UNAVAILABLE: "service",
    EndReason.VOICE_REFUSED: "service",
    EndReason.VOICE_LOST: "service",
    EndReason.VOICE_STALLED: "service",
    EndReason.TRANSFERRED: "bot",
    EndReason.LINE_CLOSED: "bot",
    EndReason.TIME_LIMIT: "gateway",
    EndReason.SILENCE: "caller",
    EndReason.SHUT_DOWN: "gateway",
    EndReason.SHUT_DOWN_ANNOUNCED: "gateway",
    EndReason.FAULT: "gateway",
    EndReason.ENDED_BY_OPERATOR: "operator",
}
"""The side that ends a call for each reason; metrics have a series for each pair before the first call."""
_ERRORS = frozenset(
    {
        EndReason.VOICE_UNAVAILABLE,
        EndReason.VOICE_REFUSED,
        EndReason.VOICE_LOST,
        EndReason.VOICE_STALLED,
        EndReason.FAULT,
    }
)
_WARNINGS = frozenset({EndReason.STREAM_LOST, EndReason.STREAM_STALLED, EndReason.STREAM_BROKEN})


def level_of(reason: EndReason) -> Literal["info", "warning", "error"]:
    """Return the log level of an end: an error where the bot failed the caller, a warning where the stream failed."""
    return "error" if reason in _ERRORS else "warning" if reason in _WARNINGS else "info"


class EndCall(Struct, frozen=True):
    """Close both legs; the last command of every conversation."""

    reason: EndReason
    by: str
    """``caller``, ``bot``, ``provider``, ``service``, ``gateway`` or ``operator``."""
    detail: str = ""


class LoseVoice(Struct, frozen=True):
    """Take the session for lost: the call goes on with another one, or comes to ``end``."""

    cause: str
    """One of ``CAUSES``."""
    end: EndCall
    close_code: int = 0
    """The code of the service's close frame; 0 without one."""
    passes: bool = True
    """``False`` if another session would be refused as well."""


CAUSES = ("lost", "stalled", "unreachable", "refused", "mute", "errors", "broken")
"""The causes for which a session counts as lost: how its connection ended; or no sound, a burst of errors, messages
that nobody can read. Metrics have a series for each."""


class Order(Struct, frozen=True):
    """An operator ends the call, or transfers it to a ``target`` of its line."""

    target: str = ""


class ShutDown(Struct, frozen=True):
    """The process is about to end. With ``at_once``, nothing may be said or asked for any more."""

    at_once: bool = False


PHONE_ENDS = {
    PhoneEnd.HUNG_UP: (EndReason.CALLER_HUNG_UP, "caller"),
    PhoneEnd.LOST: (EndReason.STREAM_LOST, "provider"),
    PhoneEnd.STALLED: (EndReason.STREAM_STALLED, "provider"),
    PhoneEnd.CLOSED: (EndReason.SHUT_DOWN, "gateway"),
}
VOICE_ENDS = {
    VoiceEnd.LOST: (EndReason.VOICE_LOST, "service"),
    VoiceEnd.STALLED: (EndReason.VOICE_STALLED, "service"),
    VoiceEnd.UNREACHABLE: (EndReason.VOICE_UNAVAILABLE, "service"),
    VoiceEnd.REFUSED: (EndReason.VOICE_REFUSED, "service"),
    VoiceEnd.CLOSED: (EndReason.SHUT_DOWN, "gateway"),
}
