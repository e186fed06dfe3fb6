"""Runs a simulated call from its first ring to its folder on the disk and its exit code."""

import asyncio
import json
import os
import shutil
import signal
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from gateway.cli.calling.faults import CallFaults
from gateway.cli.calling.narrator import Narrator
from gateway.cli.calling.own_gateway import CalledGateway
from gateway.cli.calling.refusals import explained
from gateway.cli.calling.verdict import Expected, complaints
from gateway.cli.starting.exits import FAILED, INTERRUPTED
from gateway.errors import GatewayError, InputError
from gateway.logs.redaction import Redactor, secrets_in, secrets_of
from gateway.records.explain.events import Event
from gateway.records.explain.explaining import Subject, explain
from gateway.report.explanation import Explanation
from gateway.sim.caller.call import CallPlan, CallResult, Progress, place_call
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.phone.connecting import RefusedError
from gateway.sim.report.folder import FILES, RECORDING, folder_name, write_folder, write_refused

END_LIMIT_S = 5.0
CALLS = Path("calls")


@dataclass(frozen=True)
class Keeping:
    """Says where a call is kept and how it is shown. ``header`` holds further keys of ``call.json``."""

    out: Path | None = None
    force: bool = False
    json: bool = False
    open: bool = False
    header: Mapping[str, object] = field(default_factory=dict)

    def with_header(self, **further: object) -> "Keeping":
        """Return the same with ``further`` keys of ``call.json``."""
        return replace(self, header={**self.header, **further})

    def check(self) -> None:
        """Raise ``InputError`` if the folder could not be written later or is not empty."""
        out = self.out or CALLS
        if out.exists() and not out.is_dir():
            raise InputError(f"{'--out: ' if self.out else ''}{out} is no directory, expected one for the call")
        if self.out is not None and not self.force and out.is_dir() and any(out.iterdir()):
            raise InputError(f"--out: {out} is not empty, expected a new directory; --force replaces the call in it")
        there = next(parent for parent in (out.resolve(), *out.resolve().parents) if parent.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise InputError(f"{'--out: ' if self.out else ''}{there} cannot be written to, so no call could be kept")


async def place(
    plan: CallPlan,
    stream: CalledGateway,
    narrator: Narrator,
    keeping: Keeping,
    expected: Expected,
    faults: CallFaults | None = None,
) -> int:
    """Make the call, keep it however it ends, print what was wrong, and return the exit code."""
    asked = replace(
        plan, url=stream.stream_url, answer_url=stream.answer_url, status_url=stream.status_url, secrets=stream.secrets
    )
    with narrator, _Signals() as signals:

        def progress(step: Progress) -> None:
            signals.progress(step)
            narrator.progress(step)

        try:
            result = await place_call(
                asked,
                api=stream.api,
                on_progress=progress,
                hang_up=signals.hang_up,
                faults=faults.drawn.phone if faults else None,
            )
        except InputError:
            raise
        except GatewayError as error:
            return _refused(asked, stream, narrator, keeping, error)
        with suppress(TimeoutError):  # a call that was refused has no end to report
            async with asyncio.timeout(END_LIMIT_S):
                await stream.ended.wait()
    _warn_of_codec(asked, result)
    recording = await stream.recording()
    shown = Redactor(secrets_of(stream.secrets) | secrets_in(os.environ))
    found = [shown.text(complaint) for complaint in complaints(result, stream, expected)]
    interrupted = signals.hang_up.is_set()
    if interrupted:
        found.insert(0, "interrupted: the caller hung up")
    if faults is not None:
        result = replace(result, events=(*result.events, *faults.events()))
        keeping = keeping.with_header(faults=faults.told(result.started_at))
        found += [faults.again()] if found else []
    _keep(result, stream, narrator, keeping, found, recording)
    return INTERRUPTED if interrupted else FAILED if found else 0


def _warn_of_codec(plan: CallPlan, result: CallResult) -> None:
    if plan.audio_format is not None and result.audio_format != plan.audio_format:
        print(
            f"--codec: the gateway's answer asked for {result.audio_format}, so the caller spoke that "
            f"and not {plan.audio_format}",
            file=sys.stderr,
        )


def _keep(
    result: CallResult,
    stream: CalledGateway,
    narrator: Narrator,
    keeping: Keeping,
    found: list[str],
    recording: Path | None,
) -> None:
    out = keeping.out or CALLS / folder_name(result)
    header = {"line": narrator.line, "generation": narrator.generation} if narrator.line else {}
    first = stream.calls[0] if stream.calls else None
    provider, began_at = ({"provider": first.provider}, first.started_at) if first else ({}, None)
    told = {**header, **provider, **keeping.header, "complaints": found}
    notes = stream.timeline()
    explanation = _explained(result, narrator.line, notes)
    write_folder(out, result, notes=notes, header=told, began_at=began_at, explanation=explanation)
    if recording is not None:
        shutil.move(recording, out / RECORDING)
    _show(out, narrator, keeping, found)


def _explained(result: CallResult, line: str, notes: Sequence[TimelineEvent]) -> Explanation | None:
    """Explain the call by the gateway's notes; a gateway elsewhere tells none."""
    if not notes:
        return None
    plan = result.plan
    subject = Subject(
        call=result.call_id,
        provider=plan.provider,
        line=line,
        caller=plan.from_,
        called=plan.to,
        started=result.started,
    )
    return explain(subject, [Event((note.at - result.started_at) * 1000, note.kind, note.fields) for note in notes])


def _refused(plan: CallPlan, stream: CalledGateway, narrator: Narrator, keeping: Keeping, error: GatewayError) -> int:
    """Keep a call that never began, and print why."""
    found = [str(error), *stream.refusals]
    if isinstance(error, RefusedError) and not stream.refusals:
        found += filter(None, [explained(error, stream, plan.provider, plan.to)])
    shown = Redactor(secrets_of(plan.secrets) | secrets_in(os.environ))
    found = [shown.text(complaint) for complaint in found]
    started = datetime.now(UTC)
    out = keeping.out or CALLS / f"{started:%Y%m%dT%H%M%SZ}-refused-{uuid4().hex[:8]}"
    write_refused(out, plan, started, notes=stream.timeline(), header={**keeping.header, "complaints": found})
    _show(out, narrator, keeping, found)
    return FAILED


def _show(out: Path, narrator: Narrator, keeping: Keeping, found: list[str]) -> None:
    if keeping.json:
        print(json.dumps({**json.loads((out / "call.json").read_text("utf-8")), "folder": str(out)}, indent=2))
    narrator.done(out, found, [name for name in FILES if (out / name).exists()])
    report = (out / "report.html").resolve()
    if keeping.open and report.exists() and not webbrowser.open(report.as_uri()):
        print(f"--open: no browser was found for {report}", file=sys.stderr)


class _Signals:
    """Lets the caller hang up on the first signal, so that the call is kept; a further one ends the process.

    A further SIGHUP does not: a terminal that closes may send it twice, and the call must still be kept.
    """

    def __init__(self) -> None:
        self.hang_up = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._listens = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ignore()

    def progress(self, step: Progress) -> None:
        """Take signals as soon as there is a call that can be hung up."""
        if step.kind == "connected":
            with suppress(NotImplementedError):  # not on Windows, where Ctrl-C ends the process
                for number in (signal.SIGINT, signal.SIGTERM):
                    self._loop.add_signal_handler(number, self._told_to_end)
                if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
                    self._loop.add_signal_handler(signal.SIGHUP, self.hang_up.set)
                self._listens = True

    def _told_to_end(self) -> None:
        self.hang_up.set()
        self._ignore()

    def _ignore(self) -> None:
        if self._listens:
            self._listens = False
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.remove_signal_handler(number)
