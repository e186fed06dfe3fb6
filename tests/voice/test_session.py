"""What a session is told: exact bodies, for models and for agents, and what the SDK and the emulator say to them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from azure.ai.voicelive.models import ClientEventSessionUpdate, RequestSession

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat, Encoding
from gateway.config import Lines, load_deployment
from gateway.errors import WireError
from gateway.sim.emulator import Emulator
from gateway.voice.events import SessionReady, VoiceClosed, VoiceEnd, VoiceEvent
from gateway.voice.leg import VoiceLeg
from gateway.voice.proposals import proposals_for
from gateway.voice.service import VoiceLive
from gateway.voice.session import session_for
from gateway.voice.tool_schemas import END_CALL
from tests.sim.emulator.wire import quick
from tests.voice.lines import AGENT, CALL, INSTRUCTIONS, line_of

CONFIG = Path(__file__).parents[2] / "config" / "gateway.yaml"


@pytest.mark.parametrize("name", ["support", "restaurant", "bibliothek"])
def test_the_sdk_knows_every_field_of_the_example_lines(name: str) -> None:
    """Read into the SDK's model and back, a session is what it was; a field it does not know would be refused."""
    line = Lines(load_deployment(CONFIG, {})).by_name(name)
    assert line
    session = session_for(line, PCMU, CALL)
    assert json.loads(json.dumps(session)) == session
    event = ClientEventSessionUpdate(session=RequestSession(session))
    assert event.as_dict() == {"type": "session.update", "session": session}
    RequestSession(**{key: value for key, value in session.items() if value is not None})  # unknown names raise


def test_a_session_is_complete(tmp_path: Path) -> None:
    """Every field that a phone call depends on is said, although the line says next to nothing."""
    assert session_for(line_of(tmp_path, ""), PCMA, CALL) == {
        "modalities": ["text", "audio"],
        "instructions": "You are sales.",
        "voice": {"type": "azure-standard", "name": "en-US-AvaMultilingualNeural"},
        "input_audio_format": "g711_alaw",
        "input_audio_sampling_rate": 8000,
        "output_audio_format": "g711_alaw",
        "turn_detection": {
            "type": "azure_semantic_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 420,
            "silence_duration_ms": 500,
            "speech_duration_ms": 80,
            "remove_filler_words": False,
            "create_response": True,
            "interrupt_response": False,
            "auto_truncate": False,
        },
        "input_audio_noise_reduction": None,
        "input_audio_echo_cancellation": None,
        "input_audio_transcription": {"model": "azure-speech"},
        "tools": [],
        "tool_choice": "auto",
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
        "output_audio_timestamp_types": ["word"],
        "metadata": {"call_id": "CA1", "line": "sales"},
    }


def test_every_setting_of_a_line_reaches_the_session(tmp_path: Path) -> None:
    """Under the names and in the shapes of the service."""
    line = line_of(
        tmp_path,
        """
voice: {type: azure-custom, name: mine, endpoint_id: guid, rate: "+10%", temperature: 0.5, prefer_locales: [en-GB]}
language: en-US
turn_detection:
  type: server_vad
  threshold: 0.7
  speech_duration_ms: 300
  end_of_utterance_detection: {model: semantic_detection_v1_multilingual, threshold_level: high}
noise_reduction: azure_deep_noise_suppression
echo_cancellation: server_echo_cancellation
transcription: {phrase_list: [Contoso], custom_speech: {en-US: guid}}
barge_in: false
tools: [end_call]
temperature: 0.6
max_response_output_tokens: 300
interim_response: {type: llm_interim_response, triggers: [tool], instructions: Be brief.}
metadata: {team: a}
""",
    )
    session = session_for(line, L16_16K, CALL)
    assert session["voice"] == {
        "type": "azure-custom",
        "name": "mine",
        "endpoint_id": "guid",
        "rate": "+10%",
        "temperature": 0.5,
        "prefer_locales": ["en-GB"],
    }
    assert session["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.7,
        "prefix_padding_ms": 400,
        "silence_duration_ms": 500,
        "speech_duration_ms": 300,
        "end_of_utterance_detection": {
            "model": "semantic_detection_v1_multilingual",
            "threshold_level": "high",
            "timeout_ms": 1000,
        },
        "create_response": True,
        "interrupt_response": False,
        "auto_truncate": False,
    }
    assert session["input_audio_noise_reduction"] == {"type": "azure_deep_noise_suppression"}
    assert session["input_audio_echo_cancellation"] == {
        "type": "server_echo_cancellation",
        "reference_source": "server",
        "channels": 1,
    }
    assert session["input_audio_transcription"] == {
        "model": "azure-speech",
        "language": "en-US",
        "phrase_list": ["Contoso"],
        "custom_speech": {"en-US": "guid"},
    }
    assert session["interim_response"] == {
        "type": "llm_interim_response",
        "triggers": ["tool"],
        "latency_threshold_ms": 2000,
        "model": "gpt-4.1-mini",
        "instructions": "Be brief.",
        "max_completion_tokens": 50,
    }
    assert session["tools"] == [END_CALL]
    assert session["parallel_tool_calls"] is False
    assert (session["temperature"], session["max_response_output_tokens"]) == (0.6, 300)
    assert session["metadata"] == {"team": "a", "call_id": "CA1", "line": "sales"}


