"""Phones that do not send a frame every 20 ms: silence suppression, mute, hold, jitter, bursts; and deaf ones.

All calls on one gateway, in virtual time.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from gateway.audio.formats import PCMU
from gateway.audio.sound import Sound
from gateway.phone.providers import PROVIDERS
from gateway.sim.emulator import Script, Session
from gateway.sim.emulator.script import Latency
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.wire import Message
from gateway.sim.prompts import FOLDER
from tests.e2e.bare_phone import SILENCE, STREAM, bare_phone, media
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, NUMBER, configuration, instant, noise, rig
from tests.kinds import STREAM_ONLY
from tests.virtual_time import in_virtual_time, virtual_time

GREETING, ANSWER, STORY = "400 ms of a greeting", "600 ms of an answer", "20000 ms of a story"
QUESTION = Sound.read(FOLDER / "caller" / "order_status.wav")
JITTER_S = 0.4
"""So far audio may be ahead or behind without being a pause."""


class Air:
    """What is between the phone and the gateway: lets frames through, loses them, or keeps them for later."""

    def __init__(self, phone: SimulatedPhone) -> None:
        self.does: Literal["pass", "lose", "keep", "suppress"] = "pass"
        self._kept: list[Message] = []
        self._media: Callable[[bytes, int], Sequence[Message]] = phone.wire.media
        self._silence = phone.audio_format.silence(phone.wire.frame_ms)
        vars(phone.wire).update(media=self._take)

    def _take(self, audio: bytes, timestamp_ms: int) -> Sequence[Message]:
        if self.does == "lose" or (self.does == "suppress" and audio == self._silence):
            return ()
        messages = self._media(audio, timestamp_ms)
        if self.does == "keep":
            self._kept += messages
            return ()
        kept, self._kept = self._kept, []
        return (*kept, *messages)


@dataclass
class Caller:
    """One call, and what the phone does."""

    held: Exchange
    phone: SimulatedPhone
    session: Session
    air: Air
    line: str

    async def ask(self) -> None:
        """Say a question and wait until all of its answer was heard."""
        heard = len(self.held.fields(self.line, "reply_heard"))
        await self.say()
        await self.held.told(self.line, "reply_heard", heard + 1)

    async def say(self) -> None:
        """Say a question to its end."""
        question = QUESTION.encoded(self.phone.audio_format)
        self.phone.say(question)
        await asyncio.sleep(self.phone.audio_format.duration_ms(len(question)) / 1000 + 0.02)

    @property
    def behind_s(self) -> float:
        """How much less audio the service got than the call has lasted; negative for more."""
        heard_s = self.phone.audio_format.duration_ms(self.session.appended_bytes) / 1000
        return asyncio.get_running_loop().time() - self.phone.started_at - heard_s


async def suppresses_silence(caller: Caller) -> None:
    """Two questions without a frame of silence, and a pause of a minute between."""
    caller.air.does = "suppress"
    await caller.ask()
    await asyncio.sleep(60)
    await caller.ask()


async def is_muted_at_once(caller: Caller) -> None:
    """Not a frame from the first moment on, as of an Asterisk that waits; then a question."""
    await asyncio.sleep(40)
    caller.air.does = "pass"
    await caller.ask()


async def is_put_on_hold(caller: Caller) -> None:
    """A question, then nothing for a minute, with the bot as silent, and another question."""
    await caller.ask()
    caller.air.does = "lose"
    await asyncio.sleep(60)
    caller.air.does = "pass"
    await caller.ask()


async def mutes_and_listens(caller: Caller) -> None:
    """The mute key is pressed with the last word, and a story of 20 s is heard."""
    await caller.ask()
    await caller.say()
    caller.air.does = "lose"
    await caller.held.told(caller.line, "reply_heard", 3)


async def stalls(caller: Caller) -> None:
    """The network holds everything back for seconds, and then brings it at once."""
    for _ in range(3):
        caller.air.does = "keep"
        await asyncio.sleep(3)
        caller.air.does = "pass"
        await asyncio.sleep(2)
        assert abs(caller.behind_s) <= JITTER_S + 0.3
    await caller.ask()


async def jitters(caller: Caller) -> None:
    """Short stalls, each made up: the service hears exactly what was said."""
    for number in range(20):
        caller.air.does = "keep"
        await asyncio.sleep(0.1 + 0.01 * number)
        caller.air.does = "pass"
        await asyncio.sleep(0.2)
    await caller.ask()
    heard = caller.session.input_audio
    assert bytes(caller.phone.caller_audio).startswith(heard)


HABITS: Mapping[str, Callable[[Caller], Awaitable[None]]] = {
    habit.__name__: habit
    for habit in (suppresses_silence, is_muted_at_once, is_put_on_hold, mutes_and_listens, stalls, jitters)
}
OTHERS = ("is_muted_at_once", "mutes_and_listens", "stalls", "jitters")
"""Tried with wires that differ: marks or none, long frames, an end told for a whole reply."""
CASES: list[tuple[str, str, tuple[str, ...]]] = [
    *((provider, habit, ()) for provider in PROVIDERS for habit in ("suppresses_silence", "is_put_on_hold")),
    *((provider, habit, ()) for provider in ("twilio", "genesys", "exotel", "acs") for habit in OTHERS),
    *(("asterisk", "is_put_on_hold", (quirk,)) for quirk in ("20.16", "20.17", "json")),
]
ON_TRIAL = "'MARK_MEDIA': unknown command"
"""Asterisk 20.17 is sent one mark that it does not know."""
IDS = [" ".join((provider, *quirks, habit)) for provider, habit, quirks in CASES]


@dataclass
class Outcome:
    """What came of a call."""

    error: Exception | None = None
    behind_s: float = 0.0
    end: Mapping[str, object] | None = None
    violations: Sequence[str] = ()


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    """All calls, on one gateway that serves all providers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        return in_virtual_time(lambda: make_calls(tmp_path_factory.mktemp("unsteady")))


