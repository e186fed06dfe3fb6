"""The caller's audio on its way to the service: kept, passed on, silenced or let go. Pure."""

import math
from collections.abc import Sequence
from typing import TypeGuard, get_args

from gateway.audio.formats import AudioFormat
from gateway.call import notes
from gateway.call.caller_clock import AHEAD_LIMIT_S, CallerClock
from gateway.call.ending import EndCall, EndReason
from gateway.call.liveness import Liveness
from gateway.call.notes import Note
from gateway.call.settings import CONNECT_BUFFER_S, SILENCED_TAIL_S
from gateway.phone.commands import AskForLife
from gateway.phone.events import (
    DigitPressed,
    MalformedMessage,
    MarkReturned,
    OddMessage,
    SignOfLife,
    UnknownMessage,
)
from gateway.voice.commands import SendAudio

SignOfTheProvider = MarkReturned | DigitPressed | SignOfLife | UnknownMessage | MalformedMessage | OddMessage
_SIGNS = frozenset(get_args(SignOfTheProvider))
FLOOD = EndCall(EndReason.STREAM_BROKEN, "provider", f"more than real time and {AHEAD_LIMIT_S:g} s of audio or keys")
LATE = notes.OddMessage("phone", "audio that came late, after a pause that had been filled")


def is_sign_of_life(event: object) -> TypeGuard[SignOfTheProvider]:
    """Return ``True`` if an event, other than audio, says that the provider is there."""
    return type(event) in _SIGNS


class CallerStream:
    """The caller's audio, fifty times a second: kept until the session is there, and silenced where nobody may listen.

    Pauses of the stream are silence too. Times are in seconds.
    """

    def __init__(
        self,
        audio_format: AudioFormat,
        now: float,
        silence_limit_s: float = 15.0,
        no_audio_limit_s: float = math.inf,
        *,
        keeps_turns: bool = False,
    ) -> None:
        self._format = audio_format
        self._most_kept = audio_format.bytes_for(int(CONNECT_BUFFER_S * 1000))
        self._keeps_turns = keeps_turns
        self._early: bytearray | None = bytearray()
        """The audio for a session that is not there yet, or for the one that may come after a loss."""
        self._passes_on = False
        """``True`` if what is kept is also passed on: a turn whose words are not known yet."""
        self._silenced_until = -math.inf
        self._noted_late = False
        self._clock = CallerClock(audio_format, now)
        self._liveness = Liveness(silence_limit_s, now, no_audio_limit_s)

    @property
    def last_at(self) -> float:
        """The time at which audio came last."""
        return self._clock.last_at

    @property
    def received_s(self) -> float:
        """Seconds of audio that came."""
        return self._clock.received_s

    @property
    def is_private(self) -> bool:
        """``True`` while the service hears silence in place of the caller."""
        return self._silenced_until == math.inf

    def receive(self, audio: bytes, now: float) -> bytes | EndCall | Note | None:
        """Return what this piece of audio leads to: itself for the service, or silence as long while nobody listens.

        An empty piece is only a sign of life of the provider: the service would refuse it. A piece that comes too late
        is let go. What comes faster than anybody speaks ends the call.
        """
        if not audio:
            self._liveness.note_life(now)
            return None
        if not self._clock.count(len(audio), now):
            return self._let_go()
        if now < self._silenced_until:
            audio = self._format.silence_for(audio)
        if self._early is not None:
            self._early += audio
            if len(self._early) > self._most_kept:
                self._cut(self._early)
            if not self._passes_on:
                return None
        return audio

    def note_life(self, now: float) -> None:
        """Note that the provider is there."""
        self._liveness.note_life(now)

    def note_sign(self, event: SignOfTheProvider, now: float) -> Sequence[EndCall]:
        """Note that the provider is there, whatever it says. More keys than anybody can press end the call."""
        self._liveness.note_life(now)
        if type(event) is DigitPressed:
            self._clock.count_key(now)
        return (FLOOD,) if self._clock.is_flooded else ()

    def next_deadline(self) -> float:
        """Return when ``on_deadline`` is due: at once, where a pause that is over was not noted yet."""
        if self._clock.paused_s:
            return self._clock.last_at
        return min(self._clock.next_deadline(), self._liveness.next_deadline(self._clock.last_at))

    def _let_go(self) -> EndCall | Note | None:
        """Note audio that is not passed on, once a call."""
        if self._clock.is_flooded:
            return FLOOD
        noted, self._noted_late = self._noted_late, True
        return None if noted else LATE

    def on_deadline(self, now: float) -> Sequence[SendAudio | AskForLife | EndCall | Note]:
        """Fill a pause of the stream up to ``now``; ask a silent provider for a sign of life, or give it up.

        A pause that is over is noted.
        """
        asked = self._liveness.on_deadline(now, self._clock.last_at)
        paused = [notes.StreamPaused(round(self._clock.paused_s * 1000))] if self._clock.paused_s else []
        self._clock.paused_s = 0.0
        silence = self._clock.on_deadline(now)
        if silence and self._early is not None:
            self._early += silence
            self._cut(self._early)
            silence = silence if self._passes_on else b""
        return (*([SendAudio(silence)] if silence else ()), *paused, *asked)

    def turn_begun(self) -> None:
        """Keep the turn that the caller begins until its words are known: the session may be lost before."""
        if self._keeps_turns and self._early is None:
            self._early, self._passes_on = bytearray(), True

    def turn_known(self) -> None:
        """Let go of a turn whose words are known, or that was answered."""
        if self._passes_on:
            self._early, self._passes_on = None, False

    def lost(self) -> bool:
        """Keep what the caller says until a session is ready; return ``True`` if a turn of theirs is kept already."""
        is_kept = self._passes_on and bool(self._early)
        if not self._passes_on and self._early is not None:
            return False
        self._early, self._passes_on = self._early or bytearray(), False
        return is_kept

    def connected(self) -> Sequence[SendAudio]:
        """Return the last seconds that the caller said before the session was ready, unless nobody may listen."""
        early, self._early = self._early, None
        return (SendAudio(bytes(early)),) if early and self._silenced_until < math.inf else ()

    def set_private(self, *, private: bool, now: float) -> None:
        """Send silence in place of the caller while something is ``private``, and a little longer."""
        if private:
            self._silenced_until = math.inf
        elif self._silenced_until == math.inf:
            self._silenced_until = now + SILENCED_TAIL_S

    def _cut(self, early: bytearray) -> None:
        """Let go of the oldest whole samples that are too many to be kept."""
        if (excess := len(early) - self._most_kept) > 0:
            del early[: excess + excess % self._format.sample_bytes]
