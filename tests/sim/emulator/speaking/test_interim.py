"""Words while an answer, or a function, takes long."""

from typing import Any

from gateway.sim.emulator import Script
from tests.sim.emulator.wire import Event, Wire, conversation, scripted

STATIC: Event = {"type": "static_interim_response", "texts": ["One moment."], "latency_threshold_ms": 100}
FUNCTION: Event = {"type": "function", "name": "look_up", "parameters": {"type": "object", "properties": {}}}


def slow(**keys: Any) -> Script:
    """A script whose answers begin after 0.6 s."""
    script = scripted({"say": "A"}, greeting="Here it is.", **keys)
    return script.model_copy(update={"latency_ms": script.latency_ms.model_copy(update={"first_delta": 600})})


def said(wire: Wire) -> list[str]:
    """The transcripts that came, in their order."""
    return [event["transcript"] for event in wire.all("response.audio_transcript.done")]


async def test_a_slow_answer_is_preceded_by_words() -> None:
    """After the threshold, as an item of the same response; the answer follows as the next one."""
    async with conversation(slow()) as (wire, session):
        await wire.update(interim_response=STATIC)
        await wire.send("response.create")
        response = (await wire.until("response.done"))["response"]
        assert said(wire) == ["One moment.", "Here it is."]
        assert [item["status"] for item in response["output"]] == ["completed", "completed"]
        assert [item["id"] for item in session.items] == [item["id"] for item in response["output"]]


async def test_a_quick_answer_is_not() -> None:
    """Nor one of a session that wants words for functions alone."""
    for script, changes in ((scripted({"say": "A"}, greeting="Here it is."), {}), (slow(), {"triggers": ["tool"]})):
        async with conversation(script) as (wire, _):
            await wire.update(interim_response={**STATIC, **changes})
            await wire.send("response.create")
            await wire.until("response.done")
            assert said(wire) == ["Here it is."]


async def test_a_function_that_takes_long_is_covered_by_a_response_of_its_own() -> None:
    """The model's words are the script's; once the output is there, the answer about it comes as always."""
    turn: Event = {"call": {"name": "look_up"}, "after_call": "Found."}
    config = {"type": "llm_interim_response", "triggers": ["tool"], "latency_threshold_ms": 50}
    async with conversation(scripted(turn, interim="Let me look.")) as (wire, session):
        await wire.update(tools=[FUNCTION], interim_response=config)
        content = [{"type": "input_text", "text": "Look."}]
        await wire.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await wire.send("response.create")
        first = (await wire.until("response.done"))["response"]
        second = (await wire.until("response.done"))["response"]
        assert said(wire) == ["Let me look."]
        assert second["id"] != first["id"]
        output = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "{}"}
        await wire.send("conversation.item.create", item=output)
        await wire.send("response.create")
        await wire.until("response.done")
        assert said(wire) == ["Let me look.", "Found."]
        assert session.violations == []


async def test_a_cancel_during_the_words_ends_the_answer_too() -> None:
    """Nothing of the answer is said."""
    async with conversation(slow(pace=1, late_deltas=0)) as (wire, _):
        await wire.update(interim_response={**STATIC, "texts": ["One moment, this takes a little while longer."]})
        await wire.send("response.create")
        await wire.until("response.audio.delta")
        await wire.send("response.cancel")
        response = (await wire.until("response.done"))["response"]
        assert (response["status"], len(response["output"])) == ("cancelled", 1)
