"""The greeting: protected from interruption or not, said by the service or played from a recording. Pure."""

from msgspec.structs import replace

from gateway.call import notes
from gateway.call.notes import Note
from gateway.call.settings import CallSettings, Recorded
from gateway.call.speaking.replies import HeardReply
from gateway.call.speaking.responses import Request
from gateway.call.speaking.words import share_of
from gateway.voice.commands import AddMessage

RECORDING = "recording"
"""The reply id of a recorded greeting; the service knows no such item."""
UNKNOWN_WORDS = "(A recorded greeting was played to the caller.)"


class Greeting:
    """Follows the greeting from the first moment until it is over."""

    def __init__(self, settings: CallSettings) -> None:
        self._words = settings.greeting
        self._line_closed = settings.closed
        self.protected = not settings.interruptible and settings.greeting is not None
        """``True`` if what the caller says now must not interrupt."""
        self._response: str | None = None
        self._replies: set[str] = {RECORDING} if isinstance(settings.greeting, Recorded) else set()

    @property
    def recording(self) -> Recorded | None:
        """The recording to be played, if the greeting is one."""
        return self._words if isinstance(self._words, Recorded) else None

    def notes(self) -> list[Note]:
        """Return the notes for the beginning of the call."""
        made: list[Note] = [notes.ClosedLine()] if self._line_closed else []
        if recording := self.recording:
            made.append(notes.GreetingPlayed(RECORDING))
            made.append(notes.ReplyStarted(RECORDING, None))
            made.append(notes.ReplySaid(RECORDING, recording.text))
        return made

    @property
    def request(self) -> Request | None:
        """The request to the service, if it is to say the greeting."""
        return None if isinstance(self._words, Recorded) else self._words

    def response_started(self, response_id: str, request: Request | None) -> None:
        """Note a response that begins: it is the greeting's if it carries out that request."""
        if request is not None and replace(request, request_id="") == self.request:
            self._response = response_id

    def reply_begun(self, response_id: str, item_id: str) -> None:
        """Note that a reply of a response begins to be played."""
        if response_id == self._response:
            self._replies.add(item_id)

    def over(self) -> None:
        """Note that nobody speaks: whatever came of the greeting, it is over."""
        self.protected = False

    def heard(self, reply: HeardReply) -> AddMessage | None:
        """Note that a reply is over; return what was heard of a recorded greeting, as a message to the model."""
        if reply.reply_id in self._replies:
            self._replies.discard(reply.reply_id)
            self.protected = False
        recording = self.recording
        if reply.reply_id != RECORDING or recording is None:
            return None
        share = share_of(recording.text, reply.heard_ms, reply.received_ms)
        text = share.heard if recording.text else UNKNOWN_WORDS
        return AddMessage("assistant", text) if text else None
