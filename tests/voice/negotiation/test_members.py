"""The members that a refusal names."""

import pytest

from gateway.voice.negotiation.members import kept_by_name, named
from gateway.voice.negotiation.refusal import Refusal
from tests.voice.negotiation.session import SESSION


@pytest.mark.parametrize(
    ("param", "tried"),
    [
        ("session.metadata", ["metadata"]),
        ("metadata", ["metadata"]),
        ("session.metadata.call_id", ["metadata"]),
        ("session.turn_detection.languages", ["turn_detection.languages", "turn_detection", "turn_detection.type"]),
        ("session.turn_detection.languages[0]", ["turn_detection.languages", "turn_detection", "turn_detection.type"]),
        ("session.turn_detection.unknown", ["turn_detection", "turn_detection.type"]),
        ("session.turn_detection", ["turn_detection", "turn_detection.type"]),
        ("session.turn_detection.type", ["turn_detection.type"]),
        ("session.voice", ["voice", "voice.name"]),
        ("session.voice.name", ["voice.name"]),
        ("session.voice.rate", ["voice.rate", "voice", "voice.name"]),
        ("session.input_audio_transcription.model", ["input_audio_transcription.model"]),
    ],
)
def test_by_param(param: str, tried: list[str]) -> None:
    """The member itself first, then the simplest form of what it is in."""
    (found,) = named(Refusal(param=param, message="session.temperature"), SESSION)
    assert list(found) == tried


@pytest.mark.parametrize("param", ["", "type", "session"])
@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("The session could not be updated: session.metadata is not supported.", ["metadata"]),
        ("metadata is unknown", ["metadata"]),
        ("Unknown parameter: 'parallel_tool_calls'.", ["parallel_tool_calls"]),
        ("interim response is not supported with realtime model 'gpt-realtime'.", ["interim_response"]),
        ("1 validation error\nsession.turn_detection.languages\n  Extra inputs", ["turn_detection.languages"]),
        ("EndOfUtteranceDetection is not supported; languages neither", ["turn_detection.languages"]),
        ("session.voice is not supported", ["voice"]),
        ("Invalid 'voice'", ["voice"]),
        ("Voice Live includes no such name", []),
        ("The rate of requests is too high", []),
        ("The request is invalid.", []),
        ("session.instructions and session.tools are too long", []),
        ("temperature and metadata are not supported", ["metadata", "temperature"]),
        ("turn_detection must be of type AzureSemanticVAD", ["turn_detection"]),
    ],
)
def test_by_the_text(param: str, text: str, first: list[str]) -> None:
    """Where ``param`` says nothing, our names in the text do; of two, the inner one; ordinary words do not count."""
    assert [one[0] for one in named(Refusal(param=param, message=text), SESSION)] == first


@pytest.mark.parametrize(
    ("param", "is_kept"),
    [
        ("session.instructions", True),
        ("session.tools[0].parameters", True),
        ("session.input_audio_format", True),
        ("session.turn_detection.create_response", True),
        ("session.turn_detection", False),
        ("session.output_audio_format", False),
        ("type", False),
        ("", False),
    ],
)
def test_what_is_kept_by_name(param: str, is_kept: bool) -> None:
    """Nothing else helps where the service names what must be sent."""
    assert kept_by_name(Refusal(param=param)) == is_kept
