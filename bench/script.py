"""What happens in every call: a greeting, then a turn about every six seconds, of which every third is a barge-in.

A script is a generator that yields the seconds until it goes on; it never drifts, because the loop counts them from
when it was due.
"""

import base64
import itertools
import random
from collections.abc import Generator
from time import perf_counter
from typing import TYPE_CHECKING

from bench import events, tags
from bench.reply import Reply

if TYPE_CHECKING:
    from bench.voice import Session

DELTAS_MS = (200, 300, 500, 500, 500, 500, 500, 500, 500, 20)
REPLY_S = sum(DELTAS_MS) / 1000
TIMES_REAL_TIME = 16
PLAYS_ON_S = REPLY_S - REPLY_S / TIMES_REAL_TIME
BYTES_PER_MS = 8
WORDS_AHEAD = 5
SPEAKS_S, TRANSCRIBED_AFTER_S, ITEM_AFTER_S, AUDIO_AFTER_S, PAUSE_S = 1.2, 0.15, 0.25, 0.15, 0.7
LATE_DELTA_AFTER_S = 0.05
BARGE_IN_SHARE, CUT_SHORT_SHARE = 1 / 3, 1 / 12

Script = Generator[float, None, None]


class Answer:
    """One response under way: its ids and its audio, cut as the service cuts it."""

    def __init__(self, session: "Session", number: int) -> None:
        self.session = session
        self.response = b"resp_%022d" % number
        self.item = b"msg_%022d" % number
        self.reply = session.replies[tags.text_of(number)] = Reply(session.call)
        self._audio = tags.reply_audio(number, int(REPLY_S * 8000))
        self.is_over = False
        self._sent_deltas = 0

    def begin(self) -> Script:
        """From ``response.created`` to just before the first sound."""
        self.session.send(events.response_created(self.response))
        yield ITEM_AFTER_S
        self.session.send(events.item_added(self.response, self.item))
        self.session.send(events.words(self.response, self.item, 0, WORDS_AHEAD))
        yield AUDIO_AFTER_S

    def speak(self, deltas: int = len(DELTAS_MS)) -> Script:
        """Send ``deltas`` deltas at their pace, the words ahead of the sound."""
        for _ in range(deltas):
            size_ms = self.send_delta()
            yield size_ms / 1000 / TIMES_REAL_TIME

    def send_delta(self) -> int:
        """Send the next delta; returns its length in milliseconds."""
        number, size_ms = self._sent_deltas, DELTAS_MS[self._sent_deltas]
        start = self.reply.sent
        data = events.audio(
            self.response, self.item, base64.b64encode(self._audio[start : start + size_ms * BYTES_PER_MS])
        )
        if number == 0:
            self.reply.sent_from = perf_counter()
            self.reply.ends_at = self.reply.sent_from + REPLY_S
        self.session.send(data)
        self.session.send(events.words(self.response, self.item, WORDS_AHEAD + number, WORDS_AHEAD + number + 1))
        self.reply.sent += size_ms * BYTES_PER_MS
        self._sent_deltas += 1
        return size_ms

    def end(self) -> None:
        """The closing burst."""
        self.is_over = True
        self.session.send(events.response_ended(self.response, self.item))

    def cancel(self) -> Script:
        """What the service still says after the caller's speech has cancelled the response."""
        yield LATE_DELTA_AFTER_S
        self.send_delta()
        self.is_over = True
        self.session.send(events.response_cancelled(self.response, self.item))


def conversation(session: "Session") -> Script:
    """The whole call, from the first ``response.create`` on."""
    chance = random.Random(session.number)  # the same calls in every trial
    answer = session.answer()
    yield from answer.begin()
    yield from answer.speak()
    answer.end()
    yield PLAYS_ON_S + PAUSE_S + chance.random()
    is_cut_short = False
    for turn in itertools.count():
        item = b"item_%010d%012d" % (session.number, turn)
        session.hear(item, answer)
        if is_cut_short:
            yield from answer.cancel()
        yield SPEAKS_S
        session.send(events.caller_turn(item, session.heard_ms, b"null"))
        yield TRANSCRIBED_AFTER_S
        session.send(events.transcribed(item))
        answer = session.answer()
        yield from answer.begin()
        kind = chance.random()
        is_cut_short = kind < CUT_SHORT_SHARE
        if is_cut_short:
            yield from answer.speak(chance.randrange(2, 6))
            continue
        yield from answer.speak()
        answer.end()
        if kind < BARGE_IN_SHARE:
            yield chance.uniform(0.1, PLAYS_ON_S - 0.5)
        else:
            yield PLAYS_ON_S + PAUSE_S + chance.random()
