"""The words of replies, and which of them the caller has heard. Pure.

The text of a reply comes ahead of its audio. Where the service reports when each word is spoken, what was heard is
known to the word; elsewhere it is taken in proportion of the audio. A word that was only begun was not heard, but for
the one in which a reply breaks off because its session is lost.
"""

import re
import unicodedata
from collections import deque
from collections.abc import Container
from typing import NamedTuple

from gateway.call.speaking.replies import HeardReply

_RATE_CHARS, _RATE_MS = 150.0, 10_000.0
"""Speech of the usual speed, with which a call begins to measure its own."""
_MOST_OVER = 16
"""So many replies that are over are remembered, for texts that come late."""
_MOST_PIECES = 20_000
"""No reply has more tokens or words: the service generates 4,096 tokens at most."""
_MOST_AT_ONCE = 64
"""Replies that wait to be heard; the words of further ones are not kept."""
_LOOK_AHEAD = 60
"""A word whose time is reported is looked for within so many characters behind the word before."""


class Share(NamedTuple):
    """The words of a reply that were heard, and those behind them that were not."""

    heard: str = ""
    unheard: str = ""


class ReplyWords:
    """The words of the replies that are generated or played, by the id of the item."""

    def __init__(self) -> None:
        self._texts: dict[str, _Text] = {}
        self._over: deque[str] = deque(maxlen=_MOST_OVER)
        self._chars, self._ms = _RATE_CHARS, _RATE_MS

    def add(self, item_id: str, piece: str) -> None:
        """Add a piece to the text of a reply."""
        text = self._of(item_id)
        if text is not None and len(text.pieces) < _MOST_PIECES:
            text.pieces.append(piece)

    def spoken(self, item_id: str, word: str, end_ms: int) -> None:
        """Note that a word of a reply ends at this time of its audio."""
        text = self._of(item_id)
        if text is not None and len(text.times) < _MOST_PIECES:
            text.times.append((end_ms, word))

    def complete(self, item_id: str, whole: str) -> None:
        """Take the whole text of a reply."""
        if whole and (text := self._of(item_id)) is not None:
            text.pieces = [whole]

    def delivered(self, item_id: str) -> None:
        """Note that all audio of a reply is here, so that its text is not ahead of it any more."""
        if (text := self._texts.get(item_id)) is not None:
            text.is_whole = True

    def over(self, reply: HeardReply) -> Share:
        """Return what was heard of a reply that is over, and forget its words."""
        share = self.share(reply)
        self._forget(reply.reply_id)
        if reply.complete and share.heard and not share.unheard:
            self._chars += len(share.heard)
            self._ms += reply.received_ms
        return share

    def share(self, reply: HeardReply) -> Share:
        """Return which words of a reply were heard; none if its words are not known."""
        known = self._texts.get(reply.reply_id)
        if known is None:
            return Share()
        text, is_whole = known.text, reply.complete and known.is_whole
        if is_whole and reply.heard_ms >= reply.received_ms:
            return Share(text.strip())
        if known.times:
            return _parted(text, known.spoken_by(reply.heard_ms))
        at = _reached(text, reply, 0.0 if is_whole else self._chars / self._ms)
        broke_off = reply.complete and not known.is_whole  # what is left would be said after it: no word twice
        return _parted(text, begun_word(text, at) if broke_off else end_of_word(text, at))

    def response_ended(self, playing: Container[str], *, completed: bool) -> None:
        """Forget the words of replies that have brought no audio; of the others all audio is here if ``completed``."""
        for item_id, text in [*self._texts.items()]:
            text.is_whole = text.is_whole or completed
            if item_id not in playing:
                self._forget(item_id)

    def _of(self, item_id: str) -> "_Text | None":
        """Return the words of a reply; ``None`` for one that is over, of which words may still come, or too many."""
        text = self._texts.get(item_id)
        if text is None and item_id not in self._over and len(self._texts) < _MOST_AT_ONCE:
            text = self._texts[item_id] = _Text()
        return text

    def _forget(self, item_id: str) -> None:
        self._texts.pop(item_id, None)
        self._over.append(item_id)


class _Text:
    """The text of one reply, and the words of it whose time is known."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.is_whole = False
        """``True`` if there is audio for all of it: no session was lost while the reply was generated."""
        self.times: list[tuple[int, str]] = []
        """The end of each word in the audio, in milliseconds."""

    @property
    def text(self) -> str:
        """The text as far as it is known."""
        return "".join(self.pieces)

    def spoken_by(self, ms: int) -> int:
        """Return where in the text the last word ends that is spoken by then.

        The words that are reported may be written otherwise than in the text, which holds numbers and signs: one that
        is not found counts with the next one.
        """
        text, upto = self.text, 0
        for end_ms, word in self.times:
            if end_ms > ms:
                break
            pattern = re.compile(re.escape(word.strip()), re.IGNORECASE)
            if found := pattern.search(text, upto, upto + _LOOK_AHEAD + len(word)):
                upto = found.end()
        while upto < len(text) and unicodedata.category(text[upto])[0] == "P":
            upto += 1
        return end_of_word(text, upto)


def share_of(text: str, heard_ms: int, received_ms: int) -> Share:
    """Return which words of a complete reply were heard, in proportion of its audio."""
    return _parted(text, end_of_word(text, _reached(text, HeardReply("", heard_ms, received_ms), 0.0)))


def _parted(text: str, upto: int) -> Share:
    return Share(text[:upto].strip(), text[upto:].strip())


def _reached(text: str, reply: HeardReply, chars_per_ms: float) -> int:
    """Return how much of the text was heard, in proportion of the audio.

    The text of a reply that is still generated, or was cut off, may be ahead of the audio: then its whole length is
    reckoned from the speed of the speech, ``chars_per_ms``.
    """
    whole_ms = max(float(reply.received_ms), len(text) / chars_per_ms if chars_per_ms else 0.0)
    return round(len(text) * reply.heard_ms / whole_ms) if whole_ms else 0


def end_of_word(text: str, upto: int) -> int:
    """Return the last place up to ``upto`` where a word of ``text`` ends."""
    upto = min(upto, len(text))
    while 0 < upto < len(text) and not _is_end(text[upto - 1], text[upto]):
        upto -= 1
    return upto


def begun_word(text: str, upto: int) -> int:
    """Return the first place from ``upto`` on where a word of ``text`` ends."""
    while 0 < upto < len(text) and not _is_end(text[upto - 1], text[upto]):
        upto += 1
    return min(upto, len(text))


def _is_end(before: str, behind: str) -> bool:
    """Return ``True`` between two characters where a word ends: at a space, or in a script that has none."""
    return before.isspace() or behind.isspace() or (_is_wide(before) and unicodedata.category(behind)[0] != "P")


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
