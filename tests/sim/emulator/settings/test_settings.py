from typing import Any

import pytest

from gateway.audio.formats import L16_8K, L16_24K, PCMA
from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.settings.engine import Engine
from gateway.sim.emulator.settings.settings import Settings, parse_response

NATIVE, CASCADED = "gpt-realtime", "gpt-4.1"
AZURE_VAD = {"type": "azure_semantic_vad"}
AZURE_SPEECH = {"model": "azure-speech"}
MCP = {"type": "mcp", "server_label": "crm", "server_url": "https://crm.example.com/"}
APPROVAL = "session.tools.0.require_approval"
MISSING = "missing_required_parameter"


def settings(model: str = CASCADED, *, version: str = "2026-07-15", strict: bool = True) -> Settings:
    """A new session's settings."""
    return Settings(Engine.of(model, version), strict=strict)


def update(of: Settings, *, audio_received: bool = False, has_spoken: bool = False, **session: Any) -> None:
    """One update."""
    of.update(session, audio_received=audio_received, has_spoken=has_spoken)


def test_a_cascaded_session_begins_as_recorded() -> None:
    """gpt-4.1: Azure's voice and transcription, both modalities, 0.5/400/500, a temperature, two hours."""
    echo = settings().echo
    assert echo["model"] == "gpt-4.1"
    assert echo["voice"]["name"] == "en-US-AvaNeural"
    assert echo["voice"]["custom_lexicon_url"] is None
    assert echo["input_audio_transcription"]["model"] == "azure-speech"
    assert sorted(echo["modalities"]) == ["audio", "text"]
    assert (echo["turn_detection"]["prefix_padding_ms"], echo["turn_detection"]["silence_duration_ms"]) == (400, 500)
    assert echo["temperature"] == 0.8
    assert {"truncation_strategy", "greeting", "handoff"} <= echo.keys()


def test_a_native_session_begins_as_recorded() -> None:
    """gpt-realtime: a resolved name, the vendor's prompt, alloy, no transcription, 200 ms of silence."""
    echo = settings(NATIVE).echo
    assert echo["model"] == "gpt-realtime-global-standard"
    assert "Talk quickly" in echo["instructions"]
    assert echo["voice"] == {"name": "alloy", "type": "openai"}
    assert echo["input_audio_transcription"] is None
    assert echo["turn_detection"]["silence_duration_ms"] == 200
    assert "temperature" not in echo
    assert settings("gpt-realtime-2").echo["voice"]["name"] == "marin"


def test_a_session_shows_what_recorded_ones_show_besides() -> None:
    """Native: no output format, no end of utterance; Azure's semantic turn detection: members that nobody documents."""
    native = settings(NATIVE)
    assert native.echo["output_audio_format"] is None
    assert native.output_name == "pcm16"
    assert native.echo["turn_detection"]["end_of_utterance_detection"] is None
    cascaded = settings()
    assert cascaded.echo["output_audio_format"] == "pcm16"
    assert "end_of_utterance_detection" not in cascaded.echo["turn_detection"]
    assert settings(version="2026-01-01-preview").echo["turn_detection"]["end_of_utterance_detection"] is None
    update(cascaded, turn_detection=AZURE_VAD)
    assert cascaded.echo["turn_detection"]["profile"] == "classic"
    assert cascaded.echo["turn_detection"]["require_vowel"] is None


def test_responses_show_the_output_format_that_was_asked_for() -> None:
    """None while the client has asked for none, whatever the session shows."""
    session = settings()
    update(session, instructions="Be brief.")
    assert session.output_format_asked is None
    update(session, output_audio_format="pcm16_8000hz")
    assert session.output_format_asked == "pcm16_8000hz"