@pytest.mark.parametrize(
    ("audio_format", "expected"),
    [
        (PCMU, ("g711_ulaw", 8000, "g711_ulaw")),
        (PCMA, ("g711_alaw", 8000, "g711_alaw")),
        (L16_8K, ("pcm16", 8000, "pcm16_8000hz")),
        (L16_16K, ("pcm16", 16000, "pcm16_16000hz")),
        (L16_24K, ("pcm16", 24000, "pcm16")),
    ],
)
def test_the_session_takes_the_phone_s_own_format(
    tmp_path: Path, audio_format: AudioFormat, expected: tuple[str, int, str]
) -> None:
    """Nothing is converted on the way."""
    session = session_for(line_of(tmp_path, ""), audio_format, CALL)
    keys = ("input_audio_format", "input_audio_sampling_rate", "output_audio_format")
    assert tuple(session[key] for key in keys) == expected


def test_a_format_that_the_service_does_not_take_is_refused(tmp_path: Path) -> None:
    """The message names the formats it takes."""
    with pytest.raises(WireError, match=r"Voice Live takes pcmu/8000, pcma/8000, .* found pcmu/16000"):
        session_for(line_of(tmp_path, ""), AudioFormat(Encoding.PCMU, 16000), CALL)


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ('turn_detection: none\ncommit_on: "#"\ntranscription: none', "turn_detection", None),
        (
            "turn_detection: {type: semantic_vad, eagerness: low}\ntranscription: none",
            "turn_detection",
            {
                "type": "semantic_vad",
                "eagerness": "low",
                "create_response": True,
                "interrupt_response": False,
                "auto_truncate": False,
            },
        ),
        ("transcription: none", "input_audio_transcription", None),
        (
            "transcription: {model: whisper-1, prompt: names}\nlanguage: en-US",
            "input_audio_transcription",
            {"model": "whisper-1", "prompt": "names", "language": "en"},
        ),
        (
            "transcription: {language: de-DE}\nlanguage: en-US",
            "input_audio_transcription",
            {"model": "azure-speech", "language": "de-DE"},
        ),
        ("noise_reduction: far_field", "input_audio_noise_reduction", {"type": "far_field"}),
        ("voice: marin", "voice", {"type": "openai", "name": "marin"}),
    ],
)
def test_a_native_session_has_what_its_line_says(tmp_path: Path, text: str, key: str, expected: Any) -> None:
    """Off is an explicit null, for an absent key leaves the service's default on."""
    session = session_for(line_of(tmp_path, text, model="gpt-realtime"), PCMU, CALL)
    assert key in session
    assert session[key] == expected


def test_what_a_model_does_not_take_is_not_sent(tmp_path: Path) -> None:
    """Native models take no temperature; GPT-5 models only their own; the model itself is named by the connection."""
    assert "temperature" not in session_for(line_of(tmp_path, "", model="gpt-realtime"), PCMU, CALL)
    session = session_for(line_of(tmp_path, "reasoning_effort: low", model="gpt-5-mini"), PCMU, CALL)
    assert (session["temperature"], session["reasoning_effort"]) == (1.0, "low")
    assert not {"model", "parallel_tool_calls", "interim_response"} & session.keys()


@pytest.mark.parametrize("kind", ["latency", "tool", "latency, tool"])
def test_the_service_can_fill_the_wait_for_a_tool(tmp_path: Path, kind: str) -> None:
    """``interim_response`` with the triggers that the line names."""
    line = line_of(
        tmp_path,
        f"interim_response: {{type: static_interim_response, triggers: [{kind}], texts: [One moment.]}}",
    )
    assert session_for(line, PCMU, CALL)["interim_response"] == {
        "type": "static_interim_response",
        "triggers": kind.split(", "),
        "latency_threshold_ms": 2000,
        "texts": ["One moment."],
    }


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("language: de-DE", ["de"]),
        ("language: 'en-US,es-US,en-GB'", ["en", "es"]),
        ("turn_detection: azure_semantic_vad_multilingual\nlanguage: fr-CA", ["fr"]),
        ("turn_detection: {type: azure_semantic_vad_multilingual, languages: [it, de]}\nlanguage: fr-CA", ["it", "de"]),
        ("turn_detection: {type: azure_semantic_vad_en}\nlanguage: en-US", None),
        ("turn_detection: server_vad\nlanguage: de-DE", None),
        ("language: nl-NL", None),
        ("language: 'de-DE,nl-NL'", None),
        ("", None),
    ],
)
def test_turns_are_found_in_the_line_s_languages(tmp_path: Path, text: str, languages: list[str] | None) -> None:
    """Unless the line names others for it, or one of them is unknown to the speech detection."""
    session = session_for(line_of(tmp_path, text), PCMU, CALL)
    assert session["turn_detection"].get("languages") == languages


