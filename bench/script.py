"""The script of every call: a greeting, then a turn about every six seconds, of which every third is a barge-in.

One call may use tools instead: two at once in every turn, as often as they come back.

A script is a generator that yields the seconds until it goes on; it never drifts, because the loop counts them from
when it was due.
"""

import base64
import itertools
import json
import random
from collections.abc import Generator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bench import events, tags
from bench.conditions import REPLY_MS
from bench.reply import Reply
from bench.tool_server import DONE, TOOLS

if TYPE_CHECKING:
    from bench.voice import Session

REPLY_S = REPLY_MS / 1000
BYTES_PER_MS = 8
WORDS_AHEAD = 5
SPEAKS_S, TRANSCRIBED_AFTER_S, ITEM_AFTER_S, AUDIO_AFTER_S, PAUSE_S = 1.2, 0.15, 0.25, 0.15, 0.7
LATE_DELTA_AFTER_S = 0.05
BARGE_IN_SHARE, CUT_SHORT_SHARE = 1 / 3, 1 / 12
LEAST_PLAYING_S = 1.0
CALLED_AFTER_S, LOOKS_AGAIN_AFTER_S = 0.05, 0.02
SHORT_ANSWER = 2
"""Deltas: a call that uses tools says little, so that they are at work most of the time."""

Script = Generator[float, None, None]


