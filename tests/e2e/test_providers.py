"""The same call over every provider's wire: webhook, signature, answer, token, stream, and what both ends heard."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.app import make_provider
from gateway.audio.formats import AudioFormat
from gateway.config.providers import settings_of
from gateway.phone.provider import Confirmation, Traits
from gateway.phone.providers import PROVIDERS
from gateway.sim.emulator import Script, Session
from gateway.sim.emulator.script import Latency
from gateway.sim.emulator.speaking.words import word_times
from gateway.sim.phone.observed import Tick
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.providers import PROVIDERS as SIMULATED
from tests.e2e.ear import KeepingPlayout, as_played, common
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import noise
from tests.kinds import CLEARED_BY_MESSAGE, STREAM_ONLY
from tests.virtual_time import in_virtual_time

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


@pytest.fixture(scope="module")
def calls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome | Exception]:
    """All calls of the tests that are run, on one gateway that serves all providers."""
    chosen = {item.callspec.params.get("case") for item in request.session.items if hasattr(item, "callspec")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        patch.setattr("gateway.sim.phone.phone.Playout", KeepingPlayout)
        return in_virtual_time(lambda: make_calls(tmp_path_factory.mktemp("providers"), chosen))


async def make_calls(folder: Path, chosen: Set[object]) -> dict[str, Outcome | Exception]:
    turns = [{"say": say} for say in (ANSWER, *STORIES)]
    script = Script.model_validate(
        {
            "turns": [*turns, {"call": {"name": "end_call"}, "after_call": FAREWELL}],
            "latency_ms": Latency.none(),
            "vad": "scripted",
            "pace": 8,
        }
    )
    lines = {
        case.line: f'numbers: ["{case.to}"]\ninstructions: Talk.\ngreeting: {GREETING}\nmodel: gpt-4.1\n'
        "voice: en-US-AvaNeural\ntools: [end_call]\n"
        for case in CASES.values()
    }
    outcomes: dict[str, Outcome | Exception] = {}
    accounts = {name: asyncio.Lock() for name in PROVIDERS}  # the simulated REST API of an account knows one call

    async def make(held: Exchange, case: Case) -> None:
        try:
            async with accounts[case.provider], held.waits.within(60):
                outcomes[case.name] = await Caller(held, case).call()
        except Exception as error:  # noqa: BLE001 -- it is raised again in the tests of this case
            outcomes[case.name] = error

    async with (
        exchange(folder, PROVIDERS, lines, script, limit_s=600, keep_audio=True) as held,
        asyncio.TaskGroup() as group,
    ):
        for case in CASES.values():
            if case.name in chosen:
                group.create_task(make(held, case))
    return outcomes


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
            [f"{violation.code} {violation.what}" for violation in phone.violations],
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


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """One of all."""
    return CASES[request.param]


@pytest.fixture
def outcome(calls: dict[str, Outcome | Exception], case: Case) -> Outcome:
    """What came of it."""
    found = calls[case.name]
    if isinstance(found, Exception):
        raise found
    return found


def test_the_service_hears_what_the_phone_sent(outcome: Outcome) -> None:
    """Byte for byte, from the first frame to the end of the call."""
    sent, arrived = bytes(outcome.phone.caller_audio), outcome.session.input_audio
    assert sent.startswith(arrived)
    assert outcome.phone.audio_format.duration_ms(len(sent) - len(arrived)) <= LOOSE_END_MS


async def said(outcome: Outcome) -> list[bytes]:
    """What the service said, as the phone is to hear it."""
    texts = (GREETING, ANSWER, *STORIES, *([FAREWELL] if outcome.end["by"] == "bot" else []))
    phone = outcome.phone
    return [as_played(outcome.case.provider, phone, await noise(text, phone.audio_format)) for text in texts]


async def test_the_phone_plays_what_the_service_said(outcome: Outcome) -> None:
    """Each reply byte for byte, up to where the caller spoke; every other byte is silence that fills up a frame."""
    stream = bytes(outcome.playout.stream)
    spoken = outcome.phone.audio_format.silence(round(outcome.phone.bot_format.duration_ms(len(stream))))
    silence = as_played(outcome.case.provider, outcome.phone, spoken)
    cuts = iter(cuts_of(outcome, await said(outcome)))
    at, expected = 0, b""
    for number, reply in enumerate(await said(outcome)):
        start = stream.find(reply[:64], at)
        assert start >= 0, f"reply {number} never came"
        assert stream[at:start] == silence[: start - at], f"before reply {number}"
        sent = played = start + len(reply)
        if number in STORIES_AT:
            sent, played = next(cuts)
        assert stream[start:sent] == reply[: sent - start], f"reply {number}"
        expected += stream[at:played]
        at = sent
    assert stream[at:] == silence[: len(stream) - at]
    assert outcome.played.startswith(expected), f"{len(outcome.played)} bytes were played of {len(expected)}"


def cuts_of(outcome: Outcome, replies: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where each story was cut: up to which byte it was sent, and up to which it was played."""
    if outcome.case.provider in CLEARED_BY_MESSAGE:
        clears = outcome.phone.clears[: len(STORIES)]
        return [(clear.position, clear.cleared.position) for clear in clears if clear.cleared is not None]
    stream, cuts = bytes(outcome.playout.stream), []
    for number in STORIES_AT:
        start = stream.find(replies[number][:64])
        end = start + common(stream[start:], replies[number])
        cuts.append((end, end))
    return cuts


