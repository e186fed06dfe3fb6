"""A call over a provider's wire, as each of the tests of all providers makes it, and what both ends saw of it."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.audio.formats import AudioFormat
from gateway.phone.providers import PROVIDERS
from gateway.phone.requests import Steps
from gateway.phone.webhook import Answer, CallStatus, Connect, IncomingCall, WebhookRequest, Webhooks
from gateway.sim.emulator import Session
from gateway.sim.phone.observed import Tick
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.providers import PROVIDERS as SIMULATED
from tests.e2e.ear import KeepingPlayout, as_played
from tests.e2e.exchange import Exchange
from tests.e2e.rig import noise
from tests.kinds import CLEARED_BY_MESSAGE, STREAM_ONLY

WITHOUT_MARKS = ("20.16", "20.17")
"""Generations of Asterisk that do not know marks; the second is sent one, because nothing tells it from the next."""
GREETING, ANSWER, FAREWELL = "412.5 ms of a greeting", "463 ms of an answer", "305 ms of a farewell"
STORIES = [
    f"{2501 + number} ms of story {number}, which goes on and on: it has many short words, and is told at length. So."
    for number in range(3)
]
"""Each is talked over."""
STORIES_AT = range(2, 5)
"""Which replies they are."""
KEYS = "5#"
LOOSE_END_MS = 300
"""What the phone may have sent while the call's end was on its way."""


@dataclass(frozen=True)
class Case:
    """A call: ``straight`` opens the stream as a static document would, in a codec that our answers do not choose."""

    provider: str
    number: int
    audio_format: AudioFormat | None = None
    straight: bool = False
    ended_by: str = "bot"
    quirks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people."""
        asked = self.audio_format if self.straight else "as answered"
        return f"{' '.join((self.provider, *self.quirks))}, {asked}, {self.ended_by} hangs up"

    @property
    def line(self) -> str:
        """Each has one of its own."""
        return f"line{self.number}"

    @property
    def to(self) -> str:
        """The line's number."""
        return f"+1425555{self.number:04}"


@dataclass
class Outcome:
    """What the phone and the service saw of a call."""

    case: Case
    phone: SimulatedPhone
    session: Session
    playout: KeepingPlayout
    played: bytes
    digits: list[object]
    heard: list[dict[str, object]]
    """The gateway's account of each reply."""
    end: Mapping[str, object]
    answers: Sequence[Answer] = ()
    """Our answers to the webhook that announced the call."""
    statuses: Sequence[CallStatus] = ()
    """What the provider's callbacks reported of it."""
    violations: list[str] = field(default_factory=list)


def cases() -> list[Case]:
    """Every provider as its webhook is answered, ended by either side; its other codecs straight."""
    made: list[Case] = []

    def add(
        provider: str,
        ended_by: str,
        audio_format: AudioFormat | None = None,
        *,
        straight: bool = False,
        quirks: tuple[str, ...] = (),
    ) -> None:
        made.append(Case(provider, len(made), audio_format, straight, ended_by, quirks))

    for provider in PROVIDERS:
        formats = SIMULATED[provider].audio_formats
        add(provider, "bot")
        add(provider, "caller")
        for number, audio_format in enumerate(formats[1:]):
            add(provider, ("bot", "caller")[number % 2], audio_format, straight=True)
    for quirk in (*WITHOUT_MARKS, "json"):
        add("asterisk", "bot", quirks=(quirk,))
    return made


CASES = {case.name: case for case in cases()}


