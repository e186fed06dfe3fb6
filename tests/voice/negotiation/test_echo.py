"""What the service says it does, beside what it was asked for."""

import pytest

from gateway.voice.negotiation.echo import DIFFERENCES, Difference, differences
from tests.voice.negotiation.session import SESSION, TURNS


def test_what_was_asked_for_is_no_difference() -> None:
    """Nor are members that are shown besides, ``null`` or not at all: they say nothing."""
    shown = {**SESSION, "voice": {**SESSION["voice"], "style": None}, "model": "gpt-4.1-2025-04-14", "greeting": None}
    assert differences(SESSION, shown) == ()
    assert differences(SESSION, {}) == ()
    assert differences(SESSION, dict.fromkeys(SESSION)) == ()


@pytest.mark.parametrize(
    ("member", "echoed"),
    [("output_audio_format", "pcm16"), ("input_audio_format", "pcm16")],
)
def test_another_audio_format_is_a_refusal(member: str, echoed: object) -> None:
    """One side would hear noise."""
    (found,) = differences(SESSION, {**SESSION, member: echoed})
    assert found == Difference(member, SESSION[member], echoed)
    assert found.is_refusal
    assert found.words == f"{member} is {echoed}, where {SESSION[member]} was asked for"


@pytest.mark.parametrize(
    ("asked", "echoed"),
    [
        ("pcm16_8000hz", "pcm16-8000hz"),
        ("pcm16_16000hz", "pcm16-16000hz"),
        ("pcm16", "pcm16_24000hz"),
        ("g711_ulaw", "G711-ULAW"),
    ],
)
def test_other_spellings_of_a_format_are_the_same(asked: str, echoed: str) -> None:
    """Those of the previews, and the full name."""
    assert differences({"output_audio_format": asked}, {"output_audio_format": echoed}) == ()


@pytest.mark.parametrize(
    ("member", "echoed", "found"),
    [
        ("voice", {**SESSION["voice"], "name": "en-US-AvaNeural"}, "voice.name"),
        ("voice", {"type": "openai", "name": "en-US-AvaMultilingualNeural"}, "voice.type"),
        ("voice", "alloy", "voice.name"),
        ("turn_detection", {**TURNS, "type": "server_vad"}, "turn_detection.type"),
        ("turn_detection", {**TURNS, "interrupt_response": True}, "turn_detection.interrupt_response"),
        ("turn_detection", {**TURNS, "create_response": False}, "turn_detection.create_response"),
    ],
)
def test_another_voice_or_turn_detection_is_a_warning(member: str, echoed: object, found: str) -> None:
    """The call goes on."""
    (one,) = differences(SESSION, {**SESSION, member: echoed})
    assert (one.member, one.is_refusal) == (found, False)
    assert found.partition(".")[0] in DIFFERENCES


def test_turns_by_key_that_the_service_detects_are_told() -> None:
    """It would answer by itself."""
    assert differences({"turn_detection": None}, {"turn_detection": {"type": "server_vad"}}) == (
        Difference("turn_detection", None, "server_vad"),
    )
    assert differences({"turn_detection": None}, {"turn_detection": None}) == ()


def test_another_rate_of_linear_audio_is_a_refusal() -> None:
    """G.711 has one, whatever is shown."""
    linear = {"input_audio_format": "pcm16", "input_audio_sampling_rate": 16_000}
    (found,) = differences(linear, {**linear, "input_audio_sampling_rate": 24_000})
    assert found.is_refusal
    assert differences(SESSION, {**SESSION, "input_audio_sampling_rate": 24_000}) == ()
