"""When the simulated caller speaks: a listener's manners as a pure object, time as an argument."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.sim.keys import Press
from gateway.sim.recording import Recording
from gateway.sim.wire import Party


@dataclass(frozen=True)
class Utterance:
    """What the caller says next: once the bot's turn is over or, with ``interrupt_after_ms``, in the middle of it.

    ``interrupt_after_ms`` counts from when the bot became audible. A reply shorter than that is not interrupted: the
    caller speaks after it.
    """

    recording: Recording
    interrupt_after_ms: int | None = None


@dataclass(frozen=True)
class Patience:
    """How long the caller waits: for a greeting, for a reply, and for the bot to go on after it fell silent."""

    greeting_s: float = 8.0
    reply_s: float = 20.0
    turn_gap_s: float = 0.7


@dataclass(frozen=True)
class Speak:
    """Say this utterance now. ``note`` tells what was out of the ordinary, if anything was."""

    utterance: Utterance
    note: str = ""


@dataclass(frozen=True)
class PressKeys:
    """Press these keys now."""

    press: Press
    note: str = ""


@dataclass(frozen=True)
class HangUp:
    """End the call now, and why."""

    reason: str
    note: str = ""


class Caller:
    """Says its utterances and presses its keys one after the other, each when the bot's turn allows it, then hangs up.

    With ``hang_up_by="gateway"`` it waits after its last turn for the gateway to end the call, as long as it would wait
    for a reply. :meth:`hear` is called once a frame.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance | Press],
        *,
        patience: Patience | None = None,
        hang_up_by: Party = "caller",
    ) -> None:
        self._utterances = list(utterances)
        self._patience = patience or Patience()
        self._hang_up_by = hang_up_by
        self._waiting_for = "greeting"
        self._said = 0
        self._speech_ends_ms = 0.0
        self._recording_ends_ms = 0.0
        self._bot_played_at_ms: float | None = None
        self._bot_audible_since_ms: float | None = None

    def hear(self, now_ms: float, *, playing: bool, audible: bool) -> Speak | PressKeys | HangUp | None:
        """What to do after this frame of the bot.

        ``playing``: the gateway's audio was in the frame, or more of it is queued; ``audible``: it was not silence.
        """
        if now_ms >= self._speech_ends_ms:  # what the bot said while the caller spoke is no answer
            if playing:
                self._bot_played_at_ms = now_ms
            if audible and self._bot_audible_since_ms is None:
                self._bot_audible_since_ms = now_ms
        if now_ms < self._recording_ends_ms:
            return None
        if self._interrupts(now_ms, playing=playing):
            return self._next(now_ms)
        if self._turn_is_over(now_ms, playing=playing):
            return self._next(now_ms)
        if self._is_out_of_patience(now_ms):
            return self._next(now_ms, f"no {self._waiting_for} within {self._limit_s:g} s")
        return None

    @property
    def _limit_s(self) -> float:
        return self._patience.greeting_s if self._waiting_for == "greeting" else self._patience.reply_s

    def _interrupts(self, now_ms: float, *, playing: bool) -> bool:
        if self._said == len(self._utterances) or self._bot_audible_since_ms is None or not playing:
            return False
        following = self._utterances[self._said]
        after_ms = following.interrupt_after_ms if isinstance(following, Utterance) else None
        return after_ms is not None and now_ms - self._bot_audible_since_ms >= after_ms

    def _turn_is_over(self, now_ms: float, *, playing: bool) -> bool:
        if playing or self._bot_played_at_ms is None or self._waiting_for == "hang-up":
            return False
        return now_ms - self._bot_played_at_ms >= self._patience.turn_gap_s * 1000

    def _is_out_of_patience(self, now_ms: float) -> bool:
        waiting_since_ms = max(self._recording_ends_ms, self._speech_ends_ms)
        if self._bot_played_at_ms is not None:
            if self._waiting_for != "hang-up":
                return False
            waiting_since_ms = max(waiting_since_ms, self._bot_played_at_ms)
        return now_ms - waiting_since_ms >= self._limit_s * 1000

    def _next(self, now_ms: float, note: str = "") -> Speak | PressKeys | HangUp | None:
        if self._said < len(self._utterances):
            utterance = self._utterances[self._said]
            self._said += 1
            self._waiting_for = "reply"
            self._bot_played_at_ms = self._bot_audible_since_ms = None
            if isinstance(utterance, Press):
                self._speech_ends_ms = self._recording_ends_ms = now_ms + utterance.duration_ms
                return PressKeys(utterance, note)
            self._speech_ends_ms = now_ms + utterance.recording.speech_end_ms
            self._recording_ends_ms = now_ms + utterance.recording.duration_ms
            silent = "" if utterance.recording.speech else f"there is no speech in {utterance.recording.name}"
            return Speak(utterance, "; ".join(filter(None, (note, silent))))
        if self._hang_up_by == "gateway" and self._waiting_for != "hang-up":
            self._waiting_for = "hang-up"
            self._recording_ends_ms = now_ms
            return None
        return HangUp("said everything", note)
