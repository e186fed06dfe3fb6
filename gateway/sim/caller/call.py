"""Make a simulated call: play recordings to a gateway over the provider's real wire, and record what comes back."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from gateway.audio import g711
from gateway.audio.formats import AudioFormat
from gateway.audio.resample import resample
from gateway.errors import GatewayError, InputError
from gateway.logs.redaction import Redactor, secrets_of
from gateway.sim.caller.caller import Caller, HangUp, Patience, PressKey, Speak, Utterance
from gateway.sim.caller.dial import dial
from gateway.sim.caller.keys import Press
from gateway.sim.caller.measures import Measures, is_audible, measure
from gateway.sim.caller.recording import Span
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.faults.phone import PhoneFaults
from gateway.sim.phone.continuation import Step
from gateway.sim.phone.observed import FrameClock, Received, Tick, Violation
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.playout import FRAME_MS
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import Ender, Party
from gateway.sim.providers import PROVIDERS

_GRACE_S = 10.0
"""The time that a call may take to end after its limit, before the gateway is said to hold it."""


@dataclass(frozen=True)
class CallPlan:
    """A call to make: through the stream ``url``, or by asking ``answer_url`` first, as ``provider`` does.

    ``presses`` are the keys that the caller presses as well. ``secrets`` sign the webhook and the upgrade; see
    :class:`~gateway.sim.phone.wire.SimCall`. ``audio_format`` is the caller's (by default the provider's usual one),
    unless the gateway's answer asks for another. The caller hangs up by itself after ``max_duration_s``.
    The provider opens the stream ``setup_s`` after the gateway's answer.
    """

    utterances: Sequence[Utterance]
    to: str
    from_: str
    url: str = ""
    answer_url: str = ""
    status_url: str = ""
    provider: str = "twilio"
    secrets: Mapping[str, str] = field(default_factory=dict)
    quirks: frozenset[str] = frozenset()
    audio_format: AudioFormat | None = None
    presses: Sequence[Press] = ()
    patience: Patience = field(default_factory=Patience)
    hang_up_by: Party = "caller"
    max_duration_s: float = 600.0
    setup_s: float = 0.0


ProgressKind = Literal[
    "connected",
    "bot_started",
    "bot_stopped",
    "bot_cleared",
    "caller_started",
    "caller_stopped",
    "key_pressed",
    "note",
    "ended",
]


@dataclass(frozen=True)
class Progress:
    """A step of a call in progress, ``at_ms`` from its start; ``text`` is a recording's name, a note or a reason.

    ``speech`` is the part of the call in which the caller speaks; only ``caller_started`` has it.
    """

    at_ms: int
    kind: ProgressKind
    text: str = ""
    speech: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Spoken:
    """An utterance as it was played: from ``start_ms`` to ``end_ms``, with ``speech`` in it, from the call's start."""

    name: str
    start_ms: int
    end_ms: int
    speech: tuple[Span, ...]