def test_the_top_level_merges_and_nested_objects_are_replaced() -> None:
    """What an update leaves out stays; a nested object comes with its version's defaults."""
    session = settings(NATIVE)
    update(session, instructions="Be brief.", voice="marin")
    update(session, turn_detection={"type": "server_vad", "create_response": True})
    assert session.echo["instructions"] == "Be brief."
    assert session.echo["voice"] == {"name": "marin", "type": "openai"}
    assert session.echo["turn_detection"]["prefix_padding_ms"] == 400
    assert session.echo["turn_detection"]["silence_duration_ms"] == 500
    assert session.sensitivity.silence_duration_ms == 500


def test_a_cascaded_session_echoes_null_for_what_was_left_out() -> None:
    """Null in the echo means the service's default, which is in force."""
    session = settings()
    update(session, turn_detection={"type": "azure_semantic_vad", "silence_duration_ms": 300})
    detection = session.echo["turn_detection"]
    assert (detection["silence_duration_ms"], detection["prefix_padding_ms"]) == (300, None)
    assert (session.sensitivity.silence_duration_ms, session.sensitivity.prefix_padding_ms) == (300, 420)
    assert session.sensitivity.speech_duration_ms == 80


def test_older_versions_have_older_numbers() -> None:
    """Before 2026-04-10 the defaults were 300 and 200 ms."""
    session = settings(version="2025-10-01")
    update(session, turn_detection={"type": "server_vad"})
    assert (session.sensitivity.prefix_padding_ms, session.sensitivity.silence_duration_ms) == (300, 200)


def test_null_switches_turn_detection_off_and_absence_does_not() -> None:
    """Only an explicit null means manual turns."""
    session = settings()
    update(session, instructions="x")
    assert session.detects("create_response")
    update(session, turn_detection=None)
    assert session.echo["turn_detection"] is None
    assert not session.detects("create_response")


def test_empty_instructions_bring_the_vendors_prompt_back() -> None:
    """On native engines an empty string does not clear."""
    session = settings(NATIVE)
    update(session, instructions="")
    assert "Talk quickly" in session.echo["instructions"]


def test_formats_mean_what_they_say() -> None:
    """A G.711 name implies 8 kHz; output pcm16 is 24 kHz whatever the input is."""
    session = settings()
    update(session, input_audio_format="g711_alaw", output_audio_format="pcm16")
    assert (session.input_format, session.echo["input_audio_sampling_rate"]) == (PCMA, 8000)
    assert session.output_format == L16_24K
    other = settings()
    update(other, input_audio_sampling_rate=8000, output_audio_format="pcm16_8000hz")
    assert (other.input_format, other.output_format) == (L16_8K, L16_8K)


