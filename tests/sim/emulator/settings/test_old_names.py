"""The names of earlier versions: taken by the versions that had them, refused by the others, echoed."""

from typing import Any

import aiohttp
import pytest

from gateway.sim.emulator import Emulator
from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.settings.old_names import check_old_names
from tests.sim.emulator.settings.test_settings import settings, update
from tests.sim.emulator.wire import Event, conversation, scripted

FIRST, GENERAL, NEWEST = "2025-05-01-preview", "2025-10-01", "2026-07-15"
JUDGE: Event = {"model": "semantic_detection_v1", "threshold": 0.01, "timeout": 2}


@pytest.mark.parametrize(
    ("session", "last_with", "first_without", "param"),
    [
        (
            {"turn_detection": {"type": "server_vad", "end_of_utterance_detection": {**JUDGE}}},
            FIRST,
            GENERAL,
            "threshold",
        ),
        ({"turn_detection": {"type": "azure_multilingual_semantic_vad"}}, FIRST, GENERAL, "turn_detection.type"),
        ({"input_audio_transcription": {"model": "azure-speech", "enabled": True}}, FIRST, GENERAL, "enabled"),
        (
            {"input_audio_transcription": {"model": "azure-speech", "custom_model": False}},
            FIRST,
            GENERAL,
            "custom_model",
        ),
        ({"output_audio_format": "pcm16-16000hz"}, "2026-01-01-preview", "2026-04-10", "output_audio_format"),
        (
            {
                "turn_detection": {
                    "type": "server_vad",
                    "end_of_utterance_detection": {"model": "smart_end_of_turn_detection"},
                }
            },
            "2026-06-01-preview",
            NEWEST,
            "end_of_utterance_detection.model",
        ),
    ],
)
def test_an_old_name_is_taken_up_to_a_version(
    session: dict[str, Any], last_with: str, first_without: str, param: str
) -> None:
    """And named by the error of the one that dropped it; a service that is not strict takes it for ever."""
    update(settings(version=last_with), **session)
    with pytest.raises(Rejected) as refused:
        update(settings(version=first_without), **session)
    assert str(refused.value.param).endswith(param)
    update(settings(version=first_without, strict=False), **session)


def test_the_end_of_an_utterance_is_echoed_by_all_its_names() -> None:
    """Those that were left out as null, the old ones too; a turn detection without one has null in its place."""
    detection: Event = {"type": "azure_semantic_vad", "end_of_utterance_detection": {**JUDGE}}
    first = settings(version=FIRST)
    update(first, turn_detection=detection)
    assert first.echo["turn_detection"]["end_of_utterance_detection"] == {
        **JUDGE,
        "threshold_level": None,
        "timeout_ms": None,
    }
    newest = settings()
    update(newest, turn_detection={**detection, "end_of_utterance_detection": {"model": "semantic_detection_v1"}})
    judge = newest.echo["turn_detection"]["end_of_utterance_detection"]
    assert (judge["threshold"], judge["timeout"], judge["threshold_level"]) == (None, None, "default")
    update(newest, turn_detection={"type": "azure_semantic_vad"})
    assert newest.echo["turn_detection"]["end_of_utterance_detection"] is None


def test_old_members_of_a_transcription_are_echoed_where_they_were_sent() -> None:
    """No later session has them."""
    first = settings(version=FIRST)
    update(first, input_audio_transcription={"model": "azure-speech", "enabled": True, "custom_model": False})
    assert first.echo["input_audio_transcription"]["enabled"] is True
    newest = settings()
    update(newest, input_audio_transcription={"model": "azure-speech"})
    assert not {"enabled", "custom_model"} & newest.echo["input_audio_transcription"].keys()


def test_the_first_version_shows_what_it_knows() -> None:
    """Its sessions end with an agent, and lack what came later."""
    assert list(settings(version=FIRST).echo)[-1] == "agent"
    assert "truncation_strategy" not in settings(version=FIRST).echo
    assert "agent" not in settings().echo


def test_nothing_to_look_at_is_no_old_name() -> None:
    """What is no session is refused elsewhere."""
    check_old_names(None, NEWEST)
    check_old_names({"turn_detection": None}, NEWEST)


@pytest.mark.parametrize(
    ("version", "key", "taken"),
    [
        ("2026-04-10", "url", True),
        ("2026-04-10", "image_url", True),
        (NEWEST, "url", False),
        (NEWEST, "image_url", True),
    ],
)
async def test_the_address_of_an_image_changed_its_name(version: str, key: str, taken: bool) -> None:
    """``image_url`` since 2026-06-01-preview."""
    part = {"type": "input_image", key: "https://pictures.example/1.png"}
    async with conversation(scripted({"say": "A"}), version=version) as (wire, _):
        await wire.send("conversation.item.create", item={"type": "message", "role": "user", "content": [part]})
        answer = await wire.next()
        assert (answer["type"] == "conversation.item.created") is taken
        if not taken:
            assert answer["error"]["param"] == "item.content[0].image_url"


@pytest.mark.parametrize(("version", "key"), [(GENERAL, "agent-id"), (NEWEST, "agent-name")])
async def test_a_classic_agent_has_an_id(version: str, key: str) -> None:
    """Since 2026-01-01-preview, a name."""
    query = f"api-version={version}&{key}=concierge&agent-project-name=hotel&Authorization=Bearer%20x"
    async with (
        Emulator(scripted({"say": "A"})) as emulator,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{emulator.endpoint}/voice-live/realtime?{query}"),
    ):
        assert (await emulator.session()).session["agent"]["name"] == "concierge"
