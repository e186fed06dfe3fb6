"""Serves: makes the parts of a gateway, enters them in order, listens, and ends calls in order when it is over."""

import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from azure.core.credentials_async import AsyncTokenCredential

from gateway.call.calls import Calls
from gateway.call.metrics import Metrics
from gateway.call.record import Observer
from gateway.config import Deployment, Lines
from gateway.config.secrets import values_of
from gateway.config.telling.origins import origins
from gateway.config.urls import private_listener
from gateway.connecting.choice import public_legs
from gateway.doctor.probing import probing
from gateway.fleet.board import Board
from gateway.fleet.places import KnownCall
from gateway.live.book import LiveBook
from gateway.live.providers import RecentEnds
from gateway.live.relay import Relay
from gateway.live.server import LiveServer, live_serving
from gateway.live.source import sources_in
from gateway.live.state import state_of
from gateway.live.watch import Watch
from gateway.network.descriptors import left_for_connections
from gateway.records.masking import Masking
from gateway.records.recording.recordings import FinishedRecording
from gateway.routes.admitting.admission import Admission
from gateway.routes.health import Health
from gateway.routes.lag import watching
from gateway.routes.listeners import Inherited, Listener, listening
from gateway.routes.media_stream import MediaStreams
from gateway.routes.refusing.connections import Connections
from gateway.routes.refusing.refusals import Refusals, Refused
from gateway.routes.webhooks import Webhooks
from gateway.routing import private_listening, public_paths, url_of
from gateway.served import providers_of
from gateway.tape.tapes import Wanted
from gateway.tracing.environment import Exports
from gateway.voice.bot import answering_for
from gateway.voice.endpoints.making import in_place
from gateway.voice.endpoints.pooled import PooledVoiceLive
from gateway.wiring import (
    Access,
    Ground,
    Reception,
    VoiceSide,
    Witnesses,
    access_of,
    ground_of,
    reception_of,
    streams_of,
    tapes_of,
    voice_side_of,
    webhooks_of,
    witnesses_of,
)

log = structlog.get_logger()

DRAIN_LIMIT_S = 5.0


@dataclass(frozen=True)
class Gateway:
    """A gateway that is serving. ``url`` is its own address, with the port that it got."""

    url: str
    calls: Calls
    metrics: Metrics
    voice_live: PooledVoiceLive
    admission: Admission
    """Says whether a new call may be taken."""
    go_on: Callable[[KnownCall], Awaitable[None]]
    """Continues a call whose stream ended with another worker."""
    retire: Callable[[], Awaitable[None]]
    """Leaves new connections to another process that holds the same sockets; calls that come all the same are taken."""
    private_url: str = ""
    """The address of the private listener for health and metrics; empty without one."""


@asynccontextmanager
async def serving(
    deployment: Deployment,
    lines: Lines,
    *,
    endpoint: str = "",
    api_key: str = "",
    identity: AsyncTokenCredential | None = None,
    host: str = "",
    port: int = 0,
    listener: socket.socket | None = None,
    inherited: Inherited | None = None,
    board: Board | None = None,
    drain_s: float = 0.0,
    observers: tuple[Observer, ...] = (),
    on_refusal: Callable[[Refused, str], None] | None = None,
    tape: Wanted | None = None,
    exports: Exports | None = None,
    keep_records: bool = False,
    recordings: Path | None = None,
    on_recorded: Callable[[FinishedRecording], None] = lambda _: None,
    live: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Gateway]:
    """Serve until the block ends; then calls in progress get ``drain_s`` to end by themselves, and are ended in order.

    ``endpoint`` and ``api_key`` replace the deployment's endpoints, ``identity`` replaces Microsoft Entra ID.
    ``listener`` is a socket that listens already, in place of ``host`` and ``port``; ``inherited`` are those of one of
    several processes, and ``board`` is what it shares with the others. ``observers`` get the notes of calls,
    ``on_refusal`` gets each refusal, with what to do about it. ``tape`` says which calls are taped, ``exports`` what
    goes to a collector. ``keep_records`` keeps the records that the deployment wants, and recordings with them; else
    recordings are written to the folder ``recordings``, and without one none is made. Each that has ended is given to
    ``on_recorded``. ``live`` is the folder of the sockets by which a console sees the calls. ``clock`` is that of
    calls, in seconds. Raises ``OSError`` where the address cannot be listened on, ``GatewayError`` where the private
    one cannot, ``InputError`` where nothing can be exported.
    """
    ground = ground_of(deployment, lines, providers_of(deployment), board, clock)
    sections = (in_place(deployment, endpoint, api_key),) if endpoint else deployment.reached
    tapes = tapes_of(ground, tape, sections) if tape else None
    voice = voice_side_of(ground, sections, identity, taped=tapes is not None)
    witnesses = witnesses_of(ground, voice, tapes, exports, keep_records, recordings, on_recorded)
    access = access_of(ground, tapes, on_refusal)
    reception = reception_of(ground, voice, witnesses)
    ends = RecentEnds(ground.served, time.time)
    told = (*observers, *witnesses.observers(), *((ends.observe,) if live else ()))
    streams = streams_of(ground, access, reception, witnesses, told)
    webhooks = webhooks_of(ground, access, reception, witnesses, streams)
    parts = _Parts(ground, voice, witnesses, access, reception, streams, webhooks, _health(ground, voice), ends, live)
    async with _running(parts, host, port, inherited or Inherited([listener] if listener else ())) as gateway:
        try:
            yield gateway
        finally:
            await gateway.calls.drain(drain_s, DRAIN_LIMIT_S)
            await streams.strand_expected()