@dataclass(frozen=True)
class CallResult:
    """Everything that the phone observed of a call.

    ``started_at`` is ``loop.time()`` of the first frame and ``started`` the same moment on the clock; ``caller_audio``
    in ``audio_format`` and ``bot_audio`` in ``bot_format`` last equally long, as sent and as heard. ``messages`` and
    ``returned`` are the wire, message by message; ``events`` the timeline. ``keys_ms`` has the times of keys;
    only the plan has the keys themselves. ``unplayed_ms`` of the gateway's audio were still queued at the end.
    ``continuation`` is what the caller met after the stream, where the provider went on with the call.
    ``failure`` is what went wrong once the stream was open, if anything did.
    Nothing in it is secret: neither the plan's secrets nor what a URL carries; see :mod:`gateway.logs.redaction`.
    """

    started: datetime
    started_at: float
    plan: CallPlan
    url: str
    call_id: str
    stream_id: str
    audio_format: AudioFormat
    bot_format: AudioFormat
    caller_audio: bytes
    bot_audio: bytes
    spoken: tuple[Spoken, ...]
    keys_ms: tuple[int, ...]
    messages: tuple[Received, ...]
    violations: tuple[Violation, ...]
    events: tuple[TimelineEvent, ...]
    measures: Measures
    clock: FrameClock
    ended_by: Ender
    end_reason: str
    close_code: int | None
    unplayed_ms: float
    continuation: tuple[Step, ...] = ()
    failure: str = ""

    @property
    def duration_ms(self) -> int:
        """The length of the call, in whole frames."""
        return self.clock.frames * FRAME_MS

    @property
    def clears(self) -> tuple[Received, ...]:
        """The clears, each with what had really been played."""
        return tuple(message for message in self.messages if message.event == "clear")

    @property
    def transferred_to(self) -> str:
        """The number that the gateway last had the caller connected with; empty where there was none."""
        ordered = [message.name for message in self.messages if message.event == "transfer"]
        behind = [step.text for step in self.continuation if step.kind == "transfer"]
        return next(reversed(ordered + behind), "")

    @property
    def digits_received(self) -> str:
        """The keys that the gateway sent to the caller's side."""
        return "".join(message.name for message in self.messages if message.event == "digits")

    @property
    def last_audible_ms(self) -> int | None:
        """The end of the bot's last audible frame; ``None`` where it was never heard."""
        return self.measures.bot[-1].end_ms if self.measures.bot else None

    def stereo(self) -> npt.NDArray[np.int16]:
        """Return both sides as samples of shape ``(n, 2)``: the caller left, the bot right, each when it was heard."""
        caller, bot = g711.decode(self.caller_audio, self.audio_format), g711.decode(self.bot_audio, self.bot_format)
        return np.stack([caller, resample(bot, self.bot_format.rate_hz, self.audio_format.rate_hz)], axis=1)


async def place_call(
    plan: CallPlan,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    api: SimulatedApi | None = None,
    hang_up: asyncio.Event | None = None,
    faults: PhoneFaults | None = None,
) -> CallResult:
    """Make the call and return when it is over; ``api`` is the provider's, where the gateway needs one.

    ``hang_up`` lets the caller hang up when it is set; ``faults`` are those of the stream. Raises ``GatewayError``
    where the gateway cannot be reached or refuses the call, and ``InputError`` for keys on a stream that carries none.
    A failure once the stream is open, a call that is held beyond its limit included, is the result's ``failure``.
    """
    chosen = PROVIDERS.get(plan.provider)
    if plan.presses and chosen is not None and not chosen.keys:
        raise InputError(f"a stream of {chosen.title} carries no keys: the caller cannot press any")
    side = _CallerSide(plan, on_progress, hang_up or asyncio.Event())
    phone: SimulatedPhone | None = None
    started, failure = datetime.now(UTC), ""
    try:
        async with dial(
            plan.provider,
            plan.url,
            answer_url=plan.answer_url,
            status_url=plan.status_url,
            to=plan.to,
            from_=plan.from_,
            audio_format=plan.audio_format,
            secrets=plan.secrets,
            quirks=plan.quirks,
            api=api,
            on_tick=side.tick,
            faults=faults,
            setup_s=plan.setup_s,
        ) as phone:
            started = datetime.now(UTC)
            side.pick_up(phone)
            await _until_over(phone, plan.max_duration_s)
    except GatewayError as error:
        if phone is None:
            raise
        failure = str(error)
    return side.result(phone, started, failure)


async def _until_over(phone: SimulatedPhone, limit_s: float) -> None:
    """Wait for the call's end; ``GatewayError`` where it does not come."""
    try:
        async with asyncio.timeout(limit_s + _GRACE_S):
            await phone.closed.wait()
    except TimeoutError:
        raise GatewayError(f"the gateway held the call beyond its limit of {limit_s:g} s") from None


