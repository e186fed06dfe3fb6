"""Decides which calls are taped, and gives what happens in them to the writer. All of it is the event loop's."""

import asyncio
import hmac
import itertools
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import structlog
from msgspec import Struct

from gateway.addresses import readings
from gateway.call.record import CallIdentity, TimedNote
from gateway.errors import WireError
from gateway.fleet.used import UsedKeys
from gateway.logs.setup import PRIVATE
from gateway.phone.events import CallStarted
from gateway.phone.leg import MediaSocket
from gateway.phone.provider import Grant, Provider, Upgrade
from gateway.phone.webhook import Answer, IncomingCall, StreamEnded, WebhookRequest
from gateway.rest import Exchanged
from gateway.tape.call_tape import CallTape, Entry, Exchange
from gateway.tape.fakes import Fakes
from gateway.tape.form import FORM, Header
from gateway.tape.redaction import Redaction
from gateway.tape.sockets import TapedSocket
from gateway.tape.writer import TapeFile, Writer

log = structlog.get_logger()

ATTEMPTS = 10
"""Refused calls of the tester that are taped beside those that were asked for: a wrong signature is worth a tape."""
KEPT_S = 24 * 3600.0
PENDING_LIMIT = 500
"""Messages that are kept in memory until the start of a stream has named the caller."""


class Wanted(Struct, frozen=True):
    """The calls to tape, as the options of ``gateway serve`` say."""

    folder: Path
    caller: str
    """The tester's number, in E.164 or as :func:`gateway.addresses.readings` gives it."""
    calls: int = 1
    audio: bool = False


class Taped:
    """A call that is taped; ``add`` costs microseconds."""

    def __init__(self, file: TapeFile, writer: Writer, clock: Callable[[], float]) -> None:
        self.file = file
        self.clock = clock
        self.has_stream = False
        self._writer = writer
        self._numbers = itertools.count(os.getpid() * 1000 % 10_000_000)

    def number(self) -> int:
        """Return a number that ties records together."""
        return next(self._numbers)

    def add(self, side: str, to: str, kind: str, payload: object, n: int = 0, at: float | None = None) -> None:
        """Record what happened now, or ``at``."""
        self._writer.add(self.file, Entry(self.clock() if at is None else at, side, to, payload, kind, n))


current: ContextVar[Taped | None] = ContextVar("current", default=None)
"""The taped call in whose task this runs."""


