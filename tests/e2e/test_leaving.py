"""How calls are left, heard by simulated phones: farewells to their last frame, and transfers at every provider."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.audio.formats import PCMU
from gateway.call.notes import ReplySaid
from gateway.call.record import TimedNote
from gateway.cli.calling.own_gateway import own_gateway
from gateway.cli.providers import everyone
from gateway.sim.caller.call import CallPlan, CallResult, place_call
from gateway.sim.caller.caller import Patience, Utterance
from gateway.sim.caller.dial import dial
from gateway.sim.caller.recording import load_recording
from gateway.sim.emulator import Script, Session
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.prompts import FOLDER
from gateway.sim.providers import PROVIDERS
from tests.e2e.rig import LINE, NUMBER, Rig, configuration, instant, load, noise, rig, session_of
from tests.virtual_time import in_virtual_time, virtual_time

GREETING = "120 ms of a greeting"
DESK = "+14255550199"
ENDER = LINE.replace("Hello.", GREETING) + "tools: [end_call]\n"
TRANSFERRER = (
    LINE.replace("Hello.", GREETING)
    + f'transfers: {{desk: {{to: "{DESK}", announce: 300 ms please hold}}}}\ntools: [transfer_call]\n'
)


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def farewell(seconds: int) -> str:
    """Last words of this length."""
    return f"{seconds * 1000} ms of a farewell"


@asynccontextmanager
async def leaving(held: Rig, call_id: str) -> AsyncIterator[tuple[SimulatedPhone, Session]]:
    """A phone that has been greeted and has said something."""
    async with dial("twilio", held.stream_url, to=NUMBER, from_="+14155550123", call_id=call_id) as phone:
        session = await session_of(held, call_id)
        await held.until(lambda: held.fields(call_id, "reply_heard"))
        await session.speech_started()
        await session.speech_stopped()
        yield phone, session


async def hang_up_after(held: Rig, seconds: int) -> None:
    """One call in which the bot says goodbye for so long and hangs up in the same breath."""
    async with leaving(held, f"CA{seconds}") as (phone, _):
        await phone.closed.wait()
        assert phone.playout.queued_bytes == 0
        assert await noise(farewell(seconds), PCMU) in bytes(phone.bot_audio)
    assert (await held.end_of(f"CA{seconds}"))["reason"] == "bot_hung_up"


@pytest.mark.parametrize("seconds", [1, 20])
@virtual_time
async def test_a_farewell_is_heard_to_its_last_frame(tmp_path: Path, seconds: int) -> None:
    """Byte for byte, by the phone's own clock, before the stream is closed; however long it is."""
    script = instant({"say": farewell(seconds), "call": {"name": "end_call"}}, greeting=GREETING)
    async with rig(configuration(tmp_path, {"support": ENDER}), script, limit_s=45) as held:
        await hang_up_after(held, seconds)


async def test_a_caller_who_speaks_into_the_farewell_keeps_the_call(tmp_path: Path) -> None:
    """The bot falls silent, does not hang up, and answers what was said."""
    script = instant({"say": farewell(20), "call": {"name": "end_call"}}, {"say": "100 ms of more"}, greeting=GREETING)
    async with rig(configuration(tmp_path, {"support": ENDER}), script) as held:
        async with leaving(held, "CA1") as (phone, session):
            await held.until(lambda: held.fields("CA1", "tool_called"))
            await session.speech_started()
            await session.speech_stopped()
            await held.until(lambda: len(held.fields("CA1", "reply_heard")) == 3)
            assert not phone.closed.is_set()
        assert held.fields("CA1", "hang_up_cancelled") == [{"target": None, "asked_by": "model"}]
        assert (await held.end_of("CA1"))["reason"] == "caller_hung_up"
        held.emulator.check()


TRANSFERRING = tuple(provider.name for provider in everyone() if provider.traits.transfer)
BY_API = tuple(provider.name for provider in everyone() if provider.traits.transfer.startswith("REST"))
REFUSED = "twilio, whose API refuses"
NOT_FOUND = "{}, whose API does not find the call"
QUICK = Patience(greeting_s=20, reply_s=20, turn_gap_s=0.3)
SCRIPT = Script.model_validate(
    {
        "turns": [{"call": {"name": "transfer_call", "arguments": {"target": "desk"}}}, {"say": "200 ms of more"}],
        "greeting": GREETING,
        "default_after_call": "200 ms of regret",
    }
)
Outcome = tuple[CallResult, list[TimedNote]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """A call that is to be transferred at every provider, and one whose provider refuses; all at once."""
    folder = tmp_path_factory.mktemp("transfers")

    async def all_of_them() -> dict[str, Outcome]:
        async with asyncio.timeout(90), asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(transferred(folder, name)) for name in TRANSFERRING}
            tasks[REFUSED] = group.create_task(transferred(folder / "refused", "twilio", 400))
            for name in BY_API:
                tasks[NOT_FOUND.format(name)] = group.create_task(transferred(folder / "not found", name, 404))
        return {name: task.result() for name, task in tasks.items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        return in_virtual_time(all_of_them)


async def transferred(folder: Path, provider: str, refusal: int | None = None) -> Outcome:
    """A call that is to be transferred; ``refusal`` is the status with which the provider's API refuses that."""
    deployment, lines = load(configuration(folder / provider, {"support": TRANSFERRER}))
    utterance = Utterance(load_recording(FOLDER / "caller" / "goodbye.wav", PROVIDERS[provider].audio_formats[0]))
    async with own_gateway(deployment, lines, provider, lambda *_: None, SCRIPT) as called:
        if called.api is not None:
            called.api.transfer_refusal = refusal
        plan = CallPlan(
            (utterance,),
            to=NUMBER,
            from_="+14155550123",
            answer_url=called.answer_url,
            status_url=called.status_url,
            provider=provider,
            secrets=called.secrets,
            patience=QUICK,
            hang_up_by="gateway",
            max_duration_s=60,
        )
        result = await place_call(plan, api=called.api)
        async with asyncio.timeout(10):
            await called.ended.wait()
        return result, called.notes


@pytest.mark.parametrize("provider", TRANSFERRING)
def test_a_transfer_is_asked_for_once_the_announcement_was_heard(outcomes: dict[str, Outcome], provider: str) -> None:
    """By the provider's API or on its stream; the caller goes to the target, and the call ends as transferred."""
    result, notes = outcomes[provider]
    assert result.transferred_to.endswith(DESK.removeprefix("+"))
    kinds = [noted.note.event for noted in notes]
    assert kinds.index("reply_heard") < kinds.index("transfer_started") < kinds.index("transferred")
    assert notes[-1].note.fields()["reason"] == "transferred"
    assert [str(violation) for violation in result.violations] == []


@pytest.mark.parametrize("refused", [REFUSED, *map(NOT_FOUND.format, BY_API)])
def test_a_transfer_that_fails_is_told_to_the_caller(outcomes: dict[str, Outcome], refused: str) -> None:
    """The provider's API answers 400, or finds no such call: the bot says so, and the call goes on until its end."""
    result, notes = outcomes[refused]
    assert "transfer_failed" in [noted.note.event for noted in notes]
    assert "200 ms of regret" in [noted.note.text for noted in notes if isinstance(noted.note, ReplySaid)]
    assert result.transferred_to == ""
    assert notes[-1].note.fields()["reason"] == "caller_hung_up"
