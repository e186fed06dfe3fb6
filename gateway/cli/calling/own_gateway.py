"""A gateway for one simulated call: on a free port, with an account at a simulated provider of its own."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from gateway.app import serving
from gateway.call import notes
from gateway.call.record import CallIdentity, Observer, TimedNote
from gateway.cli.emulated_identity import EmulatedIdentity
from gateway.config import Deployment, Lines
from gateway.config.deployment import Listen, Streams
from gateway.config.numbers import ANY_NUMBER
from gateway.config.providers import Providers, settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.logs.redaction import Redactor, secrets_in, secrets_of
from gateway.routes.refusing.refusals import Refused
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.emulator import Emulator, Script
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.providers import open_account_at
from gateway.sim.virtual_time import clock_of

CALLED = "+14255550100"
"""The number to dial if the only line takes any number."""

RECORDED_S = 5.0
"""Real time within which the last of a recording is written."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class CalledGateway:
    """Describes a gateway to call, and collects what it reports of the call; one that runs elsewhere reports nothing.

    A call starts with a webhook to ``answer_url``, signed by ``secrets``, or directly at ``stream_url``.
    """

    stream_url: str = ""
    account: str = ""
    """The name under which it serves the provider."""
    answer_url: str = ""
    status_url: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    with_test_key: bool = False
    """``True`` if the secrets are those of ``serve --emulator``."""
    api: SimulatedApi | None = None
    emulator: Emulator | None = None
    notes: list[TimedNote] = field(default_factory=list)
    calls: list[CallIdentity] = field(default_factory=list)
    """The calls that it took, one for each stream."""
    refusals: list[str] = field(default_factory=list)
    """Why it refused requests of the call, and what to do."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the gateway has reported how the call ended."""
    recorded: "SimpleQueue[Path]" = field(default_factory=SimpleQueue)
    """The recording of the call, once it is whole."""

    async def recording(self) -> Path | None:
        """Return the gateway's own recording of the call that has ended; ``None`` if there is none."""
        if not any(isinstance(note.note, notes.RecordingStopped) for note in self.notes):
            return None
        try:
            return await asyncio.to_thread(self.recorded.get, timeout=RECORDED_S)
        except Empty:
            return None

    def timeline(self) -> list[TimelineEvent]:
        """Return the notes as the simulator reads them: names and plain values, in the order of time."""
        events = (TimelineEvent(note.at, note.note.event, note.note.fields()) for note in self.notes)
        return sorted(events, key=lambda event: event.at)


@asynccontextmanager
async def own_gateway(
    deployment: Deployment,
    lines: Lines,
    provider: str,
    tell: Observer,
    script: Script | None,
    *,
    account: str = "",
    recordings: Path | None = None,
) -> AsyncIterator[CalledGateway]:
    """Serve ``provider`` alone, with every check of a real gateway; with a script, the emulator replaces Voice Live.

    ``account`` is the name under which the provider is served, if it is not the provider's own. Calls of lines that
    record are recorded to the folder ``recordings``, by default one that is gone afterwards.
    """
    account = account or provider
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(SimulatedApi.serving())
        opened = open_account_at(provider, api)
        emulator = await stack.enter_async_context(Emulator(script)) if script is not None else None
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        gateway = CalledGateway(
            account=account,
            answer_url=f"{url}/answer/{account}",
            status_url=f"{url}/status/{account}",
            secrets=opened.secrets,
            api=api,
            emulator=emulator,
        )
        reports = _Reports(gateway, tell, Redactor(secrets_of(opened.secrets) | secrets_in(os.environ)))
        if emulator is None:
            deployment.require_endpoint()
        await stack.enter_async_context(
            serving(
                _for_one_call(deployment, url, _section(account, provider, opened.settings)),
                lines,
                endpoint=emulator.endpoint if emulator else "",
                api_key="emulator" if emulator else "",
                identity=EmulatedIdentity() if emulator else None,
                listener=listener,
                observers=(reports.observe,),
                on_refusal=reports.refuse,
                recordings=recordings or Path(stack.enter_context(TemporaryDirectory())),
                on_recorded=lambda one: gateway.recorded.put(one.path),
                clock=clock_of(asyncio.get_running_loop()),
            )
        )
        yield gateway


@dataclass(frozen=True)
class _Reports:
    """Hands what the gateway reports of its call to ``gateway`` and to ``tell``, without its secrets."""

    gateway: CalledGateway
    tell: Observer
    redactor: Redactor

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:
        """Keep and tell a note of the call."""
        note = TimedNote(note.at, _without_secrets(note.note, self.redactor))
        self.gateway.notes.append(note)
        if isinstance(note.note, notes.CallStarted):
            self.gateway.calls.append(identity)
        self.tell(identity, note)
        if isinstance(note.note, notes.CallEnded):
            self.gateway.ended.set()

    def refuse(self, refused: Refused, hint: str) -> None:
        """Keep why a request of the call was refused."""
        reason = refused.reason.value.replace("_", " ")
        why = f"{reason}: {refused.detail}" if refused.detail else reason
        self.gateway.refusals.append(self.redactor.text(f"the gateway's own account: {why}; {hint}"))


def _for_one_call(deployment: Deployment, url: str, providers: Providers) -> Deployment:
    """Return the deployment as it is served for one call: at ``url``, with this account alone and default streams."""
    return deployment.model_copy(
        update={"public_url": url, "providers": providers, "streams": Streams(), "listen": Listen()}
    )


def _without_secrets(value: _T, redactor: Redactor) -> _T:
    """Return a note, or a part of one, with its secrets replaced."""
    shown: Any = value
    match value:
        case str():
            shown = redactor.text(value)
        case list():
            shown = [_without_secrets(inner, redactor) for inner in value]
        case Struct():
            shown = replace(value, **{name: _without_secrets(inner, redactor) for name, inner in asdict(value).items()})
    return shown  # type: ignore[no-any-return]  # of the same type, part by part


def number_to_call(lines: Lines) -> str:
    """Return a number of the line ``support``, else of the first line that has one."""
    support_first = sorted(lines, key=lambda line: line.name != "support")
    numbers = (number for line in support_first for number in line.settings.numbers)
    return next((number for number in numbers if number != ANY_NUMBER), CALLED)


def _section(account: str, provider: str, settings: Mapping[str, str]) -> Providers:
    values = {name: FromEnvironment(value, "the simulated account") for name, value in settings.items()}
    return Providers.model_validate({account: settings_of(provider).model_validate({**values, "provider": provider})})
