"""Finds out if the provider is still there, by whatever comes from it. Pure."""

import math

from gateway.call.ending import EndCall, EndReason
from gateway.phone.commands import AskForLife


class Liveness:
    """Minds how long nothing has come from the provider. Times are in seconds; ``audio_at`` is when audio came last.

    A phone whose owner is silent may send nothing for minutes, and a lost one sends nothing either. So it is asked
    after half of the limit, and given the other half to answer. ``no_audio_s`` is the limit for one that answers, and
    sends no audio.
    """

    def __init__(self, limit_s: float, now: float, no_audio_s: float = math.inf) -> None:
        self._limit_s = limit_s
        self._no_audio_s = no_audio_s
        self._asked_at = -math.inf
        self._life_at = now

    def note_life(self, now: float) -> None:
        """Note that something other than audio has come."""
        self._life_at = now

    def next_deadline(self, audio_at: float) -> float:
        """Return when ``on_deadline`` is due."""
        last_at = max(self._life_at, audio_at)
        return min(max(self._asked_at, last_at) + self._limit_s / 2, audio_at + self._no_audio_s)

    def on_deadline(self, now: float, audio_at: float) -> list[AskForLife | EndCall]:
        """Ask, or end the call where that was answered by nothing."""
        if now < self.next_deadline(audio_at):
            return []
        if now >= audio_at + self._no_audio_s:
            detail = f"no audio from the provider for {self._no_audio_s:g} s, although its stream is alive"
            return [EndCall(EndReason.STREAM_LOST, "provider", detail)]
        if self._asked_at > max(self._life_at, audio_at):
            detail = f"no audio from the provider for {self._limit_s:g} s"
            return [EndCall(EndReason.STREAM_LOST, "provider", detail)]
        self._asked_at = now
        return [AskForLife()]
