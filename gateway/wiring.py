"""Connects configuration, legs, conversation and routes, each part with those that it needs; no other module does.

The parts stand in the order in which they are made. Nothing runs yet: ``gateway.app`` enters and leaves them.
"""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from msgspec.structs import replace

from gateway.call.calls import Calls
from gateway.call.metrics import Metrics
from gateway.call.record import Observer
from gateway.call.recovery.legs import Voice
from gateway.call.refusal import TurnedAway
from gateway.call.settings import CallSettings
from gateway.call_setup import SessionRules, prepare
from gateway.config import Deployment, Line, Lines
from gateway.config.endpoints import EndpointSection
from gateway.config.providers import provider_of
from gateway.config.secrets import secrets_within, values_of
from gateway.fleet.board import Board
from gateway.logs.redaction import secrets_in
from gateway.phone.events import CallStarted
from gateway.phone.provider import KeySet, Provider
from gateway.phone.token import StreamTokens
from gateway.phrases import Phrases
from gateway.records.keeping import keeping_of, record_store, recording_storage
from gateway.records.recording.places import FolderAlone, Keeping
from gateway.records.recording.recordings import FinishedRecording, Recordings
from gateway.records.store.store import RecordStore
from gateway.records.storing.storage import RecordingStorage
from gateway.rest import CallControl
from gateway.routes.admitting.admission import Admission
from gateway.routes.admitting.load import Load
from gateway.routes.line_book import LineBook
from gateway.routes.media_stream import MediaStreams
from gateway.routes.outcomes import Outcomes
from gateway.routes.published_keys import PublishedKeys
from gateway.routes.refusing.refusals import Refusals, Refused
from gateway.routes.sessions_ahead import SessionsAhead
from gateway.routes.stream_keys import StreamKeys
from gateway.routes.webhooks import Webhooks
from gateway.sockets.choice import choose_sockets
from gateway.tape.service import TapedVoiceLive
from gateway.tape.tapes import Tapes, Wanted
from gateway.tools import Functions
from gateway.tracing.attributes import Privacy
from gateway.tracing.environment import Exports
from gateway.tracing.starting import telemetry_for
from gateway.voice.endpoints.making import pooled
from gateway.voice.endpoints.metrics import EndpointMetrics
from gateway.voice.endpoints.pooled import PooledVoiceLive
from gateway.voice.negotiation.reductions import MEMBERS
from gateway.voice.service import VoiceLive
from gateway.voice.texts import CallFacts

if TYPE_CHECKING:  # an extra, which is not there where no traces are made
    from gateway.tracing.telemetry import Telemetry
    from gateway.tracing.traces import Traces


@dataclass(frozen=True)
class Ground:
    """The ground on which every other part stands: the configuration, and the calls of the process as counted."""

    deployment: Deployment
    lines: Lines
    served: dict[str, Provider]
    clock: Callable[[], float]
    board: Board
    metrics: Metrics
    calls: Calls
    load: Load | None
    """Measures how busy the process is, where that limits calls."""
    stream_keys: tuple[str, ...] = field(repr=False)
    """The keys of the tokens of streams: the one that signs, then those that signed until it replaced them."""

    @property
    def public_url(self) -> str:
        """The address by which providers reach the gateway; empty if none is configured."""
        return self.deployment.public_url or ""


def ground_of(
    deployment: Deployment,
    lines: Lines,
    served: dict[str, Provider],
    board: Board | None,
    clock: Callable[[], float],
) -> Ground:
    """Return the ground of a process that serves ``served``; without a ``board`` it shares nothing with another one."""
    metrics = Metrics(served)
    board = board or Board(deployment.limits.places, now=clock)
    calls = Calls(deployment.limits.places, board.places)
    metrics.calls_limit.set(calls.limit)
    load = Load(calls.late_frames, metrics.saturated) if deployment.limits.calls == "auto" else None
    calls.room = load
    metrics.know_members((*MEMBERS, "model"))
    keys = values_of(deployment.streams.key) or (secrets.token_urlsafe(32),)  # else one for this process' life
    return Ground(deployment, lines, served, clock, board, metrics, calls, load, tuple(keys))


def tapes_of(ground: Ground, wanted: Wanted, sections: Sequence[EndpointSection]) -> Tapes:
    """Return the tapes of the calls that are wanted, with all that must not be on them."""
    deployment = ground.deployment
    accounts = deployment.served_accounts
    within = secrets_within([deployment, *(line.settings for line in ground.lines)])
    hosts = (urlsplit(url).hostname for url in (*(one.endpoint for one in sections), ground.public_url))
    return Tapes(
        wanted,
        key=ground.stream_keys[0].encode(),
        used=ground.board.used,
        secrets={*within, *secrets_in(os.environ)},
        private=filter(None, hosts),
        providers={name: provider_of(name, section) for name, section in accounts.items()},
        regions=_regions(deployment),
        api_version=deployment.voice_live.api_version,
        clock=ground.clock,
    )


