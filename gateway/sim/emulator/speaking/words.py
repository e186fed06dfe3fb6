"""A text as the service's transcript sends it, token by token."""

import re
from collections.abc import Iterator
from typing import NamedTuple

TOKEN = re.compile(r"\s*\S+")
"""A word with the space before it."""
_SIGNS = ".,;:!?…()\"'"
"""Signs around a word, which is reported without them."""
_PAUSES = {",": 4, ";": 6, ":": 6, ".": 8, "!": 8, "?": 8}
"""The pause after a word that ends so, in letters."""
_TIMED_VOICES = frozenset({"azure-standard", "azure-custom", "azure-personal"})
"""The types of voices whose words have times."""


class WordTime(NamedTuple):
    """A word and its place in the audio, in milliseconds."""

    text: str
    offset_ms: int
    duration_ms: int


def has_times(voice_type: str) -> bool:
    """Return whether the service knows when a voice of this type says each word."""
    return voice_type in _TIMED_VOICES


def word_times(text: str, whole_ms: float) -> Iterator[WordTime]:
    """Yield the words of ``text`` in audio of this length: each as long as it has letters, with pauses at signs."""
    tokens = [(token, token.strip(_SIGNS)) for token in text.split()]
    pauses = [1 + _PAUSES.get(token[-1], 0) for token, _ in tokens]
    letters = sum(len(word) for _, word in tokens) + sum(pauses)
    at = 0
    for (_, word), pause in zip(tokens, pauses, strict=True):
        offset_ms, end_ms = (round(whole_ms * place / letters) for place in (at, at + len(word)))
        if word:
            yield WordTime(word, offset_ms, end_ms - offset_ms)
        at += len(word) + pause


class Words:
    """The tokens of a text as they are sent: half of them before the audio, the others spread over it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = TOKEN.findall(text)
        self._left = 0

    @property
    def so_far(self) -> str:
        """The text that has been sent."""
        return "".join(self._tokens[: self._left])

    def ahead(self) -> list[str]:
        """Return what is sent before any audio."""
        return self._up_to((len(self._tokens) + 1) // 2)

    def until(self, share: float) -> list[str]:
        """Return what is sent with the audio up to ``share`` of its length, twice as fast as it is spoken."""
        return self._up_to(min(len(self._tokens), round(len(self._tokens) * (0.5 + share))))

    def rest(self) -> list[str]:
        """Return what is left over."""
        return self._up_to(len(self._tokens))

    def _up_to(self, count: int) -> list[str]:
        leaving = self._tokens[self._left : count]
        self._left = max(self._left, count)
        return leaving
