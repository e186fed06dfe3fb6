"""What follows a call at every provider: the rescue for callers whose call failed, and for nobody else."""

import contextlib
from pathlib import Path

import pytest

from gateway.app import PROVIDERS
from gateway.sim.continuation import Step
from gateway.sim.phone import SimulatedPhone
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, instant, noise
from tests.e2e.test_outlived_streams import CASES, NUMBERS, line_of
from tests.virtual_time import virtual_time

RESCUE = "+14255550177"
KEYS = f'tools: [end_call]\nafter: {{say: Thank you.}}\non_failure: {{say: Sorry., transfer: "{RESCUE}"}}\n'
OF_THEIR_OWN = frozenset({"genesys", "asterisk", "exotel"})
"""Here a flow or dialplan of the operator's says what follows."""
FOLLOWED = tuple(case for case in CASES if case not in OF_THEIR_OWN)
GOODBYE, SORRY = Step("say", "Thank you."), Step("say", "Sorry.")


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.response.spoken", noise)


def lines(keys: str) -> dict[str, str]:
    """A line for each case, with these keys."""
    text = LINE.partition("\n")[2].replace("Hello.", "200 ms")
    return {line_of(case): f'numbers: ["{NUMBERS[case]}"]\n{text}{keys}' for case in CASES}


def calling(held: Exchange, case: str) -> contextlib.AbstractAsyncContextManager[SimulatedPhone]:
    """A call to the case's line."""
    provider, _, quirk = case.partition(" ")
    return held.call(provider, NUMBERS[case], quirks=[quirk] if quirk else [])


def told(phone: SimulatedPhone) -> tuple[list[str], list[str]]:
    """What was said behind the stream, and whom the caller was connected with."""
    said = [step.text for step in phone.continuation if step.kind == "say"]
    reached = [step.text for step in phone.continuation if step.kind == "transfer"]
    assert "failed" not in {step.kind for step in phone.continuation}
    return said, ["+" + to.removeprefix("+") for to in reached]


@pytest.mark.parametrize("case", FOLLOWED)
@virtual_time
async def test_a_satisfied_caller_is_not_rescued(tmp_path: Path, case: str) -> None:
    """After the bot's farewell the line's ``after`` follows."""
    script = instant({"say": "100 ms", "call": {"name": "end_call"}})
    async with exchange(tmp_path, PROVIDERS, lines(KEYS), script) as held:
        async with calling(held, case) as phone:
            session = await held.session_of(line_of(case))
            await held.told(line_of(case), "reply_heard")
            await session.speech_started()
            await session.speech_stopped()
            await phone.closed.wait()
        assert (await held.told(line_of(case), "call_ended"))["reason"] == "bot_hung_up"
        said, reached = told(phone)
    assert reached == []
    assert said == ([] if case == "acs" else ["Thank you."])


@pytest.mark.parametrize("case", FOLLOWED)
@virtual_time
async def test_the_caller_of_a_failed_call_is_rescued(tmp_path: Path, case: str) -> None:
    """Where the service is lost, ``on_failure`` follows, and never ``after``."""
    async with exchange(tmp_path, PROVIDERS, lines(KEYS), instant()) as held:
        async with calling(held, case) as phone:
            session = await held.session_of(line_of(case))
            await held.told(line_of(case), "reply_heard")
            session.cut()
            await phone.closed.wait()
        assert (await held.told(line_of(case), "call_ended"))["reason"] == "voice_lost"
        said, reached = told(phone)
    assert reached == [RESCUE]
    assert said == ([] if case == "acs" else ["Sorry."])
