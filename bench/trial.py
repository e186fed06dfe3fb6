"""Run so many calls for so many seconds against one target, and note what was seen."""

import gc
import math
import os
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from time import perf_counter

from bench import latency, tags
from bench.conditions import USUAL, Conditions
from bench.flood import UNSIGNED, Flood, Webhooks
from bench.loop import Loop
from bench.phone import Phone
from bench.result import Result, Spread, ToolsUsed
from bench.target import Program, Target, core_busy_s, running
from bench.tool_server import ToolServer
from bench.voice import Service

_CORES = sorted(os.sched_getaffinity(0))
TARGET_CORE, LOAD_CORE = _CORES[0], _CORES[-1]
"""The two cores furthest apart of those that are ours: neighbours may be two threads of one core."""
CALLS_PER_S = 50
OPEN_S, SETTLE_S, GRACE_S, HANG_UP_S = 60.0, 4.0, 1.0, 5.0
REST_S = 10.0
TOOL_USER = 0
"""The call that may use tools; where there are tools, no figure of frames and replies includes it."""


def run(program: Program, calls: int, seconds: float, conditions: Conditions = USUAL) -> Result:
    """Run one trial from start to end of the program's process; takes ``seconds`` and about ten more.

    With ``profile`` the program writes its profile of the steady window to that file, with ``count`` callgrind the
    number of instructions.
    """
    with _load() as loop, closing(Service(loop, conditions)) as service, _running(program, service) as target:
        return _Trial(loop, service, target, calls, may_be_refused=program.most_calls == "auto").measured(seconds)


def run_waves(
    program: Program, calls: int, seconds: float, waves: int, conditions: Conditions = USUAL
) -> Generator[Result, None, None]:
    """Run trials one after the other on one process of the program: all calls hang up, and as many others begin.

    The memory of each is that after a rest, in which the program may let go of what its calls left.
    The garbage of the load is collected only between two of them.
    """
    with _load() as loop, closing(Service(loop, conditions)) as service, _running(program, service) as target:
        for _ in range(waves):
            result = _Trial(loop, service, target, calls).measured(seconds)
            loop.run_until(perf_counter() + REST_S)
            yield replace(result, resident_mb=target.memory_bytes() / 1024 / 1024)
            service.forget()
            gc.collect()


def run_beside_tools(calls: int, seconds: float, *, used: bool, conditions: Conditions = USUAL) -> Result:
    """Run a trial of the gateway whose line has tools; if they are ``used``, one call uses them all the time."""
    with (
        _load() as loop,
        closing(Service(loop, conditions, TOOL_USER if used else None)) as service,
        closing(ToolServer(loop)) as tools,
        _running(Program(tools_port=tools.port), service) as target,
    ):
        return _Trial(loop, service, target, calls, tools).measured(seconds)


def run_beside_refusals(
    calls: int,
    seconds: float,
    per_s: int,
    webhooks: Webhooks = UNSIGNED,
    most_calls: int = 10_000,
    conditions: Conditions = USUAL,
) -> Result:
    """Run a trial of the gateway, which gets ``per_s`` webhooks a second beside its calls and refuses them."""
    with (
        _load() as loop,
        closing(Service(loop, conditions)) as service,
        _running(Program(most_calls=most_calls), service) as target,
    ):
        trial = _Trial(loop, service, target, calls)
        if not per_s:
            return trial.measured(seconds)
        floods: list[Flood] = []

        @contextmanager
        def flooded() -> Iterator[None]:
            with closing(Flood(loop, target.port, per_s, webhooks)) as flood:
                floods.append(flood)
                yield

        result = trial.measured(seconds, flooded())
        return replace(result, refused=floods[0].refused, left_out=floods[0].left_out)


def _running(program: Program, service: Service) -> AbstractContextManager[Target]:
    return running(program, service.url, service.authority, TARGET_CORE)


@contextmanager
def _load() -> Iterator[Loop]:
    """Run the load's loop without garbage collection, which would hold it up."""
    gc.collect()
    gc.disable()
    try:
        with closing(Loop()) as loop:
            yield loop
    finally:
        gc.enable()


