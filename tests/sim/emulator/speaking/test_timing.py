"""What goes beside the audio: times of words, visemes and blendshapes."""

from typing import Any

import pytest

from gateway.sim.emulator.speaking.timing import visemes_of
from tests.sim.emulator.wire import Wire, conversation, quick, scripted

TEXT = "Thank you, and goodbye."


async def spoken(wire: Wire, **session: Any) -> None:
    """A whole reply under these settings."""
    await wire.update(**session)
    await wire.send("response.create")
    await wire.until("response.done")


def test_visemes_follow_the_letters() -> None:
    """Rising offsets within the audio, ids of 0 to 21, a closed mouth behind each word and at lips that meet."""
    visemes = list(visemes_of(TEXT, 2000))
    offsets, ids = zip(*visemes, strict=True)
    assert list(offsets) == sorted(offsets)
    assert 0 <= offsets[0] <= offsets[-1] <= 2000
    assert set(ids) <= set(range(22))
    assert ids.count(0) == 4
    assert {21} <= set(ids)
    assert list(visemes_of("", 0)) == []


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-4.1"])
async def test_visemes_come_with_their_audio(model: str) -> None:
    """Of an Azure voice, where the session asks for them: none before its audio, and done behind it."""
    voice = {"type": "azure-standard", "name": "en-US-NancyNeural"}
    async with conversation(quick(), model=model) as (wire, _):
        await spoken(wire, voice=voice, animation={"outputs": ["viseme_id"]}, output_audio_timestamp_types=["word"])
        visemes = wire.all("response.animation_viseme.delta")
        assert len(visemes) > 20
        assert [one["audio_offset_ms"] for one in visemes] == sorted(one["audio_offset_ms"] for one in visemes)
        assert wire.all("response.audio_timestamp.delta")
        types = wire.types
        assert types.index("response.audio.delta") < types.index("response.animation_viseme.delta")
        assert types.index("response.audio.done") < types.index("response.animation_viseme.done")
        assert "response.animation_blendshapes.delta" not in types
        part = {"response_id", "item_id", "output_index", "content_index", "event_id", "type"}
        assert visemes[0].keys() == part | {"audio_offset_ms", "viseme_id"}


async def test_blendshapes_are_frames_without_a_gap() -> None:
    """55 numbers each, 60 a second of audio, numbered from 0 on."""
    async with conversation(quick()) as (wire, _):
        await spoken(wire, animation={"outputs": ["blendshapes"]})
        deltas = wire.all("response.animation_blendshapes.delta")
        seen = 0
        for delta in deltas:
            assert delta["frame_index"] == seen
            assert all(len(frame) == 55 for frame in delta["frames"])
            seen += len(delta["frames"])
        tokens = wire.events[-1]["response"]["usage"]["output_token_details"]["audio_tokens"]
        assert abs(seen / 60 - tokens / 20) < 0.1
        assert max(frame[17] for delta in deltas for frame in delta["frames"]) == 0.5
        assert wire.all("response.animation_blendshapes.done")
        assert "response.animation_viseme.delta" not in wire.types


async def test_a_face_without_a_voice() -> None:
    """Modalities of text and animation: the words are written, and the face moves as if they were spoken."""
    async with conversation(quick()) as (wire, _):
        await spoken(wire, animation={"outputs": ["viseme_id"]}, modalities=["text", "animation"])
        assert wire.all("response.text.done")
        assert len(wire.all("response.animation_viseme.delta")) > 20
        assert wire.all("response.animation_viseme.done")
        assert "response.audio.delta" not in wire.types


async def test_a_voice_of_openai_moves_no_face() -> None:
    """Its service does not know when a sound is made."""
    async with conversation(quick(), model="gpt-realtime") as (wire, _):
        await spoken(wire, animation={"outputs": ["viseme_id", "blendshapes"]})
        assert not any("animation" in kind for kind in wire.types)


async def test_an_interrupted_reply_moves_no_further() -> None:
    """Only what belongs to audio that was sent."""
    long = "This is a sentence that goes on for quite a while. " * 20
    async with conversation(scripted({"say": long}, greeting=long, pace=5, late_deltas=0)) as (wire, _):
        await wire.update(animation={"outputs": ["viseme_id"]})
        await wire.send("response.create")
        await wire.until("response.animation_viseme.delta")
        await wire.send("response.cancel")
        await wire.until("response.done")
        audio_ms = sum(len(one["delta"]) * 3 / 4 / 48 for one in wire.all("response.audio.delta"))
        assert wire.all("response.animation_viseme.delta")[-1]["audio_offset_ms"] < audio_ms