async def make_calls(folder: Path) -> Mapping[str, Outcome]:
    script = Script.model_validate(
        {"greeting": GREETING, "turns": [{"say": ANSWER}, {"say": STORY}], "latency_ms": Latency.none(), "pace": 8}
    )
    lines = {
        f"line{number}": LINE.replace(NUMBER, f"+1425555{number:04}").replace("Hello.", GREETING)
        for number in range(len(CASES))
    }
    outcomes = {name: Outcome() for name in IDS}
    accounts = {name: asyncio.Lock() for name in PROVIDERS}

    async def call(held: Exchange, number: int) -> None:
        (provider, habit, quirks), outcome, line = CASES[number], outcomes[IDS[number]], f"line{number}"
        url = held.stream_url(provider) if provider in STREAM_ONLY else ""
        try:
            async with (
                accounts[provider],
                asyncio.timeout(300),
                held.call(provider, f"+1425555{number:04}", url=url, quirks=quirks) as phone,
            ):
                air = Air(phone)
                if habit == "is_muted_at_once":
                    air.does = "lose"
                session = await held.session_of(line)
                caller = Caller(held, phone, session, air, line)
                await held.told(line, "reply_heard")
                await HABITS[habit](caller)
                await asyncio.sleep(2)
                outcome.behind_s = caller.behind_s
                phone.hang_up()
                await phone.closed.wait()
                outcome.end = await held.told(line, "call_ended")
                outcome.violations = [v.what for v in phone.violations if v.what != ON_TRIAL]
        except Exception as error:  # noqa: BLE001 -- it is raised again in the test of this case
            outcome.error = error

    async with (
        exchange(folder, PROVIDERS, lines, script, limit_s=3600, keep_audio=True) as held,
        asyncio.TaskGroup() as group,
    ):
        for number in range(len(CASES)):
            group.create_task(call(held, number))
    return outcomes


@pytest.mark.parametrize("name", IDS)
def test_the_caller_is_answered(calls: Mapping[str, Outcome], name: str) -> None:
    """Every question has its answer, nobody is cut off, no rule of the provider is broken, and time is kept."""
    outcome = calls[name]
    if outcome.error is not None:
        raise outcome.error
    assert outcome.end is not None
    assert (outcome.end["reason"], outcome.end["by"]) == ("caller_hung_up", "caller")
    assert list(outcome.violations) == []
    assert abs(outcome.behind_s) <= JITTER_S + 0.3


@virtual_time
async def test_a_phone_that_reads_nothing(tmp_path: Path) -> None:
    """It sends media, as ever, and returns no mark: its call ends after five seconds of the bot's words."""
    line = LINE.replace("Hello.", "30000 ms of a greeting")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        async with (
            rig(configuration(tmp_path, {"support": line}), instant(), limit_s=600) as held,
            bare_phone(held.stream_url) as phone,
        ):
            await phone.start()
            loop = asyncio.get_running_loop()
            begun = loop.time()
            while not held.fields(phone.call_id, "call_ended") and loop.time() < begun + 60:
                await phone.send(media(SILENCE))
                await asyncio.sleep(0.02)
            end = await held.end_of(phone.call_id)
    assert (end["reason"], end["by"]) == ("stream_stalled", "provider")
    duration_s = end["duration_s"]
    assert isinstance(duration_s, float)
    assert 5.0 <= duration_s <= 6.5  # the phone does not answer the close either


@virtual_time
async def test_a_stream_that_brings_more_than_real_time(tmp_path: Path) -> None:
    """Ten seconds more than the call has lasted pass; the stream is then at fault, and the service got no more."""
    async with rig(configuration(tmp_path), instant(), limit_s=600) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        await held.until(lambda: held.fields(phone.call_id, "session_ready"))
        for _ in range(60):
            await phone.send(media(b"\xff" * 8000))
        assert await phone.closed() == 1000
        end = await held.end_of(phone.call_id)
        assert (end["reason"], end["by"]) == ("stream_broken", "provider")
        assert held.emulator.sessions[0].appended_bytes <= PCMU.bytes_for(11_000)


@virtual_time
async def test_keys_faster_than_anybody_presses(tmp_path: Path) -> None:
    """A flood of keys is a broken stream too."""
    line = LINE + "digits: {finish_on: none}\n"
    async with (
        rig(configuration(tmp_path, {"support": line}), instant(), limit_s=600) as held,
        bare_phone(held.stream_url) as phone,
    ):
        await phone.start()
        await held.until(lambda: held.fields(phone.call_id, "session_ready"))
        key = json.dumps({"event": "dtmf", "streamSid": STREAM, "dtmf": {"track": "inbound_track", "digit": "1"}})
        for _ in range(1000):
            await phone.send(key)
        end = await held.end_of(phone.call_id)
        assert (end["reason"], end["by"]) == ("stream_broken", "provider")


@virtual_time
async def test_a_phone_that_has_gone_without_a_word(tmp_path: Path) -> None:
    """It does not even answer a ping: the stream is lost, and nothing is sent to the service behind it."""
    async with rig(configuration(tmp_path), instant(), limit_s=600) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        end = await held.end_of(phone.call_id)
        assert (end["reason"], end["by"]) == ("stream_lost", "provider")
        assert 15.0 <= loop.time() - begun <= 18.0
