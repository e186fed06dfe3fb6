"""Outgoing audio, paced on an absolute clock, and the ledger of what the caller has heard.

Voice Live delivers a reply many times faster than it can be spoken. The reply waits here; the provider is given a
bounded lead of it, in whole frames. A mark after every piece returns when the caller has heard up to it, and between
two marks the ear moves on at the speed of time. Positions are bytes of the outgoing stream since the call began.
"""

import math
from collections import deque

from gateway.audio.formats import AudioFormat
from gateway.call.ending import EndCall, EndReason
from gateway.call.speaking.replies import HeardReply, Reply
from gateway.phone.commands import PhoneCommand, PlayAudio, SendMark, StopPlayback
from gateway.phone.events import Playout

MARK_GRACE_S = 2.0
"""A mark that is later than this by the clock is taken as lost, and the clock is believed."""
CLOCK_GRACE_S = 0.25
"""A phone that confirms nothing may be this much later than our clock: the way there, and its own buffer."""
STALL_LIMIT_S = 5.0
"""So much audio beyond the lead without a mark that returns: the phone does not read what it is sent."""
ROUNDING = 0.01
"""Bytes by which times on a clock that has run for weeks may be off: a deadline is met at its time, not after it."""
RTT_LIMIT_S = 0.5
"""A probe that takes longer measured something else than the way there and back."""