class _Trial:
    def __init__(
        self,
        loop: Loop,
        service: Service,
        target: Target,
        calls: int,
        tools: ToolServer | None = None,
        *,
        may_be_refused: bool = False,
    ) -> None:
        self.loop = loop
        self.service = service
        self.target = target
        self.calls = calls
        self.tools = tools
        self.may_be_refused = may_be_refused
        self.phones: list[Phone] = []

    def _counts(self, call: int) -> bool:
        """Return whether the figures include that call; -1 (not known yet) may be the one that uses tools."""
        return self.tools is None or call not in (TOOL_USER, -1)

    def measured(self, seconds: float, beside: AbstractContextManager[None] | None = None) -> Result:
        """Run the calls, and measure them once all are up; ``beside`` is what happens only then."""
        idle_bytes = self.target.memory_bytes()
        try:
            self._open()
            with beside or nullcontext():
                self.loop.run_until(perf_counter() + SETTLE_S)
                self.loop.rounds_s.clear()
                self.target.tell(begins=True)
                before = self._meter()
                self.loop.run_until(before[0] + seconds)
                after = self._meter()
                self.target.tell(begins=False)
                rounds_s = list(self.loop.rounds_s)
            memory_bytes = self.target.memory_bytes() - idle_bytes
            failed = self._failed()
            self.loop.run_until(perf_counter() + GRACE_S)
        finally:
            self._hang_up()
        return self._result(before, after, rounds_s, memory_bytes, failed)

    def _open(self) -> None:
        began = perf_counter()
        for call in range(self.calls):
            self.loop.run_until(began + call / CALLS_PER_S)
            phone = Phone(self.loop, call, self.target.port, self.service.replies)
            phone.may_be_refused = self.may_be_refused
            self.service.phones[tags.text_of(call)] = phone
            self.phones.append(phone)
        self.loop.run_until(perf_counter() + OPEN_S, self._all_talking)

    def _all_talking(self) -> bool:
        sessions = self.service.sessions
        turned_away = sum(phone.is_gone for phone in self.phones)
        return len(sessions) >= self.calls - turned_away and all(
            session.is_talking or session.is_gone for session in sessions
        )

    def _failed(self) -> int:
        """Count the calls that ended by themselves, or never got so far that the bot was asked to speak."""
        talking = {session.phone for session in self.service.sessions if session.is_talking and not session.is_gone}
        return sum(phone.is_gone or phone not in talking for phone in self.phones)

    def _hang_up(self) -> None:
        for phone in self.phones:
            phone.hang_up()
        end = perf_counter() + HANG_UP_S
        self.loop.run_until(end, lambda: all(phone.is_gone for phone in self.phones))
        self.loop.run_until(end, lambda: not any(self.service.open_sessions()))

    def _meter(self) -> tuple[float, float, float]:
        return perf_counter(), self.target.cpu_s(), core_busy_s(TARGET_CORE)

    def _result(
        self,
        before: tuple[float, ...],
        after: tuple[float, ...],
        rounds_s: list[float],
        memory_bytes: int,
        failed: int,
    ) -> Result:
        start, end = before[0], after[0]
        phones = [phone for phone in self.phones if self._counts(phone.call)]
        window_s, cpu_s, core_s = (b - a for a, b in zip(before, after, strict=True))
        frames = [
            (phone.began_at + number * tags.FRAME_S, sent, phone.arrived_at[number])
            for phone in phones
            for number, sent in enumerate(phone.sent_at)
            if start <= sent < end
        ]
        replies = [reply for reply in self.service.replies.values() if start <= reply.sent_from < end]
        replies = [reply for reply in replies if self._counts(reply.call)]
        over = [r for r in replies if r.ends_at < end and not r.is_interrupted]
        speech = [
            phone.cleared_after_s.get(at, math.inf)
            for phone in phones
            for at in phone.interrupted_at
            if start <= at < end
        ]
        return Result(
            target=self.target.name,
            conditions=self.service.conditions,
            started_in_s=self.target.started_in_s,
            calls=self.calls,
            window_s=window_s,
            cpu_percent=100 * cpu_s / window_s,
            memory_kb=memory_bytes / 1024 / self.calls,
            resident_mb=self.target.memory_bytes() / 1024 / 1024,
            to_voice=Spread.of(arrived - sent for _, sent, arrived in frames if arrived),
            to_phone=Spread.of(r.heard_from - r.sent_from for r in replies if r.heard_from),
            barge_in=Spread.of(after_s for after_s in speech if after_s < math.inf),
            barge_ins_missed=speech.count(math.inf),
            first_sound=Spread.of(latency.first_sounds(self.service.sessions)),
            answers=Spread.of(latency.answers(replies)),
            jitter=Spread.of(latency.jitter(over)),
            stages={stage.name: Spread.of(stage.seconds) for stage in latency.stages(self.service.sessions)},
            frames_sent=len(frames),
            frames_lost=sum(not arrived for _, _, arrived in frames),
            replies=len(replies),
            frames_heard=sum(reply.delivered for reply in replies) // tags.FRAME_BYTES,
            late_frames=sum(start <= at < end for phone in phones for at in phone.late_at),
            reply_frames_lost=sum(max(0, r.sent - r.delivered) for r in over) // tags.FRAME_BYTES,
            stale_frames=sum(phone.stale_bytes for phone in phones) // tags.FRAME_BYTES,
            garbled=sum(phone.garbled + phone.strays + phone.duplicates for phone in self.phones),
            calls_failed=failed,
            sessions_left=sum(1 for _ in self.service.open_sessions()),
            load_percent=100 * sum(rounds_s) / window_s,
            load_lateness=Spread.of(sent - due for due, sent, _ in frames),
            load_reading=Spread.of(rounds_s),
            others_percent=max(0.0, 100 * (core_s - cpu_s) / window_s),
            unexpected=dict(self.service.unexpected),
            tools=self._tools_used(start, end),
        )

    def _tools_used(self, start: float, end: float) -> ToolsUsed | None:
        if self.tools is None:
            return None
        return ToolsUsed(
            are_used=self.service.tool_user is not None,
            requests=len(self.tools.began_at),
            outputs=self.service.outputs,
            most_at_once=self.tools.most_at_once,
            at_work=self.tools.at_work_s(start, end) / (end - start),
        )
