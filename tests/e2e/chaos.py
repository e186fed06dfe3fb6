"""Calls on which everything breaks that can, drawn by a seed, and the judge of how each may end.

``CHAOS_SEED=17 pytest tests/e2e/test_chaos_1.py`` makes the call of that seed alone, with everything that it did.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.call.record import TimedNote
from gateway.phone.providers import PROVIDERS
from gateway.sim.faults import Drawn, FaultPlan, drawn
from gateway.sim.faults.service import ServiceFaults
from tests.conftest import open_sockets
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, NUMBER, instant, noise
from tests.kinds import STREAM_ONLY
from tests.virtual_time import in_virtual_time

KEYS = "tools: [end_call]\nlimits: {duration_s: 20}\n"
LIMIT_S = 20.0
TURNS = ({"say": "300 ms"}, {"say": "200 ms of it"}, {"say": "250 ms", "call": {"name": "end_call"}})
"""The third answer is the last."""
NOTICED_S = 15.0
SLACK_S = 2.6
"""Closing both legs takes 2 s at most, and frames, marks and timers a little."""
SHORT_S, LONG_S = (0.4, 2.6), (20.5, 21.5)
"""The time at which the caller hangs up; the long one is for what is noticed late."""
SLOW = frozenset({"vanish", "half_open", "no_answer", "stalled_reader"})
PASSING = frozenset({"cut", "reset", "half_open", "expire", "errors", "malformed", "late_deltas"})
"""The faults of a session that another one does not have."""
OURS = ("gateway.call.", "gateway.phone.", "gateway.voice.", "gateway.sockets.websocket", "gateway.sim.")
"""The modules whose timers belong to a call; the gateway's own measure of the loop's lag is not among them."""


@dataclass
class Chaos:
    """One call to be made: what the caller does, at which provider, and what breaks."""

    seed: int
    provider: str = ""
    hangs_up_s: float = 0.0
    speaks_s: Sequence[float] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        dice = random.Random(f"chaos {self.seed}")
        self.provider = dice.choice(list(PROVIDERS))
        faults = [dice.choice(KINDS) for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3)))]
        slow = any(kind in SLOW for _, kind in faults) and dice.random() < 0.22
        self.hangs_up_s = round(dice.uniform(*(LONG_S if slow else SHORT_S)), 2)
        self.speaks_s = sorted(round(dice.uniform(0.2, 2.4), 2) for _ in range(dice.randrange(4)))
        self.plan = {
            side: [fault(side, kind, dice) for of, kind in faults if of == side] for side in ("service", "phone")
        }


KINDS: Sequence[tuple[str, str]] = (
    *[("service", kind) for kind in ("refuse", "refuse", "no_answer", "cut", "cut", "reset", "half_open", "mute")],
    *[("service", kind) for kind in ("errors", "malformed", "late_deltas", "expire")],
    *[("phone", kind) for kind in ("loss", "jitter", "burst", "stalled_reader", "vanish", "reset")],
)


def fault(side: str, kind: str, dice: random.Random) -> dict[str, Any]:
    """Return a fault of a kind, at a moment of the call."""
    at = dice.choice(({"s": round(dice.uniform(0, 2), 2)}, {"reply": dice.randint(1, 3)}))
    match kind:
        case "refuse":
            status = dice.choice((None, 401, 403, 429, 500, 503))
            told = {} if status is None else {"status": status}
            more = {"retry_after_s": 1} if status == 429 else {}
            return {"kind": kind, "connection": dice.choice((1, 2, "every")), **told, **more}
        case "no_answer":
            return {"kind": kind, "connection": dice.choice((1, 2))}
        case "mute":
            return {"kind": kind, "when": at, "answers": dice.choice(("created", "nothing", "error"))}
        case "late_deltas":
            return {"kind": kind, "connection": "every"}
        case "expire":
            return {"kind": kind, "after_s": round(dice.uniform(0.3, 3), 2)}
        case "loss":
            return {"kind": kind, "share": dice.choice((0.1, 0.5, 1.0))}
        case "jitter":
            return {"kind": kind, "max_ms": dice.choice((40, 400))}
        case "burst" | "stalled_reader":
            return {"kind": kind, "when": at, "for_s": round(dice.uniform(0.2, 2), 2)}
        case "cut" | "reset" | "half_open" if side == "service" and "reply" in at and dice.random() < 0.5:
            return {"kind": kind, "when": {**at, "delta": dice.randint(1, 2)}}
        case _:
            return {"kind": kind, "when": at}


# What a call may come to


@dataclass(frozen=True)
class Cause:
    """Something that may end a call from ``at`` on by one of ``reasons``; ``by`` is when it must have, if it must."""

    what: str
    at: float
    reasons: frozenset[str]
    by: float | None = None


def causes(made: "Made") -> Iterator[Cause]:
    """Yield everything that may have ended a call: what struck, what the caller did, what the line says."""
    begun = made.begun_at
    yield Cause("the line's limit", begun + LIMIT_S, frozenset({"time_limit"}), begun + LIMIT_S)
    if made.hung_up_at is not None:
        yield Cause("the caller hung up", made.hung_up_at, frozenset({"caller_hung_up"}), made.hung_up_at)
    if made.said("end_call"):
        yield Cause("the bot said goodbye", begun, frozenset({"bot_hung_up"}))
    for one in made.faults.struck:
        yield from _of_fault(one.kind, one.side, one.at, made)


def _of_fault(kind: str, side: str, at: float, made: "Made") -> Iterator[Cause]:
    lost, closed = frozenset({"voice_lost", "voice_stalled"}), frozenset({"voice_refused", "voice_unavailable"})
    is_replaced = any(note.at <= at + NOTICED_S + SLACK_S for note in made.of("session_lost", "session_rolled_over"))
    match side, kind:
        case "phone", "reset":
            yield Cause("the stream was reset", at, frozenset({"stream_lost"}), at)
        case "phone", "vanish":
            yield Cause("the phone vanished", at, frozenset({"stream_lost", "stream_stalled"}), at + NOTICED_S)
        case "phone", "stalled_reader":
            yield Cause("the phone did not read", at, frozenset({"stream_stalled"}))
        case "service", "cut" | "reset" | "expire":
            yield Cause(f"the session ended: {kind}", at, lost | closed, None if is_replaced else at)
        case "service", "half_open":
            yield Cause("the service fell silent", at, lost | closed, None if is_replaced else at + NOTICED_S)
        case "service", "refuse" | "no_answer":
            yield Cause(f"the connection failed: {kind}", at, lost | closed)
        case "service", "mute" | "errors" | "malformed":
            yield Cause(f"the service failed: {kind}", at, lost)


@dataclass
class Made:
    """A call that was made."""

    chaos: Chaos
    faults: Drawn
    notes: Sequence[TimedNote]
    begun_at: float
    hung_up_at: float | None

    def of(self, *kinds: str) -> list[TimedNote]:
        """Return the notes of some kinds."""
        return [noted for noted in self.notes if noted.note.event in kinds]

    def said(self, tool: str) -> bool:
        """Return whether the bot called a tool."""
        return any(noted.note.fields().get("tool") == tool for noted in self.notes)


def judge(made: Made) -> str:
    """Return what is wrong with the end of a call; empty where nothing is."""
    ends = made.of("call_ended")
    if len(ends) != 1:
        return f"it ended {len(ends)} times"
    at, reason = ends[0].at, str(ends[0].note.fields()["reason"])
    found = list(causes(made))
    if not any(reason in cause.reasons and cause.at <= at + SLACK_S for cause in found):
        return f"{reason} has no cause"
    if reason.startswith("voice_") and {one.kind for one in made.faults.struck if one.side == "service"} <= PASSING:
        return f"{reason}, although another session could be had"
    overdue = [cause.what for cause in found if cause.by is not None and cause.by + SLACK_S < at]
    return f"{reason} came too late, after {' and '.join(overdue)}" if overdue else ""


# The calls


async def make(held: Exchange, chaos: Chaos) -> Made:
    """Make a call and wait for its end."""
    loop = asyncio.get_running_loop()
    faults = drawn(FaultPlan.model_validate(chaos.plan), chaos.seed)
    held.emulator.faults = faults.service
    notes = held.notes.setdefault("support", [])
    notes.clear()
    url = held.stream_url(chaos.provider) if chaos.provider in STREAM_ONLY else ""
    hung_up_at = None
    async with held.call(chaos.provider, NUMBER, url=url, faults=faults.phone, keep=False) as phone:
        begun_at = loop.time()
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(speak(held, chaos.speaks_s, len(held.emulator.sessions)))
            try:
                async with asyncio.timeout(chaos.hangs_up_s):
                    await phone.closed.wait()
            except TimeoutError:
                if faults.phone.gone is None:
                    hung_up_at = loop.time()
                    phone.hang_up()
            await phone.closed.wait()
            speaking.cancel()
    await held.told("support", "call_ended")
    mended(held)
    return Made(chaos, faults, list(notes), begun_at, hung_up_at)


def mended(held: Exchange) -> None:
    """Let the service work again, and the gateway know it: else the next call is told that the line is busy."""
    held.emulator.faults = ServiceFaults()
    for endpoint in held.gateway.voice_live.services:
        held.gateway.voice_live.pool.note_ready(endpoint, None)


async def speak(held: Exchange, at_s: Sequence[float], before: int) -> None:
    """Let the caller speak at these times, as the newest session hears it."""
    begun = asyncio.get_running_loop().time()
    for at in at_s:
        await asyncio.sleep(begun + at - asyncio.get_running_loop().time())
        if len(held.emulator.sessions) > before and not (session := held.emulator.sessions[-1])._out.over:
            await session.speech_started()
            await asyncio.sleep(0.3)
            if not session._out.over:
                await session.speech_stopped()


def left(held: Exchange) -> Counter[str]:
    """Return what is there between two calls: tasks, sockets, timers, sessions, connections, places.

    Connections to a provider's REST API are kept for the next call, each with a socket and a task at either end.
    """
    loop = asyncio.get_running_loop()
    timers = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
    kept = sum(api.connections for api in held.apis.values())
    tasks = [task for task in asyncio.all_tasks() if "RequestHandler.start()" not in repr(task)]
    assert held.emulator._runner is not None
    assert held.emulator._runner.server is not None
    return Counter(
        tasks=len(tasks),
        sockets=open_sockets() - 2 * kept,
        timers=sum(_module(handle).startswith(OURS) for handle in timers),
        sessions=held.emulator.open_sessions,
        connections=len(held.emulator._runner.server.connections),
        calls=len(held.gateway.calls),
        places=held.gateway.calls.in_use,
    )


def _module(handle: Any) -> str:
    callback = getattr(handle._callback, "func", handle._callback)
    return getattr(callback, "__module__", "") or ""


async def settled(held: Exchange, before: Counter[str]) -> Counter[str]:
    """Return what a call has left behind, once it has had a while to go.

    A session that is half open cannot know that its client has gone, and is dropped here.
    """
    for _ in range(12):
        for session in held.emulator.sessions:
            if session._out.frozen:
                session.end()
        if not left(held) - before:
            break
        await asyncio.sleep(0.25)
    return left(held) - before


async def run(folder: Path, seeds: Iterable[int]) -> list[str]:
    """Make the calls of these seeds, one after the other on one gateway; return what was wrong."""
    wrong: list[str] = []
    text = LINE.replace("Hello.", "400 ms") + KEYS
    async with exchange(folder, PROVIDERS, {"support": text}, instant(*TURNS), limit_s=1e6, keep_sessions=1) as held:
        await make(held, Chaos(-1))  # what is made once for all calls is there then
        before = left(held)
        for seed in seeds:
            chaos = Chaos(seed)
            made = await make(held, chaos)
            remains = await settled(held, before)
            problems = [*filter(None, [judge(made)]), *([f"left behind: {dict(remains)}"] if remains else [])]
            if problems or "CHAOS_SEED" in os.environ:
                wrong.append(told(made, problems))
    return wrong


def told(made: Made, problems: Sequence[str]) -> str:
    """Return a call and what was wrong with it, for whoever has to find out why."""
    chaos = made.chaos
    struck = [f"{one.side} {one.kind} at {one.at - made.begun_at:.2f} s" for one in made.faults.struck]
    notes = [f"{noted.at - made.begun_at:7.2f} {noted.note.event} {noted.note.fields()}" for noted in made.notes]
    return "\n".join(
        [
            f"seed {chaos.seed} ({chaos.provider}): {'; '.join(problems) or 'nothing is wrong'}",
            f"  the caller speaks at {chaos.speaks_s} and hangs up at {chaos.hangs_up_s} s",
            f"  struck: {', '.join(struck) or 'nothing'}; of {chaos.plan}",
            *(f"  {note}" for note in notes),
            f"  again: CHAOS_SEED={chaos.seed} pytest tests/e2e/test_chaos_1.py",
        ]
    )


def make_calls(folder: Path, seeds: Sequence[int]) -> None:
    """Make the calls of these seeds in virtual time; fail with every one that ended wrongly or left something."""
    if "CHAOS_SEED" in os.environ:
        seeds = [int(os.environ["CHAOS_SEED"])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        wrong = in_virtual_time(lambda: run(folder, seeds))
    assert not wrong, "\n".join([f"{len(wrong)} of {len(seeds)} calls:", *wrong])
