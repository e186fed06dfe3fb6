"""What the caller said, as the service wrote it down, or could not. Pure."""

from gateway.call import notes
from gateway.call.notes import Note
from gateway.call.speaking.responses import Request, Responses
from gateway.call.tools.tools import Tools
from gateway.voice.commands import AnswerApproval
from gateway.voice.events import CallerSaid, TranscriptionFailed


class Transcripts:
    """The transcripts of one call; a turn whose words are there is over. Times are in seconds."""

    def __init__(self, responses: Responses, tools: Tools) -> None:
        self._responses = responses
        self._tools = tools
        self._last = ""

    def said(self, said: CallerSaid, now: float) -> list[Note | Request | AnswerApproval]:
        """Take the words of a turn; they may come more than once, or be none."""
        done: list[Note | Request | AnswerApproval] = [*self._responses.caller_done(said.item_id, now)]
        if said.item_id == self._last:
            return done
        if not said.text.strip():
            return [*done, *self._tools.not_understood(said.item_id, now)]
        self._last = said.item_id
        note = notes.CallerSaid(said.item_id, said.text)
        return [note, *done, *self._tools.caller_said(said.item_id, said.text, now)]

    def failed(self, failed: TranscriptionFailed, now: float) -> list[Note | Request | AnswerApproval]:
        """Note that the words of a turn could not be made out."""
        note = notes.TranscriptionFailed(failed.item_id, failed.code, failed.detail)
        done = self._responses.caller_done(failed.item_id, now)
        return [note, *done, *self._tools.not_understood(failed.item_id, now)]
