"""The same call with every provider as if it could not discard what was sent: all of that is heard, and told so."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.config.providers import ProviderSettings
from gateway.phone.commands import PhoneCommand, StopPlayback, StreamCommand
from gateway.phone.events import PhoneEvent, WireReply
from gateway.phone.provider import Codec, Grant, Provider, Setup, Upgrade
from gateway.phone.providers import PROVIDERS, make
from gateway.sim.emulator import Script
from gateway.sim.emulator.script import Latency
from tests.e2e.ear import KeepingPlayout
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.provider_calls import (
    FAREWELL,
    GREETING,
    STORIES,
    Caller,
    Case,
    Outcome,
    said,
    truncates,
)
from tests.e2e.rig import noise
from tests.virtual_time import in_virtual_time

CASES = [Case(provider, number) for number, provider in enumerate(PROVIDERS)]


class NoClear:
    """A wire that has no word for ``StopPlayback``."""

    def __init__(self, codec: Codec) -> None:
        self.decode: Callable[[str | bytes], Sequence[PhoneEvent | WireReply]] = codec.decode
        self._codec = codec

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """As ever, but for the one."""
        return () if isinstance(command, StopPlayback) else self._codec.encode(command)


def without_clear(name: str, settings: ProviderSettings, setup: Setup) -> Provider:
    """Make a provider that says of itself that it cannot discard."""
    provider = make(name, settings, setup)
    codec = provider.codec

    def deaf(upgrade: Upgrade, grant: Grant) -> Codec:
        return NoClear(codec(upgrade, grant))

    vars(provider).update(traits=replace(provider.traits, clears=False), codec=deaf)
    return provider


class PatientCaller(Caller):
    """Speaks over a story, and hears what was sent of it to its end."""

    async def _talk_over(self, number: int) -> None:
        if number == 0:
            await self._session.speech_started()
        await self._session.speech_stopped()
        played = self._phone.playout.played_bytes + self._phone.bot_format.bytes_for(self._chance.randrange(300, 800))
        await self._until(lambda: self._phone.playout.played_bytes >= played, f"story {number} to be played so far")
        await self._session.speech_started()
        await self._session.until(lambda session: len(truncates(session)) == number + 1)
        await self._until_quiet()


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    """A call with each provider, ended by the bot."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        patch.setattr("gateway.sim.phone.phone.Playout", KeepingPlayout)
        patch.setattr("gateway.phone.providers.make", without_clear)
        return in_virtual_time(lambda: make_calls(tmp_path_factory.mktemp("without_clear")))


async def make_calls(folder: Path) -> Mapping[str, Outcome]:
    turns = [{"say": say} for say in ("463 ms of an answer", *STORIES)]
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
        for case in CASES
    }
    outcomes: dict[str, Outcome] = {}

    async def make(held: Exchange, case: Case) -> None:
        outcomes[case.provider] = await PatientCaller(held, case).call()
        assert not held.fields(case.line, "playback_stopped")

    async with exchange(folder, PROVIDERS, lines, script, limit_s=90) as held, asyncio.TaskGroup() as group:
        for case in CASES:
            group.create_task(make(held, case))
    return outcomes


@pytest.fixture(params=PROVIDERS)
def outcome(calls: Mapping[str, Outcome], request: pytest.FixtureRequest) -> Outcome:
    """What came of the call with one of them."""
    return calls[request.param]


async def test_all_that_was_sent_is_told_as_heard(outcome: Outcome) -> None:
    """To the millisecond: of each story the phone played exactly as much as the service was told."""
    stream, position = bytes(outcome.playout.stream), 0
    told = iter(truncates(outcome.session))
    for number, reply in enumerate(await said(outcome)):
        begun = stream.find(reply[:64], position)
        assert begun >= 0, f"reply {number} never came"
        if 2 <= number < 2 + len(STORIES):
            size = outcome.phone.bot_format.bytes_for(next(told))
            assert stream[begun : begun + size] == reply[:size], f"reply {number} was not heard so far"
            assert stream[begun + size : begun + size + 64] != reply[size : size + 64], f"reply {number} went on"
            position = begun + size
        else:
            position = begun + len(reply)
    assert bytes(outcome.played).startswith(stream[:position])


def test_nothing_is_cleared_and_nothing_measured(outcome: Outcome) -> None:
    """No message discards, no stop is measured (see where the calls are made), and neither end objects."""
    assert outcome.phone.clears == []
    assert not outcome.violations
    assert not [found for found in outcome.session.violations if not found.startswith("audio_stopped:")]
    assert (outcome.end["reason"], outcome.end["by"]) == ("bot_hung_up", "bot")