@dataclass(frozen=True)
class VoiceSide:
    """Voice Live as calls reach it, and the words for callers while they do not."""

    voice_live: PooledVoiceLive
    of_endpoints: EndpointMetrics
    phrases: Phrases

    def measure(self, now: float) -> None:
        """Bring the metrics up to date that are measured when they are read."""
        self.of_endpoints.measure(self.voice_live.pool, now)


def voice_side_of(
    ground: Ground, sections: Sequence[EndpointSection], identity: AsyncTokenCredential | None, *, taped: bool
) -> VoiceSide:
    """Return Voice Live at the endpoints of ``sections``."""
    voice_live, of_endpoints = pooled(
        ground.deployment,
        sections,
        ground.board.sessions,
        ground.metrics.registry,
        asyncio.get_running_loop().time,
        kind=TapedVoiceLive if taped else VoiceLive,
        identity=identity,
        watch=ground.metrics,
    )
    return VoiceSide(voice_live, of_endpoints, Phrases(voice_live, ground.deployment.phrases))


@dataclass(frozen=True)
class Witnesses:
    """The tapes, records, recordings and traces of calls, each where it is wanted."""

    tapes: Tapes | None
    store: RecordStore | None
    storage: RecordingStorage | None
    recorder: Recordings | None
    telemetry: "Telemetry | None"

    def observers(self) -> Iterator[Observer]:
        """Yield what is told of every call."""
        if self.tapes:
            yield self.tapes.observe
        if self.store:
            yield self.store.intake.observe

    @property
    def traces(self) -> "Traces | None":
        """The traces of calls, where something is exported."""
        return self.telemetry.traces if self.telemetry else None

    @property
    def turned_away(self) -> Callable[[TurnedAway], None]:
        """The observer of callers for whom there was no room."""
        return self.store.intake.turned_away if self.store else lambda _: None


def witnesses_of(
    ground: Ground,
    voice: VoiceSide,
    tapes: Tapes | None,
    exports: Exports | None,
    keep_records: bool,
    recordings: Path | None,
    on_recorded: Callable[[FinishedRecording], None],
) -> Witnesses:
    """Return what keeps something of calls; a folder for ``recordings`` takes the place of their storage."""
    deployment, registry, clock = ground.deployment, ground.metrics.registry, ground.clock
    store = record_store(deployment, ground.lines, registry, clock) if keep_records else None
    storage = recording_storage(deployment, store, registry) if store else None
    keeping = keeping_of(deployment, store, storage) if store and storage else None
    if recordings:
        keeping = Keeping(FolderAlone(recordings))
    recorder = Recordings(keeping, registry, on_recorded, clock=clock) if keeping else None
    telemetry = _telemetry(ground, voice, exports) if exports else None
    return Witnesses(tapes, store, storage, recorder, telemetry)


def _telemetry(ground: Ground, voice: VoiceSide, exports: Exports) -> "Telemetry":
    privacy = Privacy(ground.deployment.traces.words, ground.deployment.traces.numbers)
    loop = asyncio.get_running_loop()
    return telemetry_for(exports, ground.metrics.registry, privacy, ground.clock, lambda: voice.measure(loop.time()))


@dataclass(frozen=True)
class Access:
    """The proof of webhooks and streams, and the refusals of those that lack it."""

    control: CallControl
    published_keys: PublishedKeys
    tokens: StreamTokens
    keys: StreamKeys
    refusals: Refusals


def access_of(ground: Ground, tapes: Tapes | None, on_refusal: Callable[[Refused, str], None] | None) -> Access:
    """Return what decides who may call."""
    deployment, served, metrics = ground.deployment, ground.served, ground.metrics
    control = CallControl(tapes.exchanged if tapes else None)
    published_keys = PublishedKeys(control, metrics, _kept_keys(deployment, served))
    key, *old = ground.stream_keys
    tokens = StreamTokens(key, deployment.streams.token_ttl_s, *old)
    keys = StreamKeys(
        tokens,
        {name: values_of(section.stream_secret) for name, section in deployment.providers.accounts.items()},
        published_keys,
        ground.board.used,
        metrics,
        required=deployment.streams.auth == "token",
        always=served.keys() - deployment.providers.accounts.keys(),
    )
    refusals = Refusals(metrics, urlsplit(ground.public_url).path, on_refusal)
    return Access(control, published_keys, tokens, keys, refusals)