def test_an_agent_keeps_what_is_its_own(tmp_path: Path) -> None:
    """Instructions, model and tools are the agent's, its voice too; how the phone is heard is the line's."""
    interim = "interim_response: {type: static_interim_response, triggers: [tool], texts: [One moment.]}"
    line = line_of(tmp_path, f"language: en-US\nmetadata: {{team: a}}\n{interim}", begins=AGENT)
    turns = session_for(line_of(tmp_path, "language: en-US"), PCMU, CALL)["turn_detection"]
    assert session_for(line, PCMU, CALL) == {
        "modalities": ["text", "audio"],
        "input_audio_format": "g711_ulaw",
        "input_audio_sampling_rate": 8000,
        "output_audio_format": "g711_ulaw",
        "turn_detection": turns,
        "input_audio_noise_reduction": None,
        "input_audio_echo_cancellation": None,
        "input_audio_transcription": {"model": "azure-speech", "language": "en-US"},
        "interim_response": {
            "type": "static_interim_response",
            "triggers": ["tool"],
            "latency_threshold_ms": 2000,
            "texts": ["One moment."],
        },
        "metadata": {"team": "a", "call_id": "CA1", "line": "sales"},
    }


@pytest.mark.parametrize(("voice", "asked"), [("en-US-AvaNeural", True), ("marin", False)])
def test_the_times_of_words_are_asked_for_where_the_voice_has_them(tmp_path: Path, voice: str, asked: bool) -> None:
    """Text-to-speech voices of Azure have them, with any model; OpenAI's have none."""
    session = session_for(line_of(tmp_path, f"voice: {voice}", model="gpt-realtime"), PCMU, CALL)
    assert (session.get("output_audio_timestamp_types") == ["word"]) is asked


def test_an_agent_speaks_with_the_voice_that_its_line_names(tmp_path: Path) -> None:
    """Even where that is the one that a line without a word on it would have."""
    name = "en-US-AvaMultilingualNeural"
    session = session_for(line_of(tmp_path, f"voice: {name}", begins=AGENT), PCMU, CALL)
    assert session["voice"] == {"type": "azure-standard", "name": name}


TOOLS = """
transfers: {desk: "+14255550199"}
tools:
  - end_call
  - transfer_call
  - send_digits
  - name: order_status
    description: Looks up an order.
    parameters: {order_number: string, note: {type: string, optional: true}}
    http: {url: "https://shop.example.com/orders/{order_number}"}
  - mcp: {server_label: crm, server_url: "https://mcp.example.com/", require_approval: never}
parallel_tool_calls: true
"""


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("model", "begins", "text"),
    [
        ("gpt-4.1", INSTRUCTIONS, ""),
        ("gpt-4.1", INSTRUCTIONS, TOOLS),
        ("gpt-realtime-2.1", INSTRUCTIONS, "voice: marin\n" + TOOLS),
        ("", AGENT, ""),
        ("", AGENT, "voice: en-US-AvaMultilingualNeural\ngreeting: Hello."),
    ],
)
async def test_the_emulator_takes_the_session(tmp_path: Path, model: str, begins: str, text: str) -> None:
    """It holds every member to what the service's documents say, where a model answers and where an agent does."""
    line = line_of(tmp_path, text, model, begins=begins)
    session = session_for(line, PCMU, CALL)
    async with (
        asyncio.timeout(20),
        Emulator(quick()) as service,
        VoiceLive(service.endpoint, "any") as live,
    ):
        leg = VoiceLeg(live, proposals_for(line, PCMU, CALL))
        told: list[VoiceEvent] = []
        first = asyncio.Event()

        def tell(event: VoiceEvent) -> None:
            told.append(event)
            first.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(leg.run(tell))
            await first.wait()
            await leg.close()
        assert isinstance(told[0], SessionReady), told[0]
        assert told[-1] == VoiceClosed(VoiceEnd.CLOSED)
        service.check()
        assert service.sessions[0].updates == [session]


def test_one_function_can_be_forced(tmp_path: Path) -> None:
    """As the service writes it."""
    session = session_for(line_of(tmp_path, "tools: [end_call]\ntool_choice: {function: end_call}\n"), PCMU, CALL)
    assert session["tool_choice"] == {"type": "function", "name": "end_call"}


def test_a_line_that_only_listens_has_no_voice(tmp_path: Path) -> None:
    """Text alone, no answer of the service's own, and nothing of which it would refuse the voice."""
    session = session_for(line_of(tmp_path, "modalities: [text]\n"), PCMU, CALL)
    assert session["modalities"] == ["text"]
    assert session["turn_detection"]["create_response"] is False
    assert session.keys().isdisjoint(("voice", "output_audio_format", "output_audio_timestamp_types"))
    assert session["input_audio_transcription"] == {"model": "azure-speech"}


def test_manual_turns_of_a_line_that_only_listens(tmp_path: Path) -> None:
    """Nothing is added to the null of turn detection."""
    line = line_of(tmp_path, 'modalities: [text]\nturn_detection: none\ncommit_on: "#"\n')
    assert session_for(line, PCMU, CALL)["turn_detection"] is None