class Seen:
    """What passes through a provider's webhooks."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.statuses: list[CallStatus] = []

    def forget(self) -> None:
        """Begin anew, for another call."""
        self.answers.clear()
        self.statuses.clear()

    def watch(self, watched: Webhooks) -> None:
        """Keep what these webhooks answer and read from now on."""
        answer, status = watched.answer, watched.status

        def answered(call: IncomingCall, connect: Connect) -> Answer | Steps[Answer]:
            made = answer(call, connect)
            if isinstance(made, Answer):
                self.answers.append(made)
            return made

        def read(request: WebhookRequest) -> Sequence[CallStatus]:
            found = status(request)
            self.statuses.extend(found)
            return found

        watched.answer = answered  # type: ignore[method-assign] # the object's own, beside its class's
        watched.status = read  # type: ignore[method-assign]


class Caller:
    """Makes one call."""

    def __init__(self, held: Exchange, case: Case) -> None:
        self._held = held
        self._case = case
        self._chance = random.Random(case.number)
        self._ticked = asyncio.Event()
        self._played = bytearray()
        self._phone: SimulatedPhone
        self._session: Session

    async def call(self) -> Outcome:
        """Hear the greeting, ask, press keys, talk over three stories, say goodbye."""
        held, case = self._held, self._case
        async with held.call(
            case.provider,
            case.to,
            url=self._url(),
            audio_format=case.audio_format,
            on_tick=self._tick,
            quirks=case.quirks,
        ) as self._phone:
            phone = self._phone
            phone.say(self._chance.randbytes(phone.audio_format.bytes_for(15_000)))
            self._session = await held.session_of(case.line)
            await held.told(case.line, "reply_heard")
            await self._until_quiet()
            await self._session.speech_started()
            await self._session.speech_stopped()
            await held.told(case.line, "reply_heard", 2)
            await self._until_quiet()
            await self._press_keys()
            for number in range(len(STORIES)):
                await self._talk_over(number)
            if case.ended_by == "bot":
                await self._session.speech_stopped()
                with held.waits.on(f"the end of the call at {case.provider}, by the bot"):
                    await phone.closed.wait()
            else:
                phone.hang_up()
                await phone.closed.wait()
            end = await held.told(case.line, "call_ended")
        return Outcome(
            case,
            phone,
            self._session,
            keeping(phone),
            bytes(self._played),
            [note["digit"] for note in held.fields(case.line, "digit_pressed")],
            held.fields(case.line, "reply_heard"),
            end,
            violations=[f"{violation.code} {violation.what}" for violation in phone.violations],
        )

    def _url(self) -> str:
        if not self._case.straight and self._case.provider not in STREAM_ONLY:
            return ""
        if self._case.provider in STREAM_ONLY:
            return self._held.stream_url(self._case.provider)
        key = self._held.accounts[self._case.provider].secrets["stream_secret"]
        return self._held.stream_url(self._case.provider, self._case.line, key)

    def _tick(self, tick: Tick) -> None:
        self._played += tick.heard.audio[: tick.heard.size]
        self._ticked.set()

    async def _press_keys(self) -> None:
        if not self._held.providers[self._case.provider].traits.keys_in:
            return
        for key in KEYS:
            await self._phone.press(key)
        await self._held.told(self._case.line, "digit_pressed", len(KEYS))

    async def _talk_over(self, number: int) -> None:
        """Begin in the middle of a story, and be sure of what the service was told about it."""
        if number == 0:
            await self._session.speech_started()
        base = self._phone.playout.played_bytes
        await self._session.speech_stopped()
        played = base + self._phone.bot_format.bytes_for(self._chance.randrange(300, 800))
        await self._until(lambda: self._phone.playout.played_bytes >= played, f"story {number} to be played so far")
        await asyncio.sleep(self._chance.uniform(0, 0.02))
        await self._session.speech_started()
        await self._session.until(lambda session: len(truncates(session)) == number + 1)
        if self._case.provider in CLEARED_BY_MESSAGE:
            await self._until(lambda: len(self._phone.clears) > number, f"clear {number + 1}")
        else:
            await self._until_quiet()

    async def _until_quiet(self) -> None:
        """The queue is empty, and the last frame out of it is over as well."""
        await self._until(lambda: self._phone.playout.idle, "a phone that has played all")
        frames = self._phone.clock.frames
        await self._until(lambda: self._phone.clock.frames > frames + 2, "two more frames")

    async def _until(self, happened: Callable[[], bool], what: str) -> None:
        with self._held.waits.on(f"{what} at {self._case.provider}"):
            while not happened():
                self._ticked.clear()
                await self._ticked.wait()


def keeping(phone: SimulatedPhone) -> KeepingPlayout:
    """The phone's playout buffer."""
    assert isinstance(phone.playout, KeepingPlayout)
    return phone.playout


def truncates(session: Session) -> list[int]:
    """What the service was told of each reply that was cut short, in milliseconds."""
    return [r.event["audio_end_ms"] for r in session.received if r.type == "conversation.item.truncate"]


async def said(outcome: Outcome) -> list[bytes]:
    """What the service said, as the phone is to hear it."""
    texts = (GREETING, ANSWER, *STORIES, *([FAREWELL] if outcome.end["by"] == "bot" else []))
    phone = outcome.phone
    return [as_played(outcome.case.provider, phone, await noise(text, phone.audio_format)) for text in texts]
