"""The first words of a call: protected from interruption or not, said by the service or played from a file. Pure.

They are the greeting, and before it, where the line records, an announcement and a question.
"""

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
ANNOUNCEMENT = "announcement"
"""The same of the announcement of a recording."""
PLAYED_IDS = frozenset({RECORDING, ANNOUNCEMENT})
UNKNOWN_WORDS = "(A recorded greeting was played to the caller.)"


class Greeting:
    """Follows the greeting from the first moment until it is over."""

    def __init__(self, settings: CallSettings, words: Request | Recorded | None = None) -> None:
        """``words`` are said before the greeting; they are protected in any case."""
        self._is_before = words is not None
        self._words = words or settings.greeting
        self._line_closed = settings.closed
        is_protected = self._is_before or not settings.interruptible
        self.protected = is_protected and self._words is not None
        """``True`` if what the caller says now must not interrupt."""
        self.was_heard = False
        """``True`` once they were heard to their end."""
        self.played_id = ANNOUNCEMENT if self._is_before else RECORDING
        self._response: str | None = None
        self._replies: set[str] = {self.played_id} if isinstance(self._words, Recorded) else set()

    @property
    def recording(self) -> Recorded | None:
        """The recording to be played, if the greeting is one."""
        return self._words if isinstance(self._words, Recorded) else None

    def notes(self) -> list[Note]:
        """Return the notes for the beginning of the call."""
        made: list[Note] = [notes.ClosedLine()] if self._line_closed else []
        if recording := self.recording:
            made.append(notes.GreetingPlayed(self.played_id))
            made.append(notes.ReplyStarted(self.played_id, None))
            made.append(notes.ReplySaid(self.played_id, recording.text))
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
            self.was_heard = reply.complete and 0 < reply.received_ms <= reply.heard_ms
        recording = self.recording
        if reply.reply_id != self.played_id or recording is None:
            return None
        share = share_of(recording.text, reply.heard_ms, reply.received_ms)
        text = share.heard if recording.text else UNKNOWN_WORDS
        return AddMessage("assistant", text) if text else None
