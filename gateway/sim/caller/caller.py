"""The rules by which the simulated caller speaks: a pure object, with time as an argument."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.sim.caller.keys import KEY_GAP_MS, Press
from gateway.sim.caller.recording import Recording
from gateway.sim.phone.wire import Party


@dataclass(frozen=True)
class Utterance:
    """The caller's next words: after the bot's turn or, with ``interrupt_after_ms``, in the middle of it.

    ``interrupt_after_ms`` counts from when the bot became audible. A reply shorter than that is not interrupted: the
    caller speaks after it.
    """

    recording: Recording
    interrupt_after_ms: int | None = None


@dataclass(frozen=True)
class Patience:
    """The time that the caller waits: for a greeting, for a reply, and for the bot to go on after it fell silent."""

    greeting_s: float = 8.0
    reply_s: float = 20.0
    turn_gap_s: float = 0.7


@dataclass(frozen=True)
class Speak:
    """Say this utterance now. ``note`` names what was out of the ordinary, if anything was."""

    utterance: Utterance
    note: str = ""


@dataclass(frozen=True)
class PressKey:
    """Press this key now. ``note`` as in :class:`Speak`."""

    digit: str = field(repr=False)
    note: str = ""


@dataclass(frozen=True)
class HangUp:
    """End the call now, for the given reason."""

    reason: str
    note: str = ""


class Caller:
    """A caller who says the utterances one after the other, each when the bot's turn allows it, then hangs up.

    ``presses`` without a time are turns of the caller after all utterances; those with one come then, whatever goes
    on. The caller hangs up after the last key at the earliest, and waits for what the bot says next.
    With ``hang_up_by="gateway"`` it waits after its last turn for the gateway to end the call, as long as it would wait
    for a reply. :meth:`hear` is called once a frame.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        *,
        presses: Sequence[Press] = (),
        patience: Patience | None = None,
        hang_up_by: Party = "caller",
    ) -> None:
        self._turns: list[Utterance | Press] = [*utterances, *(one for one in presses if one.at_ms is None)]
        self._groups: list[tuple[float, str]] = []
        """Keys whose time is known and has not come, the next ones first."""
        for one in presses:
            if one.at_ms is not None:
                self._add_keys(one, one.at_ms)
        self._pressing = ""
        """The rest of the keys that are being pressed; others wait until it is done."""
        self._next_key_ms = 0.0
        self._patience = patience or Patience()
        self._hang_up_by = hang_up_by
        self._waiting_for = "greeting"
        self._said = 0
        self._speech_ends_ms = 0.0
        self._recording_ends_ms = 0.0
        self._bot_played_at_ms: float | None = None
        self._bot_audible_since_ms: float | None = None
        self._old_words = False
        """``True`` while the bot still says what it had begun before the last key."""

    def hear(self, now_ms: float, *, playing: bool, audible: bool) -> Speak | PressKey | HangUp | None:
        """Return what to do after this frame of the bot.

        ``playing``: the gateway's audio was in the frame, or more of it is queued; ``audible``: it was not silence.
        """
        self._listen(now_ms, playing=playing, audible=audible)
        if self._key_is_due(now_ms):
            return self._press(now_ms, playing=playing)
        if now_ms < self._recording_ends_ms:
            return None
        if self._interrupts(now_ms, playing=playing):
            return self._next(now_ms)
        if self._turn_is_over(now_ms, playing=playing):
            return self._next(now_ms)
        if self._is_out_of_patience(now_ms):
            return self._next(now_ms, f"no {self._waiting_for} within {self._limit_s:g} s")
        return None

    def _listen(self, now_ms: float, *, playing: bool, audible: bool) -> None:
        self._old_words = self._old_words and playing
        if self._old_words:
            self._speech_ends_ms = now_ms
        elif now_ms >= self._speech_ends_ms:  # what the bot said while the caller spoke is no answer
            if playing:
                self._bot_played_at_ms = now_ms
            if audible and self._bot_audible_since_ms is None:
                self._bot_audible_since_ms = now_ms

    def _add_keys(self, presses: Press, from_ms: float) -> None:
        self._groups.append((from_ms, presses.keys))
        self._groups.sort(key=lambda group: group[0])

    def _key_is_due(self, now_ms: float) -> bool:
        if not self._pressing and self._groups and now_ms >= self._groups[0][0]:
            self._pressing = self._groups.pop(0)[1]
        return bool(self._pressing) and now_ms >= self._next_key_ms

    @property
    def _keys_are_left(self) -> bool:
        return bool(self._pressing or self._groups)

    def _press(self, now_ms: float, *, playing: bool, note: str = "") -> PressKey:
        digit, self._pressing = self._pressing[0], self._pressing[1:]
        self._next_key_ms = now_ms + KEY_GAP_MS
        if not self._keys_are_left and self._said == len(self._turns):
            self._wait_for_reply(now_ms, now_ms + KEY_GAP_MS)
            self._old_words = playing
        return PressKey(digit, note)

    def _wait_for_reply(self, speech_ends_ms: float, recording_ends_ms: float) -> None:
        self._waiting_for = "reply"
        self._speech_ends_ms, self._recording_ends_ms = speech_ends_ms, recording_ends_ms
        self._bot_played_at_ms = self._bot_audible_since_ms = None

    @property
    def _limit_s(self) -> float:
        return self._patience.greeting_s if self._waiting_for == "greeting" else self._patience.reply_s

    def _interrupts(self, now_ms: float, *, playing: bool) -> bool:
        if self._said == len(self._turns) or self._bot_audible_since_ms is None or not playing:
            return False
        turn = self._turns[self._said]
        after_ms = turn.interrupt_after_ms if isinstance(turn, Utterance) else None
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

    def _next(self, now_ms: float, note: str = "") -> Speak | PressKey | HangUp | None:
        if self._said < len(self._turns):
            turn = self._turns[self._said]
            self._said += 1
            if isinstance(turn, Press):
                return self._key_in(now_ms, turn, note)
            recording = turn.recording
            self._wait_for_reply(now_ms + recording.speech_end_ms, now_ms + recording.duration_ms)
            silent = "" if recording.speech else f"there is no speech in {recording.name}"
            return Speak(turn, "; ".join(filter(None, (note, silent))))
        if self._keys_are_left:
            return None
        if self._hang_up_by == "gateway" and self._waiting_for != "hang-up":
            self._waiting_for = "hang-up"
            self._recording_ends_ms = now_ms
            return None
        return HangUp("the caller said everything", note)

    def _key_in(self, now_ms: float, presses: Press, note: str) -> PressKey | None:
        """Begin a turn of keys: at once, or after those that are being pressed."""
        self._add_keys(presses, now_ms)
        last_ms = now_ms + (len(presses.keys) - 1) * KEY_GAP_MS
        self._wait_for_reply(last_ms, last_ms + KEY_GAP_MS)
        return self._press(now_ms, playing=False, note=note) if self._key_is_due(now_ms) else None