@pytest.mark.parametrize(
    ("model", "session", "code", "param"),
    [
        (CASCADED, {"session": {"type": "realtime"}}, "unknown_parameter", "session.session"),
        (CASCADED, {"audio": {"input": {}}}, "unknown_parameter", "session.audio"),
        (CASCADED, {"model": "gpt-4o"}, "invalid_request_error", "session.model"),
        (CASCADED, {"modalities": ["smell"]}, "invalid_value", "session.modalities.0"),
        (CASCADED, {"instructions": 7}, "invalid_value", "session.instructions"),
        (CASCADED, {"input_audio_format": "opus"}, "invalid_value", "session.input_audio_format"),
        (
            CASCADED,
            {"input_audio_format": "g711_ulaw", "input_audio_sampling_rate": 16000},
            "invalid_value",
            "session.input_audio_sampling_rate",
        ),
        (CASCADED, {"input_audio_sampling_rate": 11025}, "invalid_value", "session.input_audio_sampling_rate"),
        (CASCADED, {"turn_detection": {"type": "psychic"}}, "invalid_value", "session.turn_detection"),
        (
            CASCADED,
            {"turn_detection": {"type": "server_vad", "threshold": 2}},
            "invalid_value",
            "session.turn_detection.threshold",
        ),
        (
            CASCADED,
            {"turn_detection": {"type": "server_vad", "languages": ["en"]}},
            "unknown_parameter",
            "session.turn_detection.languages",
        ),
        (CASCADED, {"turn_detection": {"type": "semantic_vad"}}, "invalid_value", "session.turn_detection.type"),
        (CASCADED, {"voice": "alloy"}, "invalid_value", "session.voice"),
        (NATIVE, {"voice": {"type": "openai", "name": "ava"}}, "invalid_value", "session.voice.name"),
        (NATIVE, {"voice": {"type": "azure-realtime-native", "name": "ava"}}, "invalid_value", "session.voice"),
        ("azure-realtime", {"voice": "en-US-AvaNeural"}, "invalid_value", "session.voice"),
        (
            "azure-realtime",
            {"tools": [{"type": "function", "name": "f"}]},
            "invalid_value",
            "session.tools",
        ),
        (
            CASCADED,
            {"voice": {"type": "azure-custom", "name": "mine"}},
            "missing_required_parameter",
            "session.voice.endpoint_id",
        ),
        (
            CASCADED,
            {"input_audio_transcription": {"model": "whisper-1"}},
            "invalid_value",
            "session.input_audio_transcription.model",
        ),
        (
            NATIVE,
            {"input_audio_transcription": {"model": "mai-transcribe"}},
            "invalid_value",
            "session.input_audio_transcription.model",
        ),
        (
            "gpt-realtime-2",
            {"input_audio_transcription": AZURE_SPEECH},
            "invalid_request_error",
            "session.turn_detection",
        ),
        (
            "gpt-realtime-2",
            {"input_audio_transcription": AZURE_SPEECH, "turn_detection": None},
            "invalid_request_error",
            "session.turn_detection",
        ),
        (
            CASCADED,
            {"input_audio_transcription": {**AZURE_SPEECH, "phrase_list": ["x"] * 501}},
            "invalid_value",
            "session.input_audio_transcription.phrase_list",
        ),
        (
            CASCADED,
            {"modalities": ["text"], "input_audio_echo_cancellation": {"type": "server_echo_cancellation"}},
            "ec_not_supported",
            "session.input_audio_echo_cancellation",
        ),
        (
            CASCADED,
            {"input_audio_echo_cancellation": {"type": "server_echo_cancellation", "channels": 2}},
            "invalid_ec_channels_requires_client",
            "session.input_audio_echo_cancellation",
        ),
        (
            CASCADED,
            {"input_audio_echo_cancellation": {"type": "server_echo_cancellation", "reference_source": "client"}},
            "invalid_ec_reference_channels",
            "session.input_audio_echo_cancellation",
        ),
        (
            NATIVE,
            {"interim_response": {"type": "static_interim_response", "texts": ["One moment."]}},
            "invalid_value",
            "session.interim_response",
        ),
        (CASCADED, {"metadata": {str(n): "" for n in range(17)}}, "invalid_value", "session.metadata"),
        (CASCADED, {"max_response_output_tokens": 5000}, "invalid_value", "session.max_response_output_tokens"),
        (CASCADED, {"tools": [{**MCP, "server_url": "crm"}]}, "invalid_value", "session.tools.0.server_url"),
        (CASCADED, {"tools": [{"type": "mcp", "server_url": "https://x"}]}, MISSING, "session.tools.0.server_label"),
        (CASCADED, {"tools": [{"type": "mcp", "server_label": "crm"}]}, MISSING, "session.tools.0.server_url"),
        (
            CASCADED,
            {"tools": [{**MCP, "require_approval": "ask"}]},
            "invalid_value",
            "session.tools.0.require_approval",
        ),
        (CASCADED, {"tools": [{**MCP, "require_approval": {"if": []}}]}, "invalid_value", APPROVAL),
        (CASCADED, {"tools": [{**MCP, "allowed_tools": "a"}]}, "invalid_value", "session.tools.0.allowed_tools"),
        (CASCADED, {"tools": [{**MCP, "headers": {"x": 1}}]}, "invalid_value", "session.tools.0.headers.x"),
        ("azure-realtime", {"tools": [MCP]}, "invalid_value", "session.tools"),
        ("phi4-mm-realtime", {"tools": [MCP]}, "invalid_value", "session.tools[0]"),
    ],
)
def test_what_the_service_refuses(model: str, session: dict[str, Any], code: str, param: str) -> None:
    """Each wrong update names its field, and nothing of it is applied."""
    one = settings(model)
    before = dict(one.echo)
    with pytest.raises(Rejected) as caught:
        one.update({"temperature": 0.7, **session}, audio_received=False, has_spoken=False)
    assert (caught.value.code, caught.value.param) == (code, param)
    assert one.echo == before


