"""The names of events: Voice Live's unless a script, a command or a version asks for OpenAI's newer ones."""

import pytest

from gateway.sim.emulator.dialect import DialectName, dialect_of
from tests.sim.emulator.wire import conversation, quick

NEWER = {"response.output_audio.delta", "response.output_audio_transcript.delta", "conversation.item.added"}
OLDER = {"response.audio.delta", "response.audio_transcript.delta", "conversation.item.created"}


@pytest.mark.parametrize(
    ("script", "version", "dialect"),
    [
        (None, "2026-07-15", "voice_live"),
        (None, "2025-05-01-preview", "voice_live"),
        (None, "v1", "ga"),
        ("ga", "2026-07-15", "ga"),
        ("voice_live", "v1", "voice_live"),
    ],
)
def test_the_version_decides_where_the_script_does_not(script: DialectName | None, version: str, dialect: str) -> None:
    """Dated versions have the names of the beta."""
    assert dialect_of(script, version) == dialect


async def test_a_conversation_in_newer_names() -> None:
    """Speech, items and their parts; each item is added and then done, whole ones at once."""
    async with conversation(quick(dialect="ga")) as (wire, session):
        content = [{"type": "input_text", "text": "Hello."}]
        await wire.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await wire.until("conversation.item.done")
        assert wire.types[-2:] == ["conversation.item.added", "conversation.item.done"]
        await wire.send("response.create")
        done = await wire.until("response.done")
        assert set(wire.types) >= NEWER
        assert not OLDER & set(wire.types)
        assert wire.types[-3:] == ["response.output_item.done", "conversation.item.done", "response.done"]
        assert done["response"]["output"][0]["content"][0]["type"] == "output_audio"
        assert wire.all("response.content_part.added")[0]["part"]["type"] == "output_audio"
        assert [record.type for record in session.sent] == [event["type"] for event in wire.events]
        (first, *_) = [one.event for one in session.sent if one.type == "response.output_audio.delta"]
        assert (first["delta"], first["bytes"] > 0) == (None, True)
        assert len({event["event_id"] for event in wire.events}) == len(wire.events)


async def test_text_in_newer_names() -> None:
    """``output_text`` in its events and in the parts of its item."""
    async with conversation(quick(dialect="ga")) as (wire, _):
        await wire.send("response.create", response={"modalities": ["text"]})
        done = await wire.until("response.done")
        assert {"response.output_text.delta", "response.output_text.done"} <= set(wire.types)
        assert done["response"]["output"][0]["content"][0]["type"] == "output_text"


async def test_faults_are_asked_for_by_the_names_of_voice_live() -> None:
    """A script of faults holds for both dialects."""
    script = quick(dialect="ga").model_copy(
        update={"faults": quick().faults.model_validate({"cut": {"at": "response.audio.delta", "code": 1011}})}
    )
    async with conversation(script) as (wire, _):
        await wire.send("response.create")
        assert await wire.closed() == 1011
        assert wire.types[-1] == "response.output_audio.delta"