def _kept_keys(deployment: Deployment, served: dict[str, Provider]) -> dict[str, tuple[KeySet, Path]]:
    """Return the published keys that a file keeps; a relative path is one beside ``gateway.yaml``."""
    published = {name: provider.published_keys for name, provider in served.items()}
    return {name: (keys, deployment.file.parent / keys.file) for name, keys in published.items() if keys and keys.file}


Prepare = Callable[[Line, CallStarted], tuple[CallSettings, Voice]]
"""Makes the settings and the voice leg of a call."""


@dataclass(frozen=True)
class Reception:
    """The parts that webhooks and streams share, because a call that the one announces comes to the other."""

    prepare: Prepare
    ahead: SessionsAhead
    book: LineBook
    admission: Admission
    functions: Functions
    outcomes: Outcomes


def reception_of(ground: Ground, voice: VoiceSide, witnesses: Witnesses) -> Reception:
    """Return what receives calls."""
    deployment, metrics = ground.deployment, ground.metrics
    clock = asyncio.get_running_loop().time
    prepared = _prepared(ground, voice, witnesses.recorder)
    at_most = 0 if witnesses.tapes else deployment.voice_live.open_ahead  # a tape begins with its call
    return Reception(
        prepare=prepared,
        ahead=SessionsAhead(prepared, at_most, metrics),
        book=LineBook(ground.lines, metrics, _regions(deployment)),
        admission=Admission(ground.calls, ground.board, voice.voice_live.pool, clock, deployment.streams.token_ttl_s),
        functions=Functions(metrics.functions_left_running.inc),
        outcomes=Outcomes(ground.board.ends),
    )


def _prepared(ground: Ground, voice: VoiceSide, recorder: Recordings | None) -> Prepare:
    limits, times = ground.deployment.limits, ground.deployment.voice_live

    def prepared(line: Line, started: CallStarted) -> tuple[CallSettings, Voice]:
        facts = CallFacts(started.call_id, started.caller, started.called, datetime.now(UTC), started.parameters)
        watch_speech = len(ground.calls) <= limits.watched_calls
        phrase = voice.phrases.of(line, started.audio_format)
        sessions = SessionRules(times.connect_timeout_s, times.session_limit_s, phrase)
        settings, leg = prepare(
            line, started.audio_format, facts, voice.voice_live, watch_speech=watch_speech, sessions=sessions
        )
        return (settings if recorder and recorder.has_room else replace(settings, recording=None)), leg

    return prepared


def streams_of(
    ground: Ground, access: Access, reception: Reception, witnesses: Witnesses, observers: tuple[Observer, ...]
) -> MediaStreams:
    """Return what takes the media streams; ``observers``, the witnesses' included, are told of their calls."""
    deployment = ground.deployment
    return MediaStreams(
        providers=ground.served,
        lines=reception.book,
        calls=ground.calls,
        admission=reception.admission,
        metrics=ground.metrics,
        prepare=reception.prepare,
        ahead=reception.ahead,
        functions=reception.functions,
        outcomes=reception.outcomes,
        observers=observers,
        authorize=access.keys.authorize,
        authorize_start=access.keys.authorize_start,
        used=ground.board.used,
        control=access.control,
        refusals=access.refusals,
        accept=choose_sockets(deployment.sockets).accept,
        public_url=ground.public_url,
        max_message=deployment.limits.message_kb * 1024,
        start_timeout_s=deployment.limits.start_timeout_s,
        turned_away=witnesses.turned_away,
        tapes=witnesses.tapes,
        traces=witnesses.traces,
        recordings=witnesses.recorder,
        clock=ground.clock,
    )


def webhooks_of(
    ground: Ground, access: Access, reception: Reception, witnesses: Witnesses, streams: MediaStreams
) -> Webhooks:
    """Return what answers the webhooks of the calls that come to ``streams``."""
    return Webhooks(
        providers=ground.served,
        public_url=ground.public_url,
        lines=reception.book,
        calls=ground.calls,
        admission=reception.admission,
        when_full=ground.deployment.when_full,
        tokens=access.tokens,
        outcomes=reception.outcomes,
        control=access.control,
        published_keys=access.published_keys,
        refusals=access.refusals,
        metrics=ground.metrics,
        used=ground.board.used,
        replayed=ground.board.webhooks,
        strand=streams.strand,
        ahead=reception.ahead,
        turned_away=witnesses.turned_away,
        tapes=witnesses.tapes,
        traces=witnesses.traces,
    )


def _regions(deployment: Deployment) -> dict[str, str]:
    return {name: section.region for name, section in deployment.providers.accounts.items() if section.region}
