"""What the service is told of a reply, against what the phone really played of it."""

import asyncio
import random
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.audio.formats import PCMU
from gateway.sim.emulator import Script, Session
from gateway.sim.emulator.script import Latency, Turn
from gateway.sim.emulator.speaking.words import word_times
from tests.e2e.ear import KeepingPlayout
from tests.e2e.rig import NUMBER, Rig, configuration, instant, noise, rig, session_of
from tests.twilio_phone import SimulatedTwilio, Tick
from tests.virtual_time import in_virtual_time

CALLS = 20
ROUNDS = 12
"""Barge-ins of each call."""
FRAME_MS = 20
NEXT_TO_NOTHING_MS = 100
"""A reply of which the caller heard less is not truncated."""
FRAME = PCMU.bytes_for(FRAME_MS)
KINDS = ("before the first delta", "mid-generation", "after done", "at the very end")
NATIVE = "+14255550101"
LINES = {
    name: f'numbers: ["{number}"]\ninstructions: Talk.\nmodel: {model}\nvoice: en-US-AvaNeural\n'
    for name, number, model in (("cascaded", NUMBER, "gpt-4.1"), ("native", NATIVE, "gpt-realtime"))
}


def text(number: int) -> str:
    """What the bot says in round ``number``; hardly ever a whole number of frames."""
    return f"{1500 + 87.125 * (number * 7 % 11)} ms of reply {number}"


async def spoken(number: int) -> bytes:
    """The audio of round ``number``."""
    return await noise(text(number), PCMU)


@dataclass(frozen=True)
class Moment:
    """A moment at which the caller spoke: how far the round's response had come, by the service's account."""

    round: int
    deltas: int
    done: bool


class Caller:
    """A caller who speaks over each reply, each time at another moment."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._ticked = asyncio.Event()
        self.number = (NUMBER, NATIVE)[seed % 2]
        self.playout = KeepingPlayout(PCMU)
        self.moments: list[Moment] = []
        self.phone: SimulatedTwilio
        self.session: Session

    async def call(self, rig: Rig) -> None:
        """Speak, wait for the reply, speak over it, and so on."""
        async with SimulatedTwilio.connect(
            rig.stream_url, to=self.number, on_tick=lambda _: self._ticked.set()
        ) as self.phone:
            self.phone.playout = self.playout
            self.session = await session_of(rig, self.phone.call_sid)
            await self.session.speech_started()
            for number in range(1, ROUNDS + 1):
                await self._round(number)

    def _tick(self, _: Tick) -> None:
        self._ticked.set()

    async def _round(self, number: int) -> None:
        kind = KINDS[(number + self._chance.randrange(2)) % 4]
        await self.session.speech_stopped()
        await self._moment(kind, number)
        deltas = self.session_count("response.audio.delta", number)
        done = bool(self.session_count("response.done", number))
        await self.session.speech_started()
        await self.session.until(lambda _: self.session_count("response.done", number))
        await self._settled()
        self.moments.append(Moment(number, deltas, done))

    def session_count(self, kind: str, number: int) -> int:
        """Events of this kind that the service sent about the response of round ``number``."""
        responses = self.responses
        if len(responses) < number:
            return 0
        about = responses[number - 1]
        events = [record.event for record in self.session.sent if record.type == kind]
        return sum(event.get("response_id", event.get("response", {}).get("id")) == about for event in events)

    @property
    def responses(self) -> list[str]:
        """The responses of the rounds, in order."""
        return [r.event["response"]["id"] for r in self.session.sent if r.type == "response.created"]

    async def _moment(self, kind: str, number: int) -> None:
        """Return at some moment of this kind in reply ``number``."""
        chance = self._chance
        if kind == "before the first delta":
            await asyncio.sleep(chance.uniform(0, 0.15))
            return
        await self.session.until(lambda _: self.session_count("response.audio.delta", number))
        if kind == "mid-generation":
            await asyncio.sleep(chance.uniform(0, 0.35))
            return
        await self.session.until(lambda _: self.session_count("response.done", number))
        audio = len(await spoken(number))
        start = self.playout.stream.find((await spoken(number))[:FRAME])
        later = int(audio * chance.uniform(0.3, 0.95)) if kind == "after done" else audio - FRAME * chance.randrange(4)
        await self._played(start + later)
        await asyncio.sleep(chance.uniform(0, FRAME_MS / 1000))

    async def _played(self, position: int) -> None:
        while self.playout.added_bytes - self.playout.queued_bytes < position:
            self._ticked.clear()
            await self._ticked.wait()

    async def _settled(self) -> None:
        """What the gateway says about an event is in front of the audio that follows."""
        arrived = self.session.appended_bytes
        await self.session.until(lambda session: session.appended_bytes >= arrived + 3 * FRAME)


@dataclass(frozen=True)
class Fate:
    """What became of the reply of a round, in bytes: ``sent`` to the phone, ``played`` by it, out of ``whole``.

    ``told`` is what the service was told, in milliseconds; ``words`` are those that the gateway knows to be heard.
    """

    moment: Moment
    whole: int
    sent: int
    played: int
    told: int | None
    words: str = ""

    @property
    def kind(self) -> str:
        """Which of the four kinds of barge-in it was, by what had really happened."""
        if not self.moment.deltas:
            return KINDS[0]
        if not self.moment.done:
            return KINDS[1]
        return KINDS[3] if self.whole - self.played <= 5 * FRAME else KINDS[2]


async def fates(caller: Caller, rig: Rig) -> list[Fate]:
    """Take the phone's stream apart into the replies of the rounds; every byte has to be accounted for.

    A reply is known by its content. Where a clear cut one short, the next byte behind the clear has to be of a later
    reply, or the stream cannot be taken apart.
    """
    clears = deque((clear.position, clear.cleared.position) for clear in caller.phone.clears if clear.cleared)
    clears.append((len(caller.playout.stream), caller.playout.added_bytes - caller.playout.queued_bytes))
    truncated = {
        record.event["item_id"]: record.event["audio_end_ms"]
        for record in caller.session.received
        if record.type == "conversation.item.truncate"
    }
    deltas = [record.event for record in caller.session.sent if record.type == "response.audio.delta"]
    items = {delta["response_id"]: delta["item_id"] for delta in deltas}
    words = {note["item_id"]: str(note["text"]) for note in rig.fields(caller.phone.call_sid, "reply_heard")}
    at, found = 0, []
    for moment in caller.moments:
        audio = await spoken(moment.round)
        response = caller.responses[moment.round - 1]
        told, known = truncated.pop(items.get(response), None), words.get(items.get(response), "")
        while clears[0][0] <= at < len(caller.playout.stream):
            clears.popleft()
        end, played = clears[0]
        size = min(len(audio), end - at)
        if not size or caller.playout.stream[at : at + size] != audio[:size]:
            found.append(Fate(moment, len(audio), 0, 0, told, known))
            continue
        found.append(Fate(moment, len(audio), size, min(played - at, size), told, known))
        at += size
        if size == len(audio):
            padding = -len(audio) % FRAME
            assert caller.playout.stream[at : at + padding] in (b"\xff" * padding, b"")
            at += padding
    assert at == len(caller.playout.stream), f"{len(caller.playout.stream) - at} bytes belong to no reply"
    assert not truncated, "an item was truncated that was none of the replies, or twice"
    return found


def test_what_was_heard_is_told_to_the_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """240 seeded barge-ins of four kinds: truncated within 20 ms of what was played, and its words are known."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    callers = [Caller(seed) for seed in range(CALLS)]
    latency = Latency(update=0, transcription=20, create=30, first_delta=100, first_audio=40)
    turns = [Turn(say=text(number)) for number in range(1, ROUNDS + 1)]
    script = Script(turns=turns, vad="scripted", pace=4, latency_ms=latency)

    async def calls() -> list[Fate]:
        async with rig(configuration(tmp_path, LINES), script, limit_s=150) as held, asyncio.TaskGroup() as calling:
            for caller in callers:
                calling.create_task(caller.call(held))
                await asyncio.sleep(FRAME_MS / 1000 + 0.001)  # so that the phones' frames do not come all at once
        held.emulator.check()
        return [fate for caller in callers for fate in await fates(caller, held)]

    told = in_virtual_time(calls)
    errors = [r.event["error"]["code"] for caller in callers for r in caller.session.sent if r.type == "error"]
    assert set(errors) <= {"response_cancel_not_active"}, (
        "a cancel may cross the end of its response; no other error may come"
    )
    assert not any(caller.phone.violations for caller in callers)
    assert len(told) == CALLS * ROUNDS
    wrong = [fate for fate in told if not is_true(fate)]
    assert not wrong, "\n".join(map(str, wrong))
    wrong = [fate for fate in told if not has_true_words(fate)]
    assert not wrong, "\n".join(map(str, wrong))
    assert {kind for kind, count in Counter(fate.kind for fate in told).items() if count >= 20} == set(KINDS)