class Tapes:
    """All tapes of the process. Use as an async context manager; whoever leaves it has them on the disk.

    ``key`` makes the fakes and the names of the files: workers that share it append to one tape. ``used`` counts the
    calls for all of them. ``secrets`` and ``private`` are texts that must never be on a tape. ``providers`` and
    ``regions`` are by the accounts' names.
    """

    def __init__(
        self,
        wanted: Wanted,
        *,
        key: bytes,
        used: UsedKeys,
        secrets: Iterable[str] = (),
        private: Iterable[str] = (),
        providers: Mapping[str, str] | None = None,
        regions: Mapping[str, str] | None = None,
        api_version: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wanted = wanted
        self._clock = clock
        self._key = hmac.digest(key, b"tape", "sha256")
        self._used = used
        self._secrets = tuple(secrets)
        self._private = tuple(private)
        self._providers = providers or {}
        self._regions = regions or {}
        self._api_version = api_version
        self._writer = Writer()
        self._running: dict[tuple[str, str], Taped] = {}

    async def __aenter__(self) -> "Tapes":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.close()
        for file in {id(taped.file): taped.file for taped in self._running.values()}.values():
            if file.lost:
                file.add(Entry(self._clock(), "gateway", "", file.lost, "lost"))
            file.close()

    # Which calls

    def _find(self, account: str, *call_ids: str) -> Taped | None:
        """Return the tape of a call that is taped, here or in another worker."""
        for call_id in filter(None, call_ids):
            if taped := self._running.get((account, call_id)):
                return taped
            if self._used.is_used(_noted(account, call_id)):
                return self._open(account, call_id)
        return None

    def _begin(self, account: str, call_id: str, *, refused: bool = False) -> Taped | None:
        """Return the tape of a call of the tester; ``None`` where as many were taped as were asked for."""
        if (taped := self._find(account, call_id)) or not call_id:
            return taped
        kind, count = ("attempt", ATTEMPTS) if refused else ("call", self._wanted.calls)
        if not any(self._used.use(f"tape {kind} {number}", KEPT_S * 365) for number in range(count)):
            return None
        self._used.use(_noted(account, call_id), KEPT_S)
        return self._open(account, call_id)

    def _open(self, account: str, call_id: str) -> Taped:
        key = hmac.digest(self._key, f"{account}\0{call_id}".encode("utf-8", "surrogatepass"), "sha256")
        fakes = Fakes(key)
        name = f"tape-{re.sub('[^a-z0-9-]', '', account)}-{key.hex()[:16]}.jsonl"
        redaction = Redaction(fakes, self._secrets, self._private)
        now = self._clock()
        provider = self._providers.get(account, account)
        header = Header(
            tape=FORM,
            gateway=_version(),
            started=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            clock=now,
            provider=provider,
            account="" if account == provider else account,
            audio=self._wanted.audio,
            api_version=self._api_version,
            call=fakes.identifier(call_id),
        )
        tape = CallTape(redaction, header.clock, keep_audio=self._wanted.audio)
        taped = Taped(TapeFile(self._wanted.folder / name, tape, header), self._writer, self._clock)
        self._running[account, call_id] = taped
        log.info("tape_started", file=str(taped.file.path), provider=account)
        return taped

    def _is_tester(self, number: str, account: str) -> bool:
        return bool(number) and self._wanted.caller in readings(number, self._regions.get(account, ""))

    def _is_armed(self) -> bool:
        return any(not self._used.is_used(f"tape call {number}") for number in range(self._wanted.calls))

    # Webhooks

    @contextmanager
    def webhook(self, provider: Provider, webhook: WebhookRequest) -> Iterator[Callable[[Answer | None, str], None]]:
        """Record a verified webhook, and what the block does for it; the block calls what it gets with the answer.

        ``None`` for an answer means that it was refused for the reason that stands behind it.
        """
        caller, call_ids = _facts(provider, webhook)
        taped = self._find(provider.name, *call_ids)
        if taped is None and call_ids and self._is_tester(caller, provider.name):
            taped = self._begin(provider.name, call_ids[0])
        if taped is None:
            yield lambda answer, refused: None
            return
        number = taped.number()
        taped.add("webhook", "in", "request", _request(webhook), number)
        before = current.set(taped)
        try:
            yield partial(_answered, taped, number)
        finally:
            current.reset(before)

    def refused_webhook(self, provider: Provider, webhook: WebhookRequest, reason: str) -> None:
        """Record a webhook that proved nothing, where it names the tester: its signature may be of another form."""
        caller, call_ids = _facts(provider, webhook)
        if call_ids and self._is_tester(caller, provider.name):
            taped = self._begin(provider.name, call_ids[0], refused=True)
            if taped is not None:
                number = taped.number()
                taped.add("webhook", "in", "request", _request(webhook), number)
                _answered(taped, number, None, reason)

    # The media stream

    def refused_stream(self, provider: Provider, upgrade: Upgrade, reason: str) -> None:
        """Record an upgrade that was refused, on each tape of this provider that waits for its stream."""
        for (account, _), taped in list(self._running.items()):
            if account == provider.name and not taped.has_stream:
                taped.add("phone", "in", "upgrade", Exchange(upgrade.headers, "GET", upgrade.url))
                taped.add("phone", "out", "refused", {"reason": reason})

    def stream(self, socket: MediaSocket, provider: Provider, upgrade: Upgrade, grant: Grant) -> MediaSocket:
        """Return ``socket``, or one that records: of a taped call, and of one whose caller its start will name."""
        account = provider.name
        taped = self._find(account, grant.call_id)
        if taped is None and self._is_tester(grant.caller, account):
            taped = self._begin(account, grant.call_id)
        is_anothers = grant.caller or (grant.call_id and not self._is_armed())
        if taped is None and is_anothers:
            return socket
        recorder = _Recorder(taped, self._clock)
        recorder.add("phone", "in", "upgrade", Exchange(upgrade.headers, "GET", upgrade.url))
        recorder.add("phone", "out", "opened", None)
        return _PhoneSocket(socket, recorder)

    @contextmanager
    def call(self, socket: MediaSocket, provider: Provider, started: CallStarted) -> Iterator[None]:
        """Record the call that has begun on ``socket``, if it is the tester's; else the socket records nothing more."""
        if not isinstance(socket, _PhoneSocket):
            yield
            return
        recorder = socket.recorder
        if recorder.taped is None:
            taped = self._find(provider.name, started.call_id)
            if taped is None and self._is_tester(started.caller, provider.name):
                taped = self._begin(provider.name, started.call_id)
            if taped is None:
                socket.stop()
                yield
                return
            recorder.decide(taped)
        taped = recorder.taped
        assert taped is not None  # noqa: S101 -- decided above
        self._running[provider.name, started.call_id] = taped  # ACS changes a call's id once it is up
        facts = {name: getattr(started, name) for name in ("call_id", "stream_id", "caller", "called")}
        told = {**facts, "custom_parameters": started.parameters, "audio_format": str(started.audio_format)}
        for name in ("frame_header", "big_endian"):
            if value := getattr(started, name):
                told[name] = value
        taped.add("gateway", "", "started", told)
        before = current.set(taped)
        try:
            yield
        finally:
            current.reset(before)
            log.info("tape_ended", file=str(taped.file.path), provider=provider.name)

    # The rest

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:
        """Record what the gateway notes of a call, without what is private."""
        taped = self._running.get((identity.provider, identity.call_id))
        if taped is not None:
            facts = {name: value for name, value in note.note.fields().items() if name not in PRIVATE}
            taped.add("gateway", "", "note", {"kind": note.note.event, **facts}, at=note.at)

    def exchanged(self, exchanged: Exchanged) -> None:
        """Record a request to a provider's REST API that a taped call has made, and its answer."""
        taped = current.get()
        if taped is not None:
            request, number = exchanged.request, taped.number()
            asked = Exchange(request.headers, request.method, request.url, request.body)
            taped.add("rest", "out", "request", asked, number, at=self._clock() - exchanged.took_s)
            answer = Exchange(
                exchanged.answer_headers, content=exchanged.body, status=exchanged.status, failure=exchanged.failure
            )
            taped.add("rest", "in", "answer", answer, number)


class _Recorder:
    """Records what a stream brings; keeps it while it is not known whose stream it is."""

    def __init__(self, taped: Taped | None, clock: Callable[[], float]) -> None:
        self.taped = taped
        self._clock = clock
        self._pending: list[tuple[str, str, str, object, float]] = []
        if taped is not None:
            taped.has_stream = True

    def add(self, side: str, to: str, kind: str, payload: object) -> None:
        """Record what happened now."""
        if self.taped is not None:
            self.taped.add(side, to, kind, payload)
        elif len(self._pending) < PENDING_LIMIT:
            self._pending.append((side, to, kind, payload, self._clock()))

    def decide(self, taped: Taped) -> None:
        """Record what was kept, and what comes, on this tape."""
        self.taped = taped
        taped.has_stream = True
        for side, to, kind, payload, at in self._pending:
            taped.add(side, to, kind, payload, at=at)
        self._pending.clear()


class _PhoneSocket(TapedSocket):
    """The recording socket of a media stream."""

    def __init__(self, socket: MediaSocket, recorder: _Recorder) -> None:
        super().__init__(socket, lambda to, kind, payload: self.recorder.add("phone", to, kind, payload))
        self.recorder = recorder


def _facts(provider: Provider, webhook: WebhookRequest) -> tuple[str, tuple[str, ...]]:
    """Return the caller of a webhook, if it names one, and the ids of the calls that it is about."""
    webhooks = provider.webhooks
    if webhooks is None:
        return "", ()
    with suppress(WireError):
        incoming = webhooks.incoming(webhook)
        if isinstance(incoming, IncomingCall):
            return incoming.caller, (incoming.call_id,)
        if isinstance(incoming, StreamEnded):
            return "", (incoming.call_id,)
    with suppress(WireError):
        statuses = webhooks.status(webhook)
        return "", tuple(call_id for one in statuses for call_id in (one.call_id, one.answered_as) if call_id)
    return "", ()


def _request(webhook: WebhookRequest) -> Exchange:
    return Exchange(webhook.headers, webhook.method, webhook.url, webhook.body)


def _answered(taped: Taped, number: int, answer: Answer | None, refused: str) -> None:
    told = Exchange({}, failure=refused) if answer is None else None
    if answer is not None:
        told = Exchange({}, content=answer.body.encode(), content_type=answer.content_type, status=answer.status)
    taped.add("webhook", "out", "answer", told, number)


def _noted(account: str, call_id: str) -> str:
    return f"tape of {account} {call_id}"


def _version() -> str:
    try:
        return version("voice-line-gateway")
    except PackageNotFoundError:  # run from its source
        return ""
