"""A text as the service's transcript sends it, token by token."""

import re

TOKEN = re.compile(r"\s*\S+")
"""A word with the space before it."""


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
