"""Messages of a peer that nobody understands: noted, and bounded where they break the protocol. Pure."""

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason, LoseVoice
from gateway.call.notes import Note
from gateway.phone.events import MalformedMessage, OddMessage, UnknownMessage
from gateway.voice.events import MalformedEvent, ServiceWarning, UnknownEvent

MALFORMED_LIMIT = 50
"""So many broken messages of a peer within the window, and it is not a peer any more."""
MALFORMED_WINDOW_S = 60.0
ODD_LIMIT = 20
"""So many different odd messages are noted in a call: the log stays bounded, whatever a peer makes up."""

BadMessage = UnknownMessage | UnknownEvent | MalformedMessage | MalformedEvent | OddMessage | ServiceWarning


class BadMessages:
    """The odd messages of both legs. Times are in seconds."""

    def __init__(self, now: float) -> None:
        self._unreadable = {"phone": (0, now), "voice": (0, now)}
        self._readable = (0, now)
        self._odd: set[str] = set()

    def handle(self, event: BadMessage, now: float) -> list[Note | EndCall | LoseVoice]:
        """Note the message; one unreadable message too many ends the call, or its session.

        What is readable and wrong costs the caller nothing, so it ends no call; more of it than the limit is not noted.
        """
        leg: notes.Leg = "phone" if isinstance(event, UnknownMessage | MalformedMessage) else "voice"
        match event:
            case ServiceWarning(code=code, message=message):
                return [notes.ServiceWarning(code, message)]
            case UnknownMessage(kind=kind) | UnknownEvent(kind=kind):
                return [notes.UnknownMessage(leg, kind)]
            case OddMessage(detail=detail):
                return self._note_once(detail)
            case MalformedMessage(detail=detail, readable=True):
                self._readable = count, _ = _counted(self._readable, now)
                return [_malformed(leg, detail)] if count <= MALFORMED_LIMIT else []
            case MalformedMessage(detail=detail) | MalformedEvent(detail=detail):
                return [_malformed(leg, detail), *self._count(leg, now)]

    def _note_once(self, detail: str) -> list[Note | EndCall | LoseVoice]:
        if detail in self._odd or len(self._odd) >= ODD_LIMIT:
            return []
        self._odd.add(detail)
        return [notes.OddMessage("phone", detail)]

    def _count(self, leg: str, now: float) -> list[EndCall | LoseVoice]:
        self._unreadable[leg] = count, _ = _counted(self._unreadable[leg], now)
        if count < MALFORMED_LIMIT:
            return []
        detail = f"{MALFORMED_LIMIT} malformed messages in a minute"
        if leg == "phone":
            return [EndCall(EndReason.STREAM_BROKEN, "provider", detail)]
        self._unreadable[leg] = (0, now)
        return [LoseVoice("broken", EndCall(EndReason.VOICE_LOST, "service", detail))]


def _counted(before: tuple[int, float], now: float) -> tuple[int, float]:
    """The count with one more, and since when; a new window begins where the old one is over."""
    count, since = before
    return (1, now) if now - since > MALFORMED_WINDOW_S else (count + 1, since)


def _malformed(leg: notes.Leg, detail: str) -> Note:
    return notes.MalformedMessage(leg, detail)