class Answer:
    """One running response: its ids and its audio, cut as the service cuts it."""

    def __init__(self, session: "Session", number: int) -> None:
        self.session = session
        self.response = b"resp_%022d" % number
        self.item = b"msg_%022d" % number
        self.reply = session.replies[tags.text_of(number)] = Reply(session.call)
        self._audio = tags.reply_audio(number, int(REPLY_S * 8000))
        self.is_over = False
        self._pace = session.pace
        self._sent_deltas = 0

    def begin(self) -> Script:
        """Send from ``response.created`` to just before the first sound."""
        self.session.send(events.response_created(self.response))
        yield ITEM_AFTER_S
        self.session.send(events.item_added(self.response, self.item))
        self.session.send(events.words(self.response, self.item, 0, WORDS_AHEAD))
        yield AUDIO_AFTER_S

    def speak(self, deltas: int | None = None) -> Script:
        """Send ``deltas`` deltas at their pace, or all of them, the words ahead of the sound."""
        for _ in range(len(self._pace.deltas_ms) if deltas is None else deltas):
            size_ms = self.send_delta()
            yield self._pace.wait_s(self.reply.sent // BYTES_PER_MS, size_ms)

    def send_delta(self) -> int:
        """Send the next delta; returns its length in milliseconds."""
        number, size_ms = self._sent_deltas, self._pace.deltas_ms[self._sent_deltas]
        start = self.reply.sent
        data = events.audio(
            self.response, self.item, base64.b64encode(self._audio[start : start + size_ms * BYTES_PER_MS])
        )
        if number == 0:
            self.reply.sent_from = perf_counter()
            self.reply.ends_at = self.reply.sent_from + REPLY_S
        self.session.send(data)
        if words := events.words(self.response, self.item, WORDS_AHEAD + number, WORDS_AHEAD + number + 1):
            self.session.send(words)
        self.reply.sent += size_ms * BYTES_PER_MS
        self._sent_deltas += 1
        return size_ms

    def end(self) -> None:
        """Send the burst that closes the response."""
        self.is_over = True
        self.session.send(events.response_ended(self.response, self.item))

    def cancel(self) -> Script:
        """Send what the service still sends after the caller's speech has cancelled the response."""
        yield LATE_DELTA_AFTER_S
        self.send_delta()
        self.is_over = True
        self.session.send(events.response_cancelled(self.response, self.item))


class ToolTurn:
    """A response that calls every tool at once, and what the client has yet to do about it."""

    def __init__(self, session: "Session", number: int) -> None:
        self.session = session
        self.response = b"resp_%022d" % number
        self.is_answer_due = False
        self._calls = [
            events.FunctionCall(b"item_f%020d%d" % (number, index), name.encode(), b"call_%015d%d" % (number, index))
            for index, name in enumerate(TOOLS)
        ]
        self._missing: set[str] = set()
        self._is_over = False

    def begin(self) -> Script:
        """Send from ``response.created`` to ``response.done``."""
        self.session.send(events.response_created(self.response))
        for index, call in enumerate(self._calls):
            yield CALLED_AFTER_S
            self._missing.add(call.call_id.decode())
            self.session.send(events.function_called(self.response, index, call))
        self._is_over = True
        self.session.send(events.calls_ended(self.response, self._calls))

    def returned(self, item: dict[str, Any]) -> str:
        """Take the item that the client adds; return what is wrong with it, or nothing."""
        if item.get("type") != "function_call_output" or item.get("call_id") not in self._missing:
            return "item that is no output of a function called"
        self._missing.remove(item["call_id"])
        self.session.send(events.output_created(item))
        if json.loads(item["output"]) != json.loads(DONE):
            return "output that is not the tool's"
        self.session.service.outputs += 1
        return ""

    def asked(self) -> str:
        """Take the client's request for a response; return what is wrong with it, or nothing."""
        if self._missing or not self._is_over:
            return "response.create before every output"
        if self.is_answer_due:
            return "second response.create for the same outputs"
        self.is_answer_due = True
        return ""


def whole_call(session: "Session") -> Script:
    """Run a call from the first ``response.create`` on; its number is known after the greeting at the latest."""
    chance = random.Random(session.number)  # the same calls in every trial
    greeting = session.answer()
    yield from greeting.begin()
    yield from greeting.speak()
    greeting.end()
    yield session.pace.plays_on_s + PAUSE_S + chance.random()
    yield from (tool_user if session.uses_tools else conversation)(session, greeting, chance)


def _caller_turn(session: "Session", turn: int, over: Answer) -> Script:
    """Run the caller's speech from its start to its transcript; an answer that it cuts short ends meanwhile."""
    item = b"item_%010d%012d" % (session.number, turn)
    session.caller_speaks(item, over)
    if not over.is_over:
        yield from over.cancel()
    yield SPEAKS_S
    session.turn_over_at = perf_counter()
    session.send(events.caller_turn(item, session.received_ms, b"null"))
    yield TRANSCRIBED_AFTER_S
    session.send(events.transcribed(item))


def conversation(session: "Session", answer: Answer, chance: random.Random) -> Script:
    """Turn after turn, the bot speaking somewhat more than half of the time."""
    for turn in itertools.count():
        yield from _caller_turn(session, turn, answer)
        answer = session.answer()
        yield from answer.begin()
        kind = chance.random()
        plays_on_s = session.pace.plays_on_s
        if kind < CUT_SHORT_SHARE:
            yield from answer.speak(chance.randrange(2, 6))
            continue
        if kind < BARGE_IN_SHARE and plays_on_s < LEAST_PLAYING_S:  # it has been generated when it has been heard
            yield from answer.speak(chance.randrange(6, len(session.pace.deltas_ms)))
            continue
        yield from answer.speak()
        answer.end()
        if kind < BARGE_IN_SHARE:
            yield chance.uniform(0.1, plays_on_s - 0.5)
        else:
            yield plays_on_s + PAUSE_S + chance.random()


def tool_user(session: "Session", answer: Answer, _chance: random.Random) -> Script:
    """Call every tool at once in each turn, and answer shortly when the client has all outputs in and asks for it."""
    for turn in itertools.count():
        yield from _caller_turn(session, turn, answer)
        tools = session.tool_turn()
        yield from tools.begin()
        while not tools.is_answer_due:
            yield LOOKS_AGAIN_AFTER_S
        answer = session.answer()
        yield from answer.begin()
        yield from answer.speak(SHORT_ANSWER)
        answer.end()
        yield PAUSE_S
