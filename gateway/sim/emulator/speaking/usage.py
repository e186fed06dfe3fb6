"""Token counts of a response: 20 a second of audio out, 10 a second in, a token per four characters of text."""

from collections import deque
from collections.abc import Sequence

from gateway.sim.emulator.history import Entry
from gateway.sim.emulator.record import Event

_OUT_TOKENS_PER_MS = 20 / 1000
_IN_TOKENS_PER_MS = 10 / 1000
_CHARACTERS_PER_TOKEN = 4


def usage(history: Sequence[Entry], output: Sequence[Entry]) -> Event:
    """Return the ``usage`` object of a response; what it put out may already be part of the history."""
    before = [entry for entry in history if entry not in output]
    text_in = sum(_text_tokens(entry.item) for entry in before)
    audio_in = round(sum(entry.speech_ms for entry in before) * _IN_TOKENS_PER_MS)
    text_out = sum(_text_tokens(entry.item) for entry in output)
    audio_out = audio_tokens(sum(entry.generated_ms for entry in output))
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "cached_tokens": 0,
            "cache_write_tokens": 0,
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out, "reasoning_tokens": 0},
    }


def text_tokens(text: str) -> int:
    """Return the tokens of a text."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def audio_tokens(audio_ms: float) -> int:
    """Return the tokens of audio that is put out."""
    return round(audio_ms * _OUT_TOKENS_PER_MS)


def _text_tokens(item: Event) -> int:
    texts = [item.get("arguments"), item.get("output")]
    for part in item.get("content") or ():
        texts += [part.get("text"), part.get("transcript")]
    return sum(text_tokens(text) for text in texts if text)


class TokenQuota:
    """The tokens that all sessions of an emulator may take a minute; None takes any number."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._taken: deque[tuple[float, int]] = deque()

    def take(self, tokens: int, now: float) -> None:
        """Note what a response has taken."""
        if self._limit is not None:
            self._taken.append((now, tokens))

    def is_exhausted(self, now: float) -> bool:
        """Return whether the last minute took the limit or more."""
        while self._taken and now - self._taken[0][0] >= 60:
            self._taken.popleft()
        return self._limit is not None and sum(tokens for _, tokens in self._taken) >= self._limit
