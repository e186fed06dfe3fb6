"""Both sides of a call as the blocks of one file: entries in, what is to be written out. Pure."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from gateway.audio import g711
from gateway.audio.formats import AudioFormat, Encoding
from gateway.phone.events import Playout
from gateway.records.recording.bot_track import BotTrack
from gateway.records.recording.caller_track import CallerTrack
from gateway.records.recording.entries import (
    BOT,
    HOLD_S,
    MARK_RETURNED,
    MARK_SENT,
    PAUSED,
    RESUMED,
    STOPPED,
    Entry,
)
from gateway.records.recording.heard import Frames

Channels = Literal["stereo", "mono"]
LONGEST_S = 10.0
"""No block is longer, so that a pause of hours needs no memory."""


class Timeline:
    """The recording of one call, from ``started_at`` on the call's clock. Times are in seconds of that clock."""

    def __init__(self, audio_format: AudioFormat, playout: Playout, channels: Channels, started_at: float) -> None:
        self._format = audio_format
        self._rate = audio_format.rate_hz
        self._sample_bytes = audio_format.sample_bytes
        self._started_at = started_at
        self._join = _beside if channels == "stereo" else _mixed
        self._caller = CallerTrack(audio_format, started_at)
        self._bot = BotTrack(audio_format, playout)
        self._until = 0
        self._paused_at: int | None = None
        self._pauses: list[tuple[int, int]] = []

    def hear(self, heard: Frames) -> None:
        """Take frames of the caller, after all entries up to the last of them; they come in the order of time."""
        if self._pauses or self._paused_at is not None:
            self._silence_keyed(heard)
        self._caller.add(heard)

    def _silence_keyed(self, heard: Frames) -> None:
        """Make silence of the frames that arrived in a pause, wherever their places are."""
        begin = 0
        for at_s, size in zip(heard.at, heard.sizes, strict=True):
            at = (at_s - self._started_at) * self._rate
            if (self._paused_at is not None and at >= self._paused_at) or any(a <= at < b for a, b in self._pauses):
                heard.audio[begin : begin + size] = self._format.silence_of(size // self._sample_bytes)
            begin += size

    def take_in(self, entry: Entry) -> None:
        """Take an entry; they come in the order of time."""
        kind, at_s, position, audio, name = entry
        at = (at_s - self._started_at) * self._rate
        if kind is BOT:
            self._bot.sent(at, position // self._sample_bytes, audio)
        elif kind is MARK_SENT:
            self._bot.mark_sent(at, name)
        elif kind is MARK_RETURNED:
            self._bot.mark_returned(at, name)
        elif kind is STOPPED:
            self._bot.stopped(at)
        elif kind is PAUSED and self._paused_at is None:
            self._paused_at = max(0, int(at))
        elif kind is RESUMED and self._paused_at is not None:
            self._pauses.append((self._paused_at, int(at)))
            self._paused_at = None

    def blocks(self, now: float) -> list[bytearray]:
        """Return what is to be written next, of which nothing changes any more at ``now``."""
        return self._up_to(int((now - HOLD_S - self._started_at) * self._rate))

    def rest(self, ended_at: float) -> list[bytearray]:
        """Return what is left up to the end of the call."""
        return self._up_to(int((ended_at - self._started_at) * self._rate))

    def _up_to(self, end: int) -> list[bytearray]:
        made: list[bytearray] = []
        while self._until < end:
            upto = min(end, self._until + round(LONGEST_S * self._rate))
            caller, bot = self._caller.take(upto), self._bot.take(upto)
            if self._pauses or self._paused_at is not None:
                self._silence(caller, upto)
                self._silence(bot, upto)
                self._pauses = [pause for pause in self._pauses if pause[1] > upto]
            made.append(self._join(caller, bot, self._format))
            self._until = upto
        return made

    def _silence(self, audio: bytearray, upto: int) -> None:
        """Put silence into the audio of one side in each pause."""
        size = self._sample_bytes
        now = [] if self._paused_at is None else [(self._paused_at, upto)]
        for begin, end in (*self._pauses, *now):
            first, last = max(begin, self._until) - self._until, min(end, upto) - self._until
            if first < last:
                audio[first * size : last * size] = self._format.silence_of(last - first)


def _beside(caller: bytearray, bot: bytearray, audio_format: AudioFormat) -> bytearray:
    """Return both sides sample by sample, the caller first."""
    both, size = bytearray(len(caller) + len(bot)), audio_format.sample_bytes
    for byte in range(size):
        both[byte :: 2 * size] = caller[byte::size]
        both[size + byte :: 2 * size] = bot[byte::size]
    return both


def _mixed(caller: bytearray, bot: bytearray, audio_format: AudioFormat) -> bytearray:
    """Return the sum of both sides. G.711 stays as it is where the other side is silent."""
    if audio_format.encoding is Encoding.L16:
        return _sum(bytes(caller), bytes(bot), audio_format)
    silence = audio_format.silent_sample[0]
    left, right = np.frombuffer(caller, np.uint8), np.frombuffer(bot, np.uint8)
    both = (left != silence) & (right != silence)
    mixed = np.where(left == silence, right, left)
    mixed[both] = np.frombuffer(_sum(left[both].tobytes(), right[both].tobytes(), audio_format), np.uint8)
    return bytearray(mixed.tobytes())


def _sum(one: bytes, other: bytes, audio_format: AudioFormat) -> bytearray:
    total: npt.NDArray[np.int32] = g711.decode(one, audio_format).astype(np.int32)
    total = total + g711.decode(other, audio_format)
    return bytearray(g711.encode(total.clip(-32768, 32767).astype(np.int16), audio_format))
