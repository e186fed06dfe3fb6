"""Connects configuration, legs, conversation and routes to one running gateway; no other module does."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from azure.core.credentials_async import AsyncTokenCredential
from msgspec.structs import replace

from gateway.call.calls import Calls
from gateway.call.metrics import Metrics
from gateway.call.record import Observer
from gateway.call.recovery.legs import Voice
from gateway.call.settings import CallSettings
from gateway.call_setup import SessionRules, prepare
from gateway.config import Deployment, Line, Lines
from gateway.config.providers import provider_of
from gateway.config.secrets import secrets_within, values_of
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
from gateway.logs.redaction import secrets_in
from gateway.network.descriptors import left_for_connections
from gateway.phone.events import CallStarted
from gateway.phone.provider import KeySet, Provider
from gateway.phone.token import StreamTokens
from gateway.phrases import Phrases
from gateway.records.keeping import keeping_of, record_store, recording_storage
from gateway.records.masking import Masking
from gateway.records.recording.places import FolderAlone, Keeping
from gateway.records.recording.recordings import FinishedRecording, Recordings
from gateway.records.store.store import RecordStore
from gateway.rest import CallControl
from gateway.routes.admitting.admission import Admission
from gateway.routes.admitting.load import Load
from gateway.routes.health import Health
from gateway.routes.lag import watching
from gateway.routes.line_book import LineBook
from gateway.routes.listeners import Inherited, Listener, listening
from gateway.routes.media_stream import MediaStreams
from gateway.routes.outcomes import Outcomes
from gateway.routes.published_keys import PublishedKeys
from gateway.routes.refusing.connections import Connections
from gateway.routes.refusing.refusals import Refusals, Refused
from gateway.routes.sessions_ahead import SessionsAhead
from gateway.routes.stream_keys import StreamKeys
from gateway.routes.webhooks import Webhooks
from gateway.routing import private_listening, public_paths, url_of
from gateway.served import providers_of
from gateway.sockets.choice import choose_sockets
from gateway.tape.service import TapedVoiceLive
from gateway.tape.tapes import Tapes, Wanted
from gateway.tools import Functions
from gateway.tracing.attributes import Privacy
from gateway.tracing.environment import Exports
from gateway.tracing.starting import telemetry_for
from gateway.voice.bot import answering_for
from gateway.voice.endpoints.making import in_place, pooled
from gateway.voice.endpoints.metrics import EndpointMetrics
from gateway.voice.endpoints.pooled import PooledVoiceLive
from gateway.voice.negotiation.reductions import MEMBERS
from gateway.voice.service import VoiceLive
from gateway.voice.texts import CallFacts

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
    served = providers_of(deployment)
    sections = (in_place(deployment, endpoint, api_key),) if endpoint else deployment.reached
    metrics = Metrics(served)
    board = board or Board(deployment.limits.places, now=clock)
    calls = Calls(deployment.limits.places, board.places)
    metrics.calls_limit.set(calls.limit)
    load = Load(calls.late_frames, metrics.saturated) if deployment.limits.calls == "auto" else None
    calls.room = load
    metrics.know_members((*MEMBERS, "model"))
    key, *old = values_of(deployment.streams.key) or (secrets.token_urlsafe(32),)  # else one for this process' life
    tokens = StreamTokens(key, deployment.streams.token_ttl_s, *old)
    public_url = deployment.public_url or ""
    where = [one.endpoint for one in sections]
    tapes = _tapes(tape, deployment, lines, key, board, where, clock) if tape else None
    store = record_store(deployment, lines, metrics.registry, clock) if keep_records else None
    control = CallControl(tapes.exchanged if tapes else None)
    functions = Functions(metrics.functions_left_running.inc)
    outcomes = Outcomes(board.ends)
    published_keys = PublishedKeys(control, metrics, _kept_keys(deployment, served))
    keys = StreamKeys(
        tokens,
        _stream_secrets(deployment),
        published_keys,
        board.used,
        metrics,
        required=deployment.streams.auth == "token",
        always=served.keys() - deployment.providers.accounts.keys(),
    )
    refusals = Refusals(metrics, urlsplit(public_url).path, on_refusal)
    loop = asyncio.get_running_loop()
    voice_live, of_endpoints = pooled(
        deployment,
        sections,
        board.sessions,
        metrics.registry,
        loop.time,
        kind=TapedVoiceLive if tapes else VoiceLive,
        identity=identity,
        watch=metrics,
    )
    phrases = Phrases(voice_live, deployment.phrases)
    storage = recording_storage(deployment, store, metrics.registry) if store else None
    keeping = keeping_of(deployment, store, storage) if store and storage else None
    if recordings:
        keeping = Keeping(FolderAlone(recordings))
    recorder = Recordings(keeping, metrics.registry, on_recorded, clock=clock) if keeping else None
    telemetry = None
    if exports:
        privacy = Privacy(deployment.traces.words, deployment.traces.numbers)
        measure = partial(_measure, of_endpoints, voice_live, loop)
        telemetry = telemetry_for(exports, metrics.registry, privacy, clock, measure)
    traces = telemetry.traces if telemetry else None

    def prepared(line: Line, started: CallStarted) -> tuple[CallSettings, Voice]:
        facts = CallFacts(started.call_id, started.caller, started.called, datetime.now(UTC), started.parameters)
        watch_speech = len(calls) <= deployment.limits.watched_calls
        audio_format, times = started.audio_format, deployment.voice_live
        sessions = SessionRules(times.connect_timeout_s, times.session_limit_s, phrases.of(line, audio_format))
        settings, voice = prepare(line, audio_format, facts, voice_live, watch_speech=watch_speech, sessions=sessions)
        return (settings if recorder and recorder.has_room else replace(settings, recording=None)), voice

    at_most = 0 if tapes else deployment.voice_live.open_ahead  # a tape begins with its call
    ahead = SessionsAhead(prepared, at_most, metrics)
    book = LineBook(lines, metrics, _regions(deployment))
    admission = Admission(calls, board, voice_live.pool, loop.time, deployment.streams.token_ttl_s)
    recent_ends = RecentEnds(served, time.time)
    turned_away = store.intake.turned_away if store else lambda _: None
    streams = MediaStreams(
        providers=served,
        lines=book,
        calls=calls,
        admission=admission,
        metrics=metrics,
        prepare=prepared,
        ahead=ahead,
        functions=functions,
        outcomes=outcomes,
        observers=(*observers, *_of_calls(tapes, store, recent_ends if live else None)),
        authorize=keys.authorize,
        authorize_start=keys.authorize_start,
        used=board.used,
        control=control,
        refusals=refusals,
        accept=choose_sockets(deployment.sockets).accept,
        public_url=public_url,
        max_message=deployment.limits.message_kb * 1024,
        start_timeout_s=deployment.limits.start_timeout_s,
        turned_away=turned_away,
        tapes=tapes,
        traces=traces,
        recordings=recorder,
        clock=clock,
    )
    webhooks = Webhooks(
        providers=served,
        public_url=public_url,
        lines=book,
        calls=calls,
        admission=admission,
        when_full=deployment.when_full,
        tokens=tokens,
        outcomes=outcomes,
        control=control,
        published_keys=published_keys,
        refusals=refusals,
        metrics=metrics,
        used=board.used,
        replayed=board.webhooks,
        strand=streams.strand,
        ahead=ahead,
        turned_away=turned_away,
        tapes=tapes,
        traces=traces,
    )
    answers = partial(_answers_when_full, deployment, lines)
    legs = public_legs(deployment.sockets)
    health = Health(calls, metrics, board, voice_live, of_endpoints, answers, load, public_legs=legs)
    masking = Masking(deployment.records.words, deployment.records.numbers)
    live_calls = LiveBook(calls, state_of(calls, voice_live.pool, health, recent_ends), masking, clock, time.time)
    live_server = LiveServer(live_calls)
    relay = _relay(deployment, live, refusals)
    connections = Connections(deployment.limits.connections, left_for_connections(), refusals.note, metrics.connections)
    metrics.connections_limit.set(connections.limit)
    watched = private_listener(deployment.listen.private) if deployment.listen.private else None
    app = public_paths(streams, webhooks, None if watched else health, refusals)
    sockets = inherited.public if inherited else [listener] if listener else ()
    running: tuple[AbstractAsyncContextManager[object] | None, ...] = (
        telemetry,
        store.running() if store else None,
        tapes,
        storage.running() if storage else None,
        recorder,
        voice_live,
        ahead,
        probing(voice_live, next((answering_for(line) for line in lines), None)),
        control,
        functions,
        phrases,
        published_keys,
        book.following(),
        refusals,
        live_serving(live, live_server),
    )
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        for part in running:
            if part is not None:  # one that holds nothing yet is false
                await enter(part)
        public = await enter(listening(app, connections, refusals, host=host, port=port, sockets=sockets))
        private_sockets = inherited.private if inherited else ()
        private = await enter(private_listening(health, refusals, watched, private_sockets, relay))
        url, private_url = url_of(public), url_of(private) if private else ""
        (version,) = origins(deployment, ("voice_live", "api_version"))
        log.info(
            "serving",
            host=public.host,
            port=public.port,
            private=private_url,
            lines=[line.name for line in lines],
            api_version=version.value,
            api_version_from=version.origin,
        )
        phrases.begin(lines)
        with watching(metrics), load.measured() if load else nullcontext():
            try:
                retire = partial(_retire, calls, public, private)
                yield Gateway(url, calls, metrics, voice_live, admission, streams.adopt, retire, private_url)
            finally:
                await calls.drain(drain_s, DRAIN_LIMIT_S)
                await streams.strand_expected()


def _of_calls(tapes: Tapes | None, store: RecordStore | None, ends: RecentEnds | None) -> Iterator[Observer]:
    """Yield what is told of every call."""
    if tapes:
        yield tapes.observe
    if store:
        yield store.intake.observe
    if ends:
        yield ends.observe


def _relay(deployment: Deployment, live: Path | None, refusals: Refusals) -> Relay | None:
    keys = values_of(deployment.console.key)
    return Relay(Watch(partial(sources_in, live)), keys, refusals) if live and keys else None


async def _retire(calls: Calls, *listeners: Listener | None) -> None:
    calls.retiring = True
    for listener in filter(None, listeners):
        await listener.retire()


def _answers_when_full(deployment: Deployment, lines: Lines) -> bool:
    """Return ``True`` if ``when_full`` is set, for all lines or for one; ``busy`` counts where it is written."""
    is_set = "when_full" in deployment.model_fields_set
    return is_set or any(line.settings.when_full is not None for line in lines)


def _tapes(
    tape: Wanted,
    deployment: Deployment,
    lines: Lines,
    key: str,
    board: Board,
    endpoints: Sequence[str],
    clock: Callable[[], float],
) -> Tapes:
    """Return the tapes of the calls that are wanted, with all that must not be on them."""
    accounts = deployment.served_accounts
    within = secrets_within([deployment, *(line.settings for line in lines)])
    hosts = (urlsplit(url).hostname for url in (*endpoints, deployment.public_url or ""))
    return Tapes(
        tape,
        key=key.encode(),
        used=board.used,
        secrets={*within, *secrets_in(os.environ)},
        private=filter(None, hosts),
        providers={name: provider_of(name, section) for name, section in accounts.items()},
        regions=_regions(deployment),
        api_version=deployment.voice_live.api_version,
        clock=clock,
    )


def _measure(of_endpoints: EndpointMetrics, voice_live: PooledVoiceLive, loop: asyncio.AbstractEventLoop) -> None:
    """Bring the metrics up to date that are measured when they are read."""
    of_endpoints.measure(voice_live.pool, loop.time())


def _kept_keys(deployment: Deployment, served: dict[str, Provider]) -> dict[str, tuple[KeySet, Path]]:
    """Return the published keys that a file keeps; a relative path is one beside ``gateway.yaml``."""
    published = {name: provider.published_keys for name, provider in served.items()}
    return {name: (keys, deployment.file.parent / keys.file) for name, keys in published.items() if keys and keys.file}


def _stream_secrets(deployment: Deployment) -> dict[str, tuple[str, ...]]:
    return {name: values_of(section.stream_secret) for name, section in deployment.providers.accounts.items()}


def _regions(deployment: Deployment) -> dict[str, str]:
    return {name: section.region for name, section in deployment.providers.accounts.items() if section.region}