def is_true(fate: Fate) -> bool:
    """Return whether the service knows to the frame what was played; untold, it believes that all was.

    It takes no truncation of a reply of which the caller heard next to nothing.
    """
    if fate.told is not None:
        return abs(PCMU.bytes_for(fate.told) - fate.played) <= FRAME
    next_to_nothing = PCMU.bytes_for(NEXT_TO_NOTHING_MS) + FRAME
    return not fate.sent or fate.whole - fate.played <= FRAME or fate.played < next_to_nothing


def has_true_words(fate: Fate) -> bool:
    """Return whether the gateway knows the words that were played to their end, to the frame, and no others."""
    spoken = text(fate.moment.round)
    ends_ms = [word.offset_ms + word.duration_ms for word in word_times(spoken, PCMU.duration_ms(fate.whole))]
    played_ms = PCMU.duration_ms(fate.played)
    early, late = (sum(end_ms <= played_ms + by_ms for end_ms in ends_ms) for by_ms in (-FRAME_MS, FRAME_MS))
    return spoken.startswith(fate.words) and early <= len(fate.words.split()) <= late


async def test_a_caller_who_speaks_into_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone has played all that came, and the service has more: what it sent too late was not heard."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    script = instant({"say": "1000 ms"}, faults={"gap_s": 30})
    ticked = asyncio.Event()
    async with (
        rig(configuration(tmp_path, LINES), script) as held,
        SimulatedTwilio.connect(held.stream_url, to=NUMBER, on_tick=lambda _: ticked.set()) as phone,
    ):
        session = await session_of(held, phone.call_sid)
        await session.speech_started()
        await session.speech_stopped()
        while not phone.playout.played_bytes or not phone.playout.idle:
            ticked.clear()
            await ticked.wait()
        await session.speech_started()
        await session.until(lambda one: any(record.type == "response.done" for record in one.sent))
        (item,) = [item for item in session.items if item["role"] == "assistant"]
        await session.until(lambda one: any(record.type == "conversation.item.truncate" for record in one.received))
    (truncate,) = [record.event for record in session.received if record.type == "conversation.item.truncate"]
    assert truncate["item_id"] == item["id"]
    assert abs(PCMU.bytes_for(truncate["audio_end_ms"]) - phone.playout.played_bytes) <= FRAME
    held.emulator.check()
