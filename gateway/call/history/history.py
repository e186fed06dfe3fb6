"""The history of one call: what was said and done, in order, the newest of it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from gateway.call import notes
from gateway.call.history.entries import Called, Entry, Keys, Message, Reply, Turn, chars, is_open, keys_text
from gateway.call.history.glance import LastWords
from gateway.call.history.seed import seed
from gateway.call.messages import Commands
from gateway.call.speaking.words import share_of
from gateway.voice.commands import AddMessage, ReturnToolOutput, SeedItem
from gateway.voice.events import ToolCalled

Kind = TypeVar("Kind", Turn, Reply, Called)

MOST_ENTRIES = 500
MOST_CHARS = 100_000
"""More is not kept: the oldest is dropped, and counted."""
MOST_IN_ONE = 8_000
"""A longer text is cut."""


class History:
    """Follows what a conversation decides; nothing here is called for audio.

    What the caller hears of a reply is known when the reply is over; until then it is asked for with ``seed``.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._chars = 0
        self._last_keys = ""
        self.dropped = 0
        """Entries that are not kept any more."""

    def __len__(self) -> int:
        return len(self._entries)

    # What the service reports

    def turn(self, item_id: str) -> None:
        """Note that the caller has taken a turn: its transcript may come after the reply to it."""
        if self._find(Turn, item_id=item_id) is None:
            self._add(Turn(item_id))

    def caller_said(self, item_id: str, text: str | None) -> None:
        """Note the transcript of a turn; an empty one is the transcript of a noise, and ``None`` is known already."""
        if text is None:
            return
        entry = self._find(Turn, item_id=item_id)
        if entry is None:
            self._add(Turn(item_id, _cut(text)))
        else:
            self._set(entry, text=_cut(text))

    def called(self, call: ToolCalled) -> None:
        """Note a function that the model calls, carried out or not."""
        self._add(Called(call.call_id, call.name, call.arguments))

    # What the conversation decides

    def follow(self, decided: Commands) -> None:
        """Note what is said to the model, and what has become of replies, keys and calls."""
        for note in decided.notes:
            if react := self._REACTIONS.get(type(note)):
                react(self, note)
        for command in decided.voice:
            if react := self._REACTIONS.get(type(command)):
                react(self, command)

    def _message_added(self, message: AddMessage) -> None:
        """Note a message to the model, but for what stands here already: keys, and a recorded greeting."""
        if message.role != "assistant" and message.text != self._last_keys:
            self._add(Message(message.role, _cut(message.text)))

    def _output_returned(self, returned: ReturnToolOutput) -> None:
        entry = self._find(Called, call_id=returned.call_id)
        if entry is not None:
            self._set(entry, output=_cut(returned.output))

    def _reply_started(self, note: notes.ReplyStarted) -> None:
        self._add(Reply(note.item_id))

    def _reply_heard(self, note: notes.ReplyHeard) -> None:
        entry = self._find(Reply, item_id=note.item_id)
        if entry is not None:
            self._set(entry, **_heard(note))

    def _reply_said(self, note: notes.ReplySaid) -> None:
        """Take the words of a reply that was over before they came."""
        entry = self._find(Reply, item_id=note.item_id)
        if entry is not None and entry.heard_ms and not (entry.text or entry.unheard):
            share = share_of(note.text, entry.heard_ms, entry.received_ms)
            self._set(entry, text=_cut(share.heard), unheard=_cut(share.unheard))

    def _digit_pressed(self, note: notes.DigitPressed) -> None:
        last = self._entries[-1] if self._entries else None
        if isinstance(last, Keys):
            self._set(last, digits=last.digits + note.digit)
        else:
            self._add(Keys(note.digit))

    def _digits_entered(self, note: notes.DigitsEntered) -> None:
        self._last_keys = keys_text(note.digits)

    def _transcription_failed(self, note: notes.TranscriptionFailed) -> None:
        self.turn(note.item_id)

    def _mcp_returned(self, note: notes.McpReturned) -> None:
        self._add(Message("system", f"(The tool {note.tool} of {note.server} was run: {note.outcome}.)"))

    def _approval_given(self, note: notes.ApprovalGiven) -> None:
        answer = "allowed" if note.approved else "not allowed"
        self._add(Message("system", f"(The tool {note.tool} of {note.server} was {answer}.)"))

    # What a new session is told

    def seed(self, limit_chars: int, unfinished: Sequence[notes.ReplyHeard] = ()) -> list[SeedItem]:
        """Return the items with which a new session begins, of at most ``limit_chars`` and a note to the model.

        ``unfinished``: the replies that are being said, with what the caller will have heard of them.
        """
        said = {one.item_id: Reply(one.item_id, **_heard(one)) for one in unfinished}
        entries = [said.get(entry.item_id, entry) if isinstance(entry, Reply) else entry for entry in self._entries]
        return seed(entries, limit_chars, self.dropped)

    # What somebody who looks on is shown

    def last_words(self, unfinished: Sequence[notes.ReplyHeard] = ()) -> LastWords:
        """Return the last words of the caller or the bot; ``unfinished`` are the replies that are being said."""
        if said := next((one.text for one in reversed(unfinished) if one.text), ""):
            return LastWords("bot", said)
        for entry in reversed(self._entries):
            if isinstance(entry, Turn | Reply) and entry.text:
                return LastWords("caller" if isinstance(entry, Turn) else "bot", entry.text)
        return LastWords()

    # Bounds

    def _find(self, kind: type[Kind], **key: str) -> Kind | None:
        """Return the newest entry of a kind with this key."""
        ((name, value),) = key.items()
        for entry in reversed(self._entries):
            if isinstance(entry, kind) and getattr(entry, name) == value:
                return entry
        return None

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._grow(chars(entry.items()))

    def _set(self, entry: Entry, **changed: Any) -> None:
        before = chars(entry.items())
        for name, value in changed.items():
            setattr(entry, name, value)
        self._grow(chars(entry.items()) - before)

    def _grow(self, by: int) -> None:
        """Count characters, and drop the oldest entries that are too many; a call that still runs is kept."""
        self._chars += by
        while len(self._entries) > MOST_ENTRIES or self._chars > MOST_CHARS:
            index = next((at for at, entry in enumerate(self._entries[:-1]) if not is_open(entry)), None)
            if index is None:
                return
            items = self._entries.pop(index).items()
            self._chars -= chars(items)
            self.dropped += bool(items)

    _REACTIONS: ClassVar[Mapping[type, Callable[..., None]]] = {
        notes.ReplyStarted: _reply_started,
        notes.ReplyHeard: _reply_heard,
        notes.ReplySaid: _reply_said,
        notes.DigitPressed: _digit_pressed,
        notes.DigitsEntered: _digits_entered,
        notes.TranscriptionFailed: _transcription_failed,
        notes.McpReturned: _mcp_returned,
        notes.ApprovalGiven: _approval_given,
        AddMessage: _message_added,
        ReturnToolOutput: _output_returned,
    }


def _heard(note: notes.ReplyHeard) -> dict[str, Any]:
    texts = {"text": _cut(note.text), "unheard": _cut(note.unheard)}
    return {**texts, "heard_ms": note.heard_ms, "received_ms": note.received_ms}


def _cut(text: str) -> str:
    return text if len(text) <= MOST_IN_ONE else text[:MOST_IN_ONE] + "…"