async def test_what_was_heard_is_told(case: Case, outcome: Outcome) -> None:
    """Within 20 ms where playback is confirmed, within 60 ms where it is computed."""
    told, wrong = truncates(outcome.session), []
    assert len(told) == len(STORIES)
    for story, played_ms, told_ms in zip(STORIES, await played(outcome), told, strict=True):
        if abs(told_ms - played_ms) > tolerance_ms(case):
            wrong.append(f"{story}: {played_ms:g} ms were heard, {told_ms} ms were told")
    assert not wrong


async def test_the_words_that_were_heard_are_known(case: Case, outcome: Outcome) -> None:
    """Those that the phone had played to their end, by the service's own times of words, and the rest as not heard."""
    notes = [note for note in outcome.heard if note["unheard"]]
    assert len(notes) == len(STORIES)
    for number, (story, note, played_ms) in enumerate(zip(STORIES, notes, await played(outcome), strict=True)):
        ends_ms = [word.offset_ms + word.duration_ms for word in word_times(story, 2501 + number)]
        text, unheard = str(note["text"]), str(note["unheard"])
        assert f"{text} {unheard}".strip() == story
        early, late = (
            sum(end_ms <= played_ms + by for end_ms in ends_ms) for by in (-tolerance_ms(case), tolerance_ms(case))
        )
        assert early <= len(text.split()) <= late, f"{played_ms:g} ms of it were played, and known is: {text}"


async def played(outcome: Outcome) -> list[float]:
    """Return how much of each story the phone played, in milliseconds."""
    replies, stream = await said(outcome), bytes(outcome.playout.stream)
    starts = [stream.find(replies[number][:64]) for number in STORIES_AT]
    ends = [end for _, end in cuts_of(outcome, replies)]
    return [outcome.phone.bot_format.duration_ms(end - start) for start, end in zip(starts, ends, strict=True)]


def tolerance_ms(case: Case) -> int:
    """Return how far the gateway may be off: less where the provider confirms what it has played."""
    confirmed = traits(case).confirmation in (Confirmation.MARKS, Confirmation.PLAYED_MARKS)
    return 20 if confirmed and not set(WITHOUT_MARKS) & set(case.quirks) else 60


def traits(case: Case) -> Traits:
    """What the provider says of itself."""
    return make_provider(case.provider, settings_of(case.provider)()).traits


def test_keys_arrive(case: Case, outcome: Outcome) -> None:
    """Each key that was pressed, in order, where the stream carries keys."""
    assert outcome.digits == (list(KEYS) if traits(case).keys_in else [])


def test_either_side_ends_the_call(case: Case, outcome: Outcome) -> None:
    """The gateway knows who did, and so does the provider."""
    wanted = {"bot": ("bot_hung_up", "bot"), "caller": ("caller_hung_up", "caller")}[case.ended_by]
    assert (outcome.end["reason"], outcome.end["by"]) == wanted
    assert outcome.phone.ended_by == {"bot": "gateway", "caller": "caller"}[case.ended_by]


def test_no_rule_is_broken(outcome: Outcome) -> None:
    """Neither the provider nor the service has anything to object to, from the webhook to the last callback."""
    tried = ["0 'MARK_MEDIA': unknown command"] if "20.17" in outcome.case.quirks else []
    assert outcome.violations == tried
    assert not [found for found in outcome.session.violations if not found.startswith("audio_stopped:")]