class Playback:
    """The outgoing audio of one call. ``now`` is in seconds; the lists returned are what to ask of the phone leg."""

    def __init__(self, audio_format: AudioFormat, playout: Playout) -> None:
        self._format = audio_format
        self._playout = playout
        self._bytes_per_s = audio_format.bytes_per_ms * 1000
        self._frame = audio_format.bytes_for(playout.frame_ms)
        self._lead = audio_format.bytes_for(playout.lead_ms)
        self._refill = audio_format.bytes_for(playout.refill_ms)
        self._replies: deque[Reply] = deque()
        self._waiting: deque[tuple[Reply, bytes]] = deque()
        self._waiting_bytes = 0
        self._sent = 0
        self._anchor = (0, 0.0)
        self._run_start = (0, 0.0)
        self._marked = 0
        self._marks: dict[str, int] = {}
        self._marks_sent = 0
        self._generation = 0
        self._unconfirmed = 0
        self._probe: tuple[str, float] | None = None
        self._rtt_s = 0.0
        self._uses_marks = playout.returns_marks and not playout.marks_on_trial
        self._trial: tuple[str, float] | None = None
        self._starved = True
        self._filled_at = 0.0
        self._end_untold = False
        self._lost_upto = 0
        self.marks_lost = 0
        """Marks behind audio that the provider has not returned, more than ``MARK_GRACE_S`` after they were due."""
        self.late_frames = 0
        """Frames that were here but reached the phone after their moment: our own lateness, not the service's."""

    def add(self, reply_id: str, audio: bytes, now: float) -> list[PhoneCommand]:
        """Queue audio of a reply, and send as much as the lead has room for."""
        reply = self._reply(reply_id)
        if audio:
            reply.received_at = reply.received_at or now
            reply.received += len(audio)
            self._waiting.append((reply, audio))
            self._waiting_bytes += len(audio)
        return self._fill(now)

    def complete(self, reply_id: str | None, now: float) -> list[PhoneCommand]:
        """Note that a reply (``None``: each) is complete, so that its part frame may go, padded with silence."""
        for reply in self._replies:
            if reply_id in (None, reply.reply_id):
                reply.complete = True
        commands = self._fill(now)
        if self._end_untold and self._all_sent:
            self._end_untold = False
            commands.append(PlayAudio(b""))
        return commands

    def on_deadline(self, now: float) -> list[PhoneCommand]:
        """Top the lead up."""
        return self._fill(now)

    def next_deadline(self) -> float | None:
        """Return when the lead is to be topped up, or a reply is heard by the clock alone; ``None`` when idle."""
        if self._ready():
            return self._time_at(self._sent - self._lead + self._refill)
        if self._ready(is_dry=True):
            return self._time_at(self._sent)
        first = self._replies[0] if self._replies else None
        return self._late_end(first) if first is not None and first.complete else None

    def mark_returned(self, name: str, now: float) -> bool:
        """Note a mark that came back; return ``False`` if it is none of ours or was overtaken by ``stop``."""
        self._unconfirmed = 0
        if self._probe is not None and name == self._probe[0]:
            rtt_s = now - self._probe[1]
            self._probe = None
            if rtt_s <= RTT_LIMIT_S:
                self._rtt_s = min(rtt_s, self._rtt_s) if self._rtt_s else rtt_s
            return True
        if self._trial is not None and name == self._trial[0]:
            self._uses_marks = True
            return True
        position = self._marks.pop(name, None)
        if position is None:
            return False
        if position <= self._lost_upto:
            self.marks_lost -= 1  # it was only very late
        self._take_sample(position, now)
        return True

    def heard(self, now: float) -> list[HeardReply]:
        """Return the replies that have now been heard to their end, each once."""
        done: list[HeardReply] = []
        while self._replies and self._replies[0].complete and self._is_heard(self._replies[0], now):
            reply = self._replies.popleft()
            received_ms = self._ms(reply.received)
            done.append(HeardReply(reply.reply_id, received_ms, received_ms, timing=reply.timing))
        if done:
            self._count_lost(now)
        return done

    def stop(self, now: float) -> tuple[list[PhoneCommand], list[HeardReply]]:
        """Fall silent at once; return the commands, and how much was heard of each reply that is cut short.

        What is on its way to us and back plays on until the provider reads our ``StopPlayback``, so the measured
        round trip counts as heard. A phone plays whole frames, and a mark returns with the frame before it: on average
        half a frame of what the clock says has not been played.
        """
        self._count_lost(now)
        if not self._playout.clears:
            return self._let_play()
        grain_s = self._playout.tick_ms / 2000 if self._uses_marks else 0.0
        ear = self._ear(now + self._rtt_s - grain_s)
        cut = [self._cut(reply, ear) for reply in self._replies]
        was_playing = bool(self._marks) or self._ear(now) < self._sent
        self._replies.clear()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._marks.clear()
        self._probe = None
        if self._trial is not None and not self._uses_marks and now - self._trial[1] < RTT_LIMIT_S:
            self._trial = None  # it may have been discarded with the audio: the next run tries again
        self._generation += 1
        self._anchor = (self._sent, now)
        self._run_start = self._anchor
        self._marked = self._sent
        self._starved = True
        self._end_untold = False
        return ([StopPlayback()] if was_playing else []), cut

    def _let_play(self) -> tuple[list[PhoneCommand], list[HeardReply]]:
        """Send no more of the replies. What was sent cannot be taken back: the phone plays it, and it counts as heard.

        So the clock, the marks that are out and the room at the provider stay as they are.
        """
        cut = [
            HeardReply(reply.reply_id, self._ms(reply.sent), self._ms(reply.received), reply.complete, reply.timing)
            for reply in self._replies
        ]
        self._replies.clear()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._starved = True
        untold, self._end_untold = self._end_untold, False
        return ([PlayAudio(b"")] if untold else []), cut

    def duration_s(self, audio: bytes) -> float:
        """Return the duration of audio in the call's format."""
        return len(audio) / self._bytes_per_s

    def stalled(self) -> list[EndCall]:
        """End the call where no mark has returned of so much audio that the phone cannot be reading what it is sent."""
        confirms = self._uses_marks and self._playout.marks_return_on_the_way
        if not confirms or self._unconfirmed - self._lead < STALL_LIMIT_S * self._bytes_per_s:
            return []
        return [EndCall(EndReason.STREAM_STALLED, "provider", f"no mark came back for {STALL_LIMIT_S:g} s of audio")]

    def playing(self) -> list[HeardReply]:
        """Return the replies that are being played or wait for it, as they are when all of that was heard."""
        sizes = ((reply, self._ms(reply.received)) for reply in self._replies)
        return [HeardReply(reply.reply_id, size_ms, size_ms, reply.complete) for reply, size_ms in sizes]

    def ends_at(self, now: float) -> float:
        """Return when the caller will have heard all that is here, by the clock; not before ``now``."""
        return max(now, self._time_at(self._sent + self._waiting_bytes))

    @property
    def idle(self) -> bool:
        """``True`` if there is nothing left that the caller has not heard."""
        return not self._replies

    def is_alone(self, reply_id: str) -> bool:
        """Return ``True`` if this reply is being played or waits for it, and no other."""
        return len(self._replies) == 1 and self._replies[0].reply_id == reply_id

    def began_at(self, now: float) -> float | None:
        """Return when the reply that the caller hears, or heard last, began to be heard; ``None`` if none waits."""
        ear, began = self._ear(now), None
        for reply in self._replies:
            if reply.sent:
                began = self._time_at(reply.start)
                if ear < reply.start + reply.sent:
                    break
        return began

    def _cut(self, reply: Reply, ear: int) -> HeardReply:
        heard = min(max(ear - reply.start, 0), reply.sent) if reply.sent else 0
        return HeardReply(reply.reply_id, self._ms(heard), self._ms(reply.received), reply.complete, reply.timing)

    def _reply(self, reply_id: str) -> Reply:
        for reply in self._replies:
            if reply.reply_id == reply_id:
                return reply
        reply = Reply(reply_id)
        self._replies.append(reply)
        return reply

    def _fill(self, now: float) -> list[PhoneCommand]:
        commands: list[PhoneCommand] = []
        self._filled_at = now
        ear = self._ear(now)
        if ear >= self._sent and self._ready(is_dry=True):
            self._start_run(now, commands)
            ear = self._sent
            self._send(self._frame, commands, is_dry=True)
        room = self._lead - (self._sent - ear)
        if room > self._refill - self._frame:
            self._send(room - room % self._frame, commands)
        self._starved = not self._ready()
        return commands

    def _start_run(self, now: float, commands: list[PhoneCommand]) -> None:
        """The phone is silent: what is sent now is played now, and a mark before it comes straight back."""
        if not self._starved:
            gap_s = now - self._time_at(self._sent)
            late = math.ceil(gap_s * 1000 / self._playout.tick_ms)
            self.late_frames += late
            self._waiting[0][0].late_frames += late
        self._anchor = self._run_start = (self._sent, now)
        if self._playout.returns_marks and not self._uses_marks and self._trial is None:
            trial = self._mark_name()
            self._trial = (trial, now)
            commands.append(SendMark(trial))
        if self._uses_marks and self._playout.marks_return_at_once:
            probe = self._mark_name()
            self._probe = (probe, now)
            commands.append(SendMark(probe))

    def _send(self, size: int, commands: list[PhoneCommand], *, is_dry: bool = False) -> None:
        """Send at most ``size`` bytes (whole frames) of what waits, and a mark after it."""
        is_end = is_dry and not self._ready()
        piece = self._take(min(size, self._ready(is_dry=is_dry)))
        if not piece:
            return
        self._sent += len(piece)
        self._unconfirmed += len(piece)
        self._end_untold = self._playout.gathers and not is_end and not self._all_sent
        commands.append(PlayAudio(piece, self._end_untold))
        if self._uses_marks:
            mark = self._mark_name()
            self._marks[mark] = self._sent
            commands.append(SendMark(mark))

    def _take(self, size: int) -> bytes:
        """``size`` bytes of what waits; an end that is no whole frame is padded to one."""
        taken = bytearray()
        while len(taken) < size:
            reply, audio = self._waiting.popleft()
            room = size - len(taken)
            part = audio[:room]
            if len(audio) > room:
                self._waiting.appendleft((reply, audio[room:]))
            if not reply.sent:
                reply.start = self._sent + len(taken)
                reply.sent_at, reply.heard_at = self._filled_at, self._time_at(reply.start)
            reply.sent += len(part)
            self._waiting_bytes -= len(part)
            taken += part
        if len(taken) % self._frame:
            padding = self._frame - len(taken) % self._frame
            taken += self._format.silence(self._playout.frame_ms)[:padding]
        return bytes(taken)

    @property
    def _all_sent(self) -> bool:
        """``True`` if all of what is said has been sent, as far as is known."""
        return not self._waiting_bytes and all(reply.complete for reply in self._replies)

    def _ready(self, *, is_dry: bool = False) -> int:
        """Return how much of what waits may be sent: whole frames, and the end of what is complete.

        The part frame of a complete reply waits for the next reply, which fills it up; but no longer than until the
        phone has run dry, because that reply may bring nothing more.
        """
        if not self._waiting:
            return 0
        if self._waiting[-1][0].complete:
            return self._waiting_bytes
        whole = self._waiting_bytes - self._waiting_bytes % self._frame
        return whole if whole or not is_dry else self._complete_bytes()

    def _complete_bytes(self) -> int:
        """Return how much waits up to the last piece of a reply that is complete."""
        upto = size = 0
        for reply, audio in self._waiting:
            size += len(audio)
            if reply.complete:
                upto = size
        return upto

    def _take_sample(self, position: int, now: float) -> None:
        """Set the ear by a returned mark.

        Marks are late by jitter but never early, so an earlier reading wins; one more than a frame later than the
        clock says that the phone ran dry meanwhile, and is believed too. Audio cannot be heard faster than it lasts:
        a mark that says so confirms nothing.
        """
        start, started_at = self._run_start
        tick_s = self._playout.tick_ms / 1000
        if now < started_at + (position - start) / self._bytes_per_s - tick_s:
            return
        first_of_run = self._marked <= start
        self._marked = max(self._marked, position)
        behind_s = now - self._time_at(position)
        if first_of_run or behind_s < 0 or behind_s > tick_s:
            self._anchor = (position, now)
        for reply in self._replies:
            if reply.sent and not reply.is_confirmed and position > reply.start:
                reply.heard_at, reply.is_confirmed = self._time_at(reply.start), True

    def _count_lost(self, now: float) -> None:
        """Count the marks that are overdue, or were overtaken by a later one; each once.

        Where marks return only when all has been played, none is due before.
        """
        due = self._ear(now - MARK_GRACE_S)
        if not self._playout.marks_return_on_the_way and due < self._sent:
            return
        for position in reversed(self._marks.values()):
            if position <= self._lost_upto:
                break
            self.marks_lost += position <= due
        self._lost_upto = max(self._lost_upto, due)

    def _ear(self, now: float) -> int:
        """The position that the caller has heard up to."""
        position, at = self._anchor
        played = int((now - at) * self._bytes_per_s + ROUNDING)
        return min(self._sent, max(self._marked, position + played))

    def _time_at(self, position: int) -> float:
        anchor, at = self._anchor
        return at + (position - anchor) / self._bytes_per_s

    def _is_heard(self, reply: Reply, now: float) -> bool:
        end = reply.start + reply.sent
        if reply.sent < reply.received or self._ear(now) < end:
            return False
        return self._marked >= end or now >= self._late_end(reply)

    def _late_end(self, reply: Reply) -> float:
        """Return when a reply counts as heard although nothing confirmed it; longer where a mark is still expected."""
        end = reply.start + reply.sent
        is_marked = bool(self._marks) and next(reversed(self._marks.values())) >= end
        return self._time_at(end) + (MARK_GRACE_S if is_marked else CLOCK_GRACE_S)

    def _mark_name(self) -> str:
        self._marks_sent += 1
        return f"g{self._generation}-{self._marks_sent}"

    def _ms(self, size: int) -> int:
        return size // self._format.bytes_per_ms