class _CallerSide:
    """The caller at the phone: hears each frame, speaks, hangs up, and keeps the timeline."""

    def __init__(
        self, plan: CallPlan, on_progress: Callable[[Progress], None] | None, told_to_hang_up: asyncio.Event
    ) -> None:
        self._plan = plan
        self._on_progress = on_progress
        self._told_to_hang_up = told_to_hang_up
        self._caller = Caller((), patience=plan.patience)
        self._phone: SimulatedPhone | None = None
        self._events: list[TimelineEvent] = []
        self._spoken: list[Spoken] = []
        self._speaking = False
        self._bot_playing = False
        self._clears = 0
        self._end_reason = ""
        self._redactor = Redactor(secrets_of(plan.secrets))

    def pick_up(self, phone: SimulatedPhone) -> None:
        """Begin to listen; before the first frame."""
        self._phone = phone
        plan = self._plan
        utterances = [replace(one, recording=one.recording.in_format(phone.audio_format)) for one in plan.utterances]
        self._caller = Caller(utterances, presses=plan.presses, patience=plan.patience, hang_up_by=plan.hang_up_by)
        self._progress(Progress(0, "connected"))

    def tick(self, tick: Tick) -> None:
        """Take one frame: what was heard may change what is said."""
        phone = self._phone
        if phone is None or self._end_reason:
            return
        now_ms = tick.number * FRAME_MS
        self._follow_bot(phone, now_ms, playing=bool(tick.heard.size))
        if self._speaking and not phone.saying:
            self._speaking = False
            self._happened(phone, now_ms, "caller_stopped", self._spoken[-1].name)
        decision = self._caller.hear(
            now_ms,
            playing=bool(tick.heard.size) or not phone.playout.idle,
            audible=bool(tick.heard.size) and is_audible(tick.heard.audio, phone.bot_format),
        )
        if now_ms >= self._plan.max_duration_s * 1000:
            decision = HangUp("time limit of the simulated call")
        if self._told_to_hang_up.is_set():
            decision = HangUp("told to hang up")
        if decision is not None:
            self._act(phone, now_ms, decision)

    def _follow_bot(self, phone: SimulatedPhone, now_ms: int, *, playing: bool) -> None:
        if playing and not self._bot_playing:
            self._happened(phone, now_ms, "bot_started")
        elif self._bot_playing and not playing:
            cleared = len(phone.clears) > self._clears
            self._happened(phone, now_ms, "bot_cleared" if cleared else "bot_stopped")
        self._clears = len(phone.clears)
        self._bot_playing = playing

    def _act(self, phone: SimulatedPhone, now_ms: int, decision: Speak | PressKey | HangUp) -> None:
        if decision.note:
            self._happened(phone, now_ms, "note", decision.note)
        if isinstance(decision, HangUp):
            self._end_reason = decision.reason
            phone.hang_up()
            return
        if isinstance(decision, PressKey):
            phone.key(decision.digit)
            self._happened(phone, now_ms, "key_pressed")
            return
        recording = decision.utterance.recording
        phone.say(recording.audio)
        self._speaking = True
        speech = tuple(Span(now_ms + span.start_ms, now_ms + span.end_ms) for span in recording.speech)
        end_ms = now_ms + round(recording.duration_ms)
        self._spoken.append(Spoken(recording.name, now_ms, end_ms, speech))
        self._happened(phone, now_ms, "caller_started", recording.name, speech)

    def _happened(
        self, phone: SimulatedPhone, now_ms: int, kind: ProgressKind, text: str = "", speech: tuple[Span, ...] = ()
    ) -> None:
        name = {"caller_started": "recording", "caller_stopped": "recording"}.get(kind, "text")
        at = phone.started_at + now_ms / 1000
        self._events.append(TimelineEvent(at, kind, {name: text} if text else {}))
        self._progress(Progress(now_ms, kind, text, speech))

    def _progress(self, step: Progress) -> None:
        if self._on_progress is not None:
            self._on_progress(replace(step, text=self._redactor.text(step.text)))

    def result(self, phone: SimulatedPhone, started: datetime, failure: str) -> CallResult:
        """Return the account of the call, once it is over."""
        duration_ms = phone.clock.frames * FRAME_MS
        reason = self._end_reason or phone.end_reason
        self._happened(phone, duration_ms, "ended", reason)
        spoken = tuple(_until(duration_ms, spoken) for spoken in self._spoken)
        clears_ms = [round((clear.at - phone.started_at) * 1000) for clear in phone.clears]
        keys_ms = tuple(round((at - phone.started_at) * 1000) for at in phone.keys_pressed)
        speech = [span for one in spoken for span in one.speech]
        shown = self._redactor
        events = [
            replace(event, fields={name: shown.value(value) for name, value in event.fields.items()})
            for event in (*self._events, *_wire_events(phone))
        ]
        return CallResult(
            started=started,
            started_at=phone.started_at,
            plan=_without_secrets(self._plan, shown),
            url=shown.text(phone.url),
            call_id=phone.call_id,
            stream_id=phone.stream_id,
            audio_format=phone.audio_format,
            bot_format=phone.bot_format,
            caller_audio=bytes(phone.caller_audio),
            bot_audio=bytes(phone.bot_audio),
            spoken=spoken,
            keys_ms=keys_ms,
            messages=tuple(phone.messages),
            violations=tuple(replace(one, what=shown.text(one.what)) for one in phone.violations),
            events=tuple(sorted(events, key=lambda event: event.at)),
            measures=measure(bytes(phone.bot_audio), phone.bot_format, speech, clears_ms, keys_ms),
            clock=phone.clock,
            ended_by=phone.ended_by,
            end_reason=shown.text(reason),
            close_code=phone.close_code,
            unplayed_ms=phone.unplayed_ms or 0.0,
            continuation=tuple(replace(step, text=shown.text(step.text)) for step in phone.continuation),
            failure=shown.text(failure),
        )


