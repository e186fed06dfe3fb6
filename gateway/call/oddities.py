"""Messages of a peer that nobody understands: noted, and bounded where they break the protocol. Pure."""

from gateway.call.ending import EndCall, EndReason
from gateway.call.record import Note
from gateway.phone.events import MalformedMessage, UnknownMessage
from gateway.voice.events import MalformedEvent, ServiceWarning, UnknownEvent

MALFORMED_LIMIT = 50
"""So many broken messages of a peer within the window, and it is not a peer any more."""
MALFORMED_WINDOW_S = 60.0

Oddity = UnknownMessage | UnknownEvent | MalformedMessage | MalformedEvent | ServiceWarning


class Oddities:
    """The odd messages of both legs. Times are in seconds."""

    def __init__(self, now: float) -> None:
        self._malformed = {"phone": (0, now), "voice": (0, now)}

    def handle(self, event: Oddity, now: float) -> list[Note | EndCall]:
        """Note the message; one malformed message too many ends the call."""
        leg = "phone" if isinstance(event, UnknownMessage | MalformedMessage) else "voice"
        match event:
            case ServiceWarning(code=code, message=message):
                return [Note("service_warning", {"code": code, "detail": message})]
            case UnknownMessage(kind=kind) | UnknownEvent(kind=kind):
                return [Note("unknown_message", {"leg": leg, "message_kind": kind})]
            case MalformedMessage(detail=detail) | MalformedEvent(detail=detail):
                return [Note("malformed_message", {"leg": leg, "detail": detail}), *self._count(leg, now)]

    def _count(self, leg: str, now: float) -> list[EndCall]:
        count, since = self._malformed[leg]
        if now - since > MALFORMED_WINDOW_S:
            count, since = 0, now
        self._malformed[leg] = (count + 1, since)
        if count + 1 < MALFORMED_LIMIT:
            return []
        reason, by = (EndReason.STREAM_BROKEN, "provider") if leg == "phone" else (EndReason.VOICE_LOST, "service")
        return [EndCall(reason, by, f"{MALFORMED_LIMIT} malformed messages in a minute")]
