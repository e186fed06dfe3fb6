"""A service that reports no speech: the gateway hears the caller itself, and makes the service listen again."""

from pathlib import Path

import pytest

from gateway.audio.formats import PCMU
from gateway.sim.caller.call import CallPlan, CallResult, place_call
from gateway.sim.caller.caller import Utterance
from gateway.sim.caller.recording import Recording, Span
from gateway.sim.emulator import Script
from tests.call.barge_in.sounds import caller_speech
from tests.e2e.rig import GATEWAY, LINE, NUMBER, Rig, configuration, noise, rig
from tests.virtual_time import in_virtual_time

WORDS = Recording("words", caller_speech(4.0), PCMU, (Span(0, 4000),))


def call_with(folder: Path, gateway: str) -> tuple[CallResult, Rig, float]:
    """A caller who speaks over the greeting for four seconds, twice, and the value of the counter."""

    async def make() -> tuple[CallResult, Rig, float]:
        script = Script.model_validate(
            {"greeting": "12000 ms of a greeting", "turns": [{"say": "6000 ms of an answer"}], "faults": {"deaf": True}}
        )
        opened = configuration(folder, {"support": LINE.replace("Hello.", "12000 ms of a greeting")}, gateway)
        async with rig(opened, script, limit_s=90) as held:
            said = [Utterance(WORDS, interrupt_after_ms=1000), Utterance(WORDS)]
            plan = CallPlan(said, to=NUMBER, from_="+14155550123", url=held.stream_url, audio_format=PCMU)
            result = await place_call(plan)
            await held.end_of(result.call_id)
            return result, held, await held.metric("gateway_speech_unreported_total")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        return in_virtual_time(make)


def test_the_bot_is_silenced_and_the_service_listens_again(tmp_path: Path) -> None:
    """About 1.5 s into the caller's words; the next turn is reported, and answered."""
    result, held, counted = call_with(tmp_path, GATEWAY)
    (barge_in, *_) = result.measures.barge_ins
    assert barge_in.stopped_after_ms is not None
    assert 1400 <= barge_in.stopped_after_ms <= 2500
    assert held.fields(result.call_id, "speech_unreported") == [{}]
    assert counted == 1
    (session,) = held.emulator.sessions
    first, second = session.updates
    assert second == {"turn_detection": first["turn_detection"]}
    assert any(record.type == "input_audio_buffer.speech_started" for record in session.sent)
    assert held.fields(result.call_id, "caller_said")
    held.emulator.check()


def test_calls_beyond_the_limit_are_not_watched(tmp_path: Path) -> None:
    """``limits.watched_calls: 0``: the greeting is heard to its end."""
    result, held, counted = call_with(tmp_path, GATEWAY + "limits: {watched_calls: 0}\n")
    assert counted == 0
    assert held.fields(result.call_id, "barge_in") == []
    assert len(held.emulator.sessions[0].updates) == 1