def _without_secrets(plan: CallPlan, shown: Redactor) -> CallPlan:
    return replace(
        plan,
        url=shown.text(plan.url),
        answer_url=shown.text(plan.answer_url),
        status_url=shown.text(plan.status_url),
        secrets={},
    )


def _until(end_ms: int, spoken: Spoken) -> Spoken:
    """Return what was really played of an utterance in a call that ended at ``end_ms``."""
    speech = tuple(Span(s.start_ms, min(s.end_ms, end_ms)) for s in spoken.speech if s.start_ms < end_ms)
    return Spoken(spoken.name, spoken.start_ms, min(spoken.end_ms, end_ms), speech)


def _wire_events(phone: SimulatedPhone) -> list[TimelineEvent]:
    """List marks, clears, transfers and violations; media is too much for a timeline and is in the audio.

    The list says that digits were sent, and not which.
    """
    per_ms = phone.bot_format.bytes_per_ms
    events = [TimelineEvent(mark.at, "mark_returned", {"name": mark.name}) for mark in phone.returned]
    for message in phone.messages:
        if message.event == "mark":
            events.append(TimelineEvent(message.at, "mark_set", {"name": message.name}))
        elif message.event == "transfer":
            events.append(TimelineEvent(message.at, "transfer_ordered", {"to": message.name}))
        elif message.event == "digits":
            events.append(TimelineEvent(message.at, "digits_received", {}))
        elif message.cleared is not None:
            played, discarded = message.cleared.run_bytes / per_ms, message.cleared.discarded_bytes / per_ms
            fields = {"played_ms": played, "discarded_ms": discarded, "marks": list(message.cleared.marks)}
            events.append(TimelineEvent(message.at, "clear", fields))
    violations = [TimelineEvent(v.at, "violation", {"code": v.code, "what": v.what}) for v in phone.violations]
    return events + violations
