"""Sessions that are opened when a webhook announces a call, before its stream is there."""

import asyncio
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from gateway.audio.formats import AudioFormat
from gateway.call.metrics import Metrics
from gateway.call.recovery.legs import Voice
from gateway.call.settings import CallSettings
from gateway.call.speaking.responses import Request, first_request
from gateway.config import Line
from gateway.fleet.places import CallKey
from gateway.phone.events import CallStarted, Playout
from gateway.phone.webhook import IncomingCall
from gateway.routes.parties import identified
from gateway.voice.commands import SeedMessage
from gateway.voice.events import VoiceClosed, VoiceEnd
from gateway.voice.leg import VoiceLeg
from gateway.voice.opening import Opened

log = structlog.get_logger()

UNCLAIMED_S = 5.0
"""A session whose stream has not come by then is closed; providers take 0.2 to 2 s."""


class Outcome(enum.StrEnum):
    """The fate of a session that is opened ahead, or is not."""

    CLAIMED = "claimed"
    """The call's stream came, and took it."""
    UNCLAIMED = "unclaimed"
    """No stream came in time, or it came to another worker."""
    CALL_OVER = "call_over"
    """The provider reported the call's end, or the gateway stops."""
    LOST = "lost"
    """It was not opened, or has ended while it waited."""
    DISCARDED = "discarded"
    """The stream has another format or other numbers than its webhook, or the line has changed."""
    FULL = "full"
    """As many waited as may: the call opens its session itself."""


@dataclass
class _Waiting:
    """A session that waits for its stream; ``started`` is the start that is expected."""

    line: Line
    started: CallStarted
    settings: CallSettings
    leg: VoiceLeg
    begun_at: float
    task: "asyncio.Task[Opened | VoiceClosed]"
    timer: asyncio.TimerHandle
    context: dict[str, str] = field(default_factory=dict)


class SessionsAhead:
    """The sessions of this process that wait for their streams, at most ``limit``. Use as an async context manager.

    ``prepare`` makes settings and voice leg of a call, as for any call.
    """

    def __init__(
        self, prepare: Callable[[Line, CallStarted], tuple[CallSettings, Voice]], limit: int, metrics: Metrics
    ) -> None:
        self._prepare = prepare
        self._limit = limit
        self._metrics = metrics
        self._waiting: dict[CallKey, _Waiting] = {}
        self._formats: dict[str, AudioFormat] = {}
        """The format that each provider's last stream had, which counts more than what the answer asks for."""
        self._group = asyncio.TaskGroup()
        for outcome in Outcome if limit else ():
            metrics.sessions_ahead.labels(outcome.value)

    def __len__(self) -> int:
        return len(self._waiting)

    async def __aenter__(self) -> "SessionsAhead":
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for key in list(self._waiting):
            self.drop(key, Outcome.CALL_OVER)
        await self._group.__aexit__(None, None, None)

    def open(self, key: CallKey, line: Line, call: IncomingCall, region: str, answered: AudioFormat | None) -> None:
        """Open the session of a call whose webhook was verified and answered; ``answered`` is its answer's format.

        None is opened for a line whose texts need what the stream alone brings, or that needs no session. ``region`` is
        the provider's.
        """
        audio_format = self._formats.get(key[0], answered)
        if not self._limit or not key[1] or key in self._waiting or audio_format is None or line.settings.parameters:
            return
        context = {"call": key[1], "line": line.name}
        if len(self._waiting) >= self._limit:
            self._note(Outcome.FULL, context)
            return
        expected = CallStarted(key[1], "", audio_format, Playout(), caller=call.caller, called=call.called)
        started = identified(expected, line, region)
        settings, leg = self._prepare(line, started)
        if not isinstance(leg, VoiceLeg):
            return
        greeting = first_request(settings.first_words) if isinstance(settings.first_words, Request) else None
        with structlog.contextvars.bound_contextvars(**context):
            task = leg.opened = self._group.create_task(_opened(leg, greeting, settings.history))
        loop = asyncio.get_running_loop()
        timer = loop.call_later(UNCLAIMED_S, self.drop, key, Outcome.UNCLAIMED)
        self._waiting[key] = _Waiting(line, started, settings, leg, loop.time(), task, timer, context)

    def claim(self, key: CallKey, line: Line, started: CallStarted) -> tuple[CallSettings, Voice] | None:
        """Return settings and session of a call whose stream is there; ``None`` if none was opened for it.

        ``key`` must be what the stream's token granted.
        """
        if self._limit and key[1]:
            self._formats[key[0]] = started.audio_format
        waiting = self._waiting.get(key)
        if waiting is None:
            return None
        if waiting.line is not line or _facts(waiting.started) != _facts(started):
            self.drop(key, Outcome.DISCARDED)
            return None
        if waiting.leg.is_lost or (waiting.task.done() and isinstance(waiting.task.result(), VoiceClosed)):
            self.drop(key, Outcome.LOST)
            return None
        del self._waiting[key]
        waiting.timer.cancel()
        self._note(Outcome.CLAIMED, waiting.context, self._waited_ms(waiting))
        return waiting.settings, waiting.leg

    def drop(self, key: CallKey, outcome: Outcome) -> None:
        """Close the session that waits for this call's stream, if there is one."""
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            waiting.timer.cancel()
            self._group.create_task(waiting.leg.close())
            self._note(outcome, waiting.context, self._waited_ms(waiting))

    def _waited_ms(self, waiting: _Waiting) -> int:
        return round((asyncio.get_running_loop().time() - waiting.begun_at) * 1000)

    def _note(self, outcome: Outcome, context: dict[str, str], waited_ms: int = 0) -> None:
        self._metrics.sessions_ahead.labels(outcome.value).inc()
        log.info("session_ahead", **context, outcome=outcome.value, waited_ms=waited_ms)


async def _opened(leg: VoiceLeg, greeting: Request | None, before: Sequence[SeedMessage]) -> Opened | VoiceClosed:
    """Open a session, with the messages ``before`` it, and ask for its greeting. A bug ends this session alone."""
    try:
        return await leg.open(greeting, before)
    except Exception:
        log.exception("session_ahead_failed")
        return VoiceClosed(VoiceEnd.UNREACHABLE, "a bug: see session_ahead_failed")


def _facts(started: CallStarted) -> tuple[AudioFormat, str, str]:
    """Return what the session was made of."""
    return started.audio_format, started.caller, started.called
