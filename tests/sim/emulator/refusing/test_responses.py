from typing import Any

import pytest

from tests.sim.emulator.wire import conversation, scripted

READY = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Good evening."}]}


def refusing(**refuse: Any) -> Any:
    """A script with these refusals."""
    return scripted({"say": "A"}, refuse=refuse)


@pytest.mark.parametrize(("member", "value"), [("metadata", {"a": "b"}), ("pre_generated_assistant_message", READY)])
async def test_a_member_of_a_response_is_refused(member: str, value: object) -> None:
    """The same request without it is answered."""
    async with conversation(refusing(responses=[{"member": member}])) as (wire, session):
        await wire.send("response.create", event_id="mine", response={member: value})
        error = await wire.error()
        assert (error["param"], error["event_id"]) == (f"response.{member}", "mine")
        await wire.send("response.create", response={})
        await wire.until("response.done")
        assert session.violations == []


async def test_a_number_of_responses_is_refused() -> None:
    """Without a name in the error; the next one is answered."""
    async with conversation(refusing(responses=[{"how": "unnamed", "times": 2}])) as (wire, _):
        for _ in range(2):
            await wire.send("response.create")
            assert (await wire.error())["param"] is None
        await wire.send("response.create")
        await wire.until("response.done")


async def test_a_truncation_is_refused_once() -> None:
    """The item stays whole until the second one."""
    async with conversation(refusing(truncates=[{"times": 1}])) as (wire, session):
        await wire.send("response.create")
        item = (await wire.until("response.done"))["response"]["output"][0]["id"]
        await wire.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=100)
        assert (await wire.error())["code"] == "invalid_value"
        await wire.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=100)
        await wire.until("conversation.item.truncated")
        assert session.violations == []


async def test_a_truncation_is_refused_while_a_response_is_active() -> None:
    """After ``response.done`` it is taken."""
    script = scripted({"say": "A"}, refuse={"truncates": [{"while_active": True}]}, pace=1)
    async with conversation(script) as (wire, _):
        await wire.send("response.create")
        item = (await wire.until("response.audio.delta"))["item_id"]
        await wire.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=100)
        await wire.until("error")
        await wire.send("response.cancel")
        await wire.until("response.done")
        await wire.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=100)
        await wire.until("conversation.item.truncated")