def test_azure_speech_on_a_native_engine_needs_an_azure_semantic_vad() -> None:
    """With it, the pair is accepted."""
    session = settings(NATIVE)
    update(session, input_audio_transcription=AZURE_SPEECH, turn_detection=AZURE_VAD)
    assert session.transcribes == "azure-speech"


@pytest.mark.parametrize(
    ("schema", "fine"),
    [
        ({"type": "object", "properties": {}}, True),
        ({"type": "object", "properties": {"not": {"type": "string"}}, "required": ["not"]}, True),
        ({"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}, True),
        ({"type": "object", "anyOf": [{"required": ["a"]}]}, False),
        ({"type": "object", "properties": {"a": {"oneOf": [{"minimum": 1}]}}}, False),
        ({"type": "object", "not": {"type": "string"}}, False),
    ],
)
def test_tool_schemas(schema: dict[str, Any], fine: bool) -> None:
    """A schema with untyped branches takes the whole update down."""
    session = settings()
    tool = {"type": "function", "name": "f", "parameters": schema}
    if fine:
        update(session, tools=[tool])
        assert session.echo["tools"] == [tool]
    else:
        with pytest.raises(Rejected, match="'f'"):
            update(session, tools=[tool])


def test_what_is_settled_cannot_change() -> None:
    """Voice after speech, the kind of turn detection and the input format after the first update."""
    session = settings()
    update(session, input_audio_format="g711_ulaw", turn_detection={"type": "server_vad"}, voice="en-US-AvaNeural")
    update(session, turn_detection={"type": "server_vad", "silence_duration_ms": 900}, voice="de-DE-KatjaNeural")
    for wrong, code in (
        ({"turn_detection": AZURE_VAD}, "cannot_update_turn_detection_type"),
        ({"input_audio_format": "g711_alaw"}, "cannot_update_input_audio_format"),
        ({"voice": "en-US-AvaNeural"}, "cannot_update_voice"),
    ):
        with pytest.raises(Rejected) as caught:
            session.update(wrong, audio_received=True, has_spoken=True)
        assert caught.value.code == code
    session.update({"voice": "de-DE-KatjaNeural"}, audio_received=True, has_spoken=True)
    assert session.language == "de"


def test_lenient_drops_what_it_does_not_know() -> None:
    """Without strictness unknown fields are ignored, nested ones too, and the rest applies."""
    session = settings(strict=False)
    update(session, model="x", foo=1, turn_detection={"type": "server_vad", "bar": 2, "threshold": 0.9})
    assert session.sensitivity.threshold == 0.9
    assert "foo" not in session.echo


def test_a_model_of_ones_own_is_what_its_profile_says() -> None:
    """A deployment may have any name; the profile tells whether it is one of OpenAI's speech models."""
    own = Settings(Engine.of("prod-1", "2026-07-15", profile="byom-azure-openai-realtime"), strict=True)
    update(own, input_audio_transcription={"model": "whisper-1"}, turn_detection={"type": "semantic_vad"})
    text = Settings(Engine.of("gpt-realtime", "2026-07-15", profile="byom-azure-openai-chat-completion"), strict=True)
    with pytest.raises(Rejected, match="'whisper-1' is not supported"):
        update(text, input_audio_transcription={"model": "whisper-1"})


def test_the_tools_of_a_response_are_checked_too() -> None:
    """As those of the session."""
    tool = {"type": "function", "name": "f", "parameters": {"anyOf": 5}}
    with pytest.raises(Rejected) as rejected:
        parse_response({"tools": [tool]}, settings())
    assert rejected.value.param == "response.tools[0].parameters"


@pytest.mark.parametrize("policy", ["never", "always", {"never": ["a"], "always": ["b"]}, {"never": ["a"]}])
def test_a_tool_server_is_taken_whole(policy: Any) -> None:
    """Every documented field of an ``mcp`` tool is accepted and echoed, also for a response alone."""
    extras = {"authorization": "Bearer x", "headers": {"x-t": "1"}, "allowed_tools": ["a"], "require_approval": policy}
    session = settings()
    update(session, tools=[MCP | extras])
    assert session.echo["tools"] == [MCP | extras]
    assert parse_response({"tools": [MCP | extras]}, session).tools is not None


def test_tool_servers_need_a_recent_api() -> None:
    """Before 2026-01-01-preview there are none."""
    with pytest.raises(Rejected, match="2026-01-01-preview"):
        update(settings(version="2025-10-01"), tools=[MCP])
    update(settings(version="2026-01-01-preview"), tools=[MCP])


def test_what_belongs_to_an_agent_is_not_overridden() -> None:
    """Instructions and tools are refused for the session and for a response; a voice is taken."""
    session = Settings(
        Engine.of("", "2026-07-15", agent="concierge", agent_version="3", conversation_id="conv_7"), strict=True
    )
    agent = session.echo["agent"]
    assert (agent["name"], agent["agent_id"], agent["thread_id"]) == ("concierge", "concierge:3", "conv_7")
    overriding: list[tuple[str, Any]] = [("instructions", "Be rude."), ("tools", [])]
    for key, value in overriding:
        with pytest.raises(Rejected, match=f"Overriding {key} is not supported"):
            session.update({key: value}, audio_received=False, has_spoken=False)
        with pytest.raises(Rejected, match=f"Overriding {key} in response.create"):
            parse_response({key: value}, session)
    update(session, voice="de-DE-KatjaNeural")
    assert session.language == "de"


def test_response_parameters() -> None:
    """Native voices take one modality per response; a ready-made message has exactly one part."""
    with pytest.raises(Rejected, match="Supported combinations"):
        parse_response({"modalities": ["text", "audio"]}, settings(NATIVE))
    part = {"type": "text", "text": "Hello."}
    message = {"type": "message", "role": "assistant", "content": [part, part]}
    with pytest.raises(Rejected, match="at most 1 item"):
        parse_response({"pre_generated_assistant_message": message}, settings())
    with pytest.raises(Rejected, match="Unknown parameter"):
        parse_response({"speed": 2}, settings())
    assert parse_response(None, settings()).modalities is None


def test_a_script_shows_something_else_than_what_was_asked_for() -> None:
    """It is also what is in force; an unknown format is only shown, and a further update is taken."""
    shown: dict[str, Any] = {"output_audio_format": "pcm16", "turn_detection": {"interrupt_response": True}}
    session = Settings(Engine.of(CASCADED, "2026-07-15"), strict=True, overrides=shown)
    assert session.echo["output_audio_format"] == "pcm16"
    detection = {"type": "server_vad", "interrupt_response": False}
    update(session, output_audio_format="g711_ulaw", input_audio_format="g711_ulaw", turn_detection=detection)
    assert session.output_format == L16_24K
    assert session.detects("interrupt_response")
    assert session.echo["turn_detection"]["type"] == "server_vad"
    update(session, turn_detection=detection)
    assert session.detects("interrupt_response")

    odd = Settings(Engine.of(CASCADED, "2026-07-15"), strict=True, overrides={"output_audio_format": "opus"})
    update(odd, output_audio_format="g711_alaw", input_audio_format="g711_alaw")
    assert odd.echo["output_audio_format"] == "opus"
    assert odd.output_format == PCMA