@dataclass(frozen=True)
class _Parts:
    """All parts of a gateway."""

    ground: Ground
    voice: VoiceSide
    witnesses: Witnesses
    access: Access
    reception: Reception
    streams: MediaStreams
    webhooks: Webhooks
    health: Health
    ends: RecentEnds
    live: Path | None

    def in_order(self) -> tuple[AbstractAsyncContextManager[object] | None, ...]:
        """Return what is entered before the gateway listens, in this order."""
        store, storage, voice_live = self.witnesses.store, self.witnesses.storage, self.voice.voice_live
        return (
            self.witnesses.telemetry,
            store.running() if store else None,
            self.witnesses.tapes,
            storage.running() if storage else None,
            self.witnesses.recorder,
            voice_live,
            self.reception.ahead,
            probing(voice_live, next((answering_for(line) for line in self.ground.lines), None)),
            self.access.control,
            self.reception.functions,
            self.voice.phrases,
            self.access.published_keys,
            self.reception.book.following(),
            self.access.refusals,
            live_serving(self.live, LiveServer(self._live_book())),
        )

    def _live_book(self) -> LiveBook:
        calls, records = self.ground.calls, self.ground.deployment.records
        about = state_of(calls, self.voice.voice_live.pool, self.health, self.ends)
        return LiveBook(calls, about, Masking(records.words, records.numbers), self.ground.clock, time.time)


@asynccontextmanager
async def _running(parts: _Parts, host: str, port: int, bound: Inherited) -> AsyncIterator[Gateway]:
    """Run all parts and listen until the block ends; sockets that are ``bound`` replace ``host`` and ``port``."""
    ground, refusals, listen = parts.ground, parts.access.refusals, parts.ground.deployment.listen
    relay = _relay(ground.deployment, parts.live, refusals)
    connections = _connections(ground, refusals)
    watched = private_listener(listen.private) if listen.private else None
    app = public_paths(parts.streams, parts.webhooks, None if watched else parts.health, refusals)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        for part in parts.in_order():
            if part is not None:  # one that holds nothing yet is false
                await enter(part)
        public = await enter(listening(app, connections, refusals, host=host, port=port, sockets=bound.public))
        private = await enter(private_listening(parts.health, refusals, watched, bound.private, relay))
        private_url = url_of(private) if private else ""
        _log_serving(ground, public, private_url)
        parts.voice.phrases.begin(ground.lines)
        with watching(ground.metrics), ground.load.measured() if ground.load else nullcontext():
            yield Gateway(
                url=url_of(public),
                calls=ground.calls,
                metrics=ground.metrics,
                voice_live=parts.voice.voice_live,
                admission=parts.reception.admission,
                go_on=parts.streams.adopt,
                retire=partial(_retire, ground.calls, public, private),
                private_url=private_url,
            )


def _health(ground: Ground, voice: VoiceSide) -> Health:
    return Health(
        ground.calls,
        ground.metrics,
        ground.board,
        voice.voice_live,
        voice.of_endpoints,
        partial(_answers_when_full, ground.deployment, ground.lines),
        ground.load,
        public_legs=public_legs(ground.deployment.sockets),
    )


def _answers_when_full(deployment: Deployment, lines: Lines) -> bool:
    """Return ``True`` if ``when_full`` is set, for all lines or for one; ``busy`` counts where it is written."""
    is_set = "when_full" in deployment.model_fields_set
    return is_set or any(line.settings.when_full is not None for line in lines)


def _relay(deployment: Deployment, live: Path | None, refusals: Refusals) -> Relay | None:
    keys = values_of(deployment.console.key)
    return Relay(Watch(partial(sources_in, live)), keys, refusals) if live and keys else None


def _connections(ground: Ground, refusals: Refusals) -> Connections:
    limit, metrics = ground.deployment.limits.connections, ground.metrics
    connections = Connections(limit, left_for_connections(), refusals.note, metrics.connections)
    metrics.connections_limit.set(connections.limit)
    return connections


def _log_serving(ground: Ground, public: Listener, private_url: str) -> None:
    (version,) = origins(ground.deployment, ("voice_live", "api_version"))
    log.info(
        "serving",
        host=public.host,
        port=public.port,
        private=private_url,
        lines=[line.name for line in ground.lines],
        api_version=version.value,
        api_version_from=version.origin,
    )


async def _retire(calls: Calls, *listeners: Listener | None) -> None:
    calls.retiring = True
    for listener in filter(None, listeners):
        await listener.retire()
