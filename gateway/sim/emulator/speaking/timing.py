"""The events beside the audio of a reply: the times of its words, and the movements of a face (REF, animation).

Visemes and blendshapes are made up from the letters of the words; a word takes as long as it has letters.
"""

from collections import deque
from collections.abc import Coroutine, Iterator
from typing import Any, Protocol

from gateway.sim.emulator.record import Event
from gateway.sim.emulator.speaking.words import WordTime, word_times

SILENCE = 0
"""The viseme of a closed mouth at rest."""
_OTHER = 1
_LETTERS = {1: "a", 4: "e", 6: "iyj", 7: "uw", 8: "o", 12: "h", 13: "r", 14: "l", 15: "szx", 18: "fv", 19: "dtn"}
_VISEMES = {letter: number for number, letters in {**_LETTERS, 20: "ckgq", 21: "pbm"}.items() for letter in letters}
"""The visemes of letters, after the numbers that Azure's speech synthesis gives to sounds: 0 to 21."""
_FRAMES_PER_S = 60
_SHAPES = 55
_JAW_OPEN = 17


class Emit(Protocol):
    """Sends an event of a response."""

    def __call__(self, event_type: str, **fields: Any) -> Coroutine[Any, Any, None]:
        """Send it."""


class Beside:
    """The events beside the audio of one reply, which come as soon as their audio has been sent."""

    def __init__(
        self, emit: Emit, part: Event, text: str, whole_ms: float, *, words: bool, visemes: bool, shapes: bool
    ) -> None:
        self._emit = emit
        self._part = part
        self._has_words, self._has_visemes, self._has_shapes = words, visemes, shapes
        self._words = deque(word_times(text, whole_ms)) if words else deque()
        self._visemes = deque(visemes_of(text, whole_ms)) if visemes or shapes else deque()
        self._jaw = 0.0
        self._shown = 0

    async def until(self, sent_ms: float) -> None:
        """Send what belongs to the audio before this position, in milliseconds."""
        while self._words and self._words[0].offset_ms < sent_ms:
            word = self._words.popleft()
            times = {"audio_offset_ms": word.offset_ms, "audio_duration_ms": word.duration_ms}
            await self._emit(
                "response.audio_timestamp.delta", **self._part, **times, text=word.text, timestamp_type="word"
            )
        frames: list[list[float]] = []
        first = self._shown
        while self._visemes and self._visemes[0][0] < sent_ms:
            offset_ms, viseme = self._visemes.popleft()
            frames += self._frames(offset_ms)
            self._jaw = 0.0 if viseme == SILENCE else 0.5
            if self._has_visemes:
                await self._emit(
                    "response.animation_viseme.delta", **self._part, audio_offset_ms=offset_ms, viseme_id=viseme
                )
        frames += self._frames(sent_ms)
        if self._has_shapes and frames:
            await self._emit("response.animation_blendshapes.delta", **self._part, frames=frames, frame_index=first)

    def _frames(self, until_ms: float) -> list[list[float]]:
        """Return the frames up to a position, with the mouth as it has been."""
        if not self._has_shapes:
            return []
        count = max(0, int(until_ms * _FRAMES_PER_S / 1000) - self._shown)
        self._shown += count
        return [[self._jaw if shape == _JAW_OPEN else 0.0 for shape in range(_SHAPES)] for _ in range(count)]

    async def done(self) -> None:
        """Report the end of each kind."""
        if self._has_words:
            await self._emit("response.audio_timestamp.done", **self._part)
        if self._has_visemes:
            await self._emit("response.animation_viseme.done", **self._part)
        if self._has_shapes:
            about = {key: value for key, value in self._part.items() if key != "content_index"}
            await self._emit("response.animation_blendshapes.done", **about)


def visemes_of(text: str, whole_ms: float) -> Iterator[tuple[int, int]]:
    """Yield the offset in milliseconds and the viseme of each letter, and of the silence behind each word."""
    for word in word_times(text, whole_ms):
        yield from _letters(word)
        yield word.offset_ms + word.duration_ms, SILENCE


def _letters(word: WordTime) -> Iterator[tuple[int, int]]:
    last_ms = -1
    for index, letter in enumerate(word.text.lower()):
        offset_ms = word.offset_ms + word.duration_ms * index // len(word.text)
        if offset_ms > last_ms:
            yield offset_ms, _VISEMES.get(letter, _OTHER)
        last_ms = offset_ms
