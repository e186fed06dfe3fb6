"""One gateway that serves many providers at once, each with an account and a REST API of its own."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.app import Gateway, serving
from gateway.audio.formats import AudioFormat
from gateway.call.record import CallIdentity, TimedNote
from gateway.config.providers import Providers, settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.phone.provider import Provider
from gateway.served import providers_of
from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Emulator, Script, Session
from gateway.sim.faults.phone import PhoneFaults
from gateway.sim.phone.accounts import Account
from gateway.sim.phone.observed import Tick
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.providers import open_account_at
from gateway.tape.tapes import Wanted
from gateway.tracing.environment import Exports
from tests.e2e.rig import configuration, load
from tests.e2e.waiting import Waits

CALLER = "+14155550123"


@dataclass
class Exchange:
    """What a test holds: every end of every call, and the gateway's notes by line."""

    url: str
    emulator: Emulator
    gateway: Gateway
    providers: Mapping[str, Provider]
    accounts: Mapping[str, Account]
    apis: Mapping[str, SimulatedApi]
    notes: dict[str, list[TimedNote]] = field(default_factory=dict)
    waits: Waits = field(default_factory=Waits)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:
        """Keep a note."""
        self.notes.setdefault(identity.line, []).append(note)
        self._changed.set()

    def fields(self, line: str, kind: str) -> list[dict[str, object]]:
        """The fields of all notes of a kind."""
        return [noted.note.fields() for noted in self.notes.get(line, ()) if noted.note.event == kind]

    async def told(self, line: str, kind: str, count: int = 1) -> dict[str, object]:
        """The note of that kind with that number on a line, once it has come."""
        with self.waits.on(f"{kind} of {line}, number {count}"):
            while len(self.fields(line, kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.fields(line, kind)[count - 1]

    async def session_of(self, line: str) -> Session:
        """The Voice Live session of the call on a line, once it is ready."""
        ready = await self.told(line, "session_ready")
        return next(session for session in self.emulator.sessions if session.id == ready["session_id"])

    def stream_url(self, provider: str, line: str = "-", key: str = "") -> str:
        """Where a stream is opened without asking: with ``key``, a token or the account's secret, in its path."""
        return f"{self.url.replace('http', 'ws', 1)}/stream/{provider}" + (f"/{line}/{key}" if key else "")

    def call(
        self,
        provider: str,
        to: str,
        *,
        from_: str = CALLER,
        url: str = "",
        audio_format: AudioFormat | None = None,
        call_id: str = "",
        secrets: Mapping[str, str] | None = None,
        on_tick: Callable[[Tick], None] | None = None,
        keep: bool = True,
        quirks: Iterable[str] = (),
        faults: PhoneFaults | None = None,
        setup_s: float = 0.0,
    ) -> AbstractAsyncContextManager[SimulatedPhone]:
        """Call in through the provider's webhook, or straight through the stream ``url``."""
        return dial(
            provider,
            url,
            answer_url="" if url else f"{self.url}/answer/{provider}",
            status_url="" if url else f"{self.url}/status/{provider}",
            to=to,
            from_=from_,
            audio_format=audio_format,
            secrets=self.accounts[provider].secrets if secrets is None else secrets,
            call_id=call_id,
            api=self.apis[provider],
            on_tick=on_tick,
            keep=keep,
            quirks=quirks,
            faults=faults,
            setup_s=setup_s,
        )


UNWATCHED = "limits: {watched_calls: 0}\n"
"""Callers of most tests talk in noise, which the gateway's own detector may take for speech that nobody reports."""


@asynccontextmanager
async def exchange(
    folder: Path,
    names: Iterable[str],
    lines: Mapping[str, str],
    script: Script,
    *,
    gateway_yaml: str = UNWATCHED,
    environ: Mapping[str, str] | None = None,
    limit_s: float = 60,
    tape: Wanted | None = None,
    exports: Exports | None = None,
    in_front: Callable[[str], AbstractAsyncContextManager[str]] | None = None,
    keep_records: bool = False,
    **emulator: Any,
) -> AsyncIterator[Exchange]:
    """Serve the providers ``names`` until the block ends; a block that takes longer than ``limit_s`` has hung.

    ``in_front`` is what stands before the gateway's own URL: it yields the URL that providers know.
    """
    deployment, read = load(configuration(folder, lines, gateway_yaml), environ)
    waits = Waits()
    async with waits.within(limit_s), contextlib.AsyncExitStack() as stack:
        apis = {name: await stack.enter_async_context(SimulatedApi.serving()) for name in names}
        accounts = {name: open_account_at(name, api) for name, api in apis.items()}
        service = await stack.enter_async_context(Emulator(script, **emulator))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if in_front is not None:
            url = await stack.enter_async_context(in_front(url))
        served = deployment.model_copy(update={"public_url": url, "providers": _sections(accounts)})
        held: list[Exchange] = []

        def observe(identity: CallIdentity, note: TimedNote) -> None:
            held[0].observe(identity, note)

        running = await stack.enter_async_context(
            serving(
                served,
                read,
                endpoint=service.endpoint,
                api_key="any",
                listener=listener,
                observers=(observe,),
                tape=tape,
                exports=exports,
                keep_records=keep_records,
                clock=asyncio.get_running_loop().time,
            )
        )
        held.append(Exchange(url, service, running, providers_of(served), accounts, apis, waits=waits))
        yield held[0]


def _sections(accounts: Mapping[str, Account]) -> Providers:
    def section(name: str, settings: Mapping[str, str]) -> object:
        values = {key: FromEnvironment(value, "the account") for key, value in settings.items()}
        return settings_of(name).model_validate(values)

    return Providers.model_validate({name: section(name, account.settings) for name, account in accounts.items()})
