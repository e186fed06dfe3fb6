"""The fields of ``session.update`` as typed models (Voice Live API reference 2026-07-15, RequestSession)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=0)]


class Fields(BaseModel):
    """An object of the protocol; unknown fields are an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


class EndOfUtterance(Fields):
    """The object ``end_of_utterance_detection``."""

    model: Literal[
        "semantic_detection_v1",
        "semantic_detection_v1_en",
        "semantic_detection_v1_multilingual",
        "smart_end_of_turn_detection",
    ]
    threshold_level: Literal["low", "medium", "high", "default"] | None = None
    timeout_ms: Milliseconds | None = None
    threshold: Probability | None = None
    """The name before ``threshold_level``, which every version echoes."""
    timeout: Annotated[float, Field(ge=0)] | None = None
    """The name before ``timeout_ms``, in seconds, which every version echoes."""


class _Vad(Fields):
    create_response: bool | None = None
    interrupt_response: bool | None = None
    auto_truncate: bool | None = None


class _NumberedVad(_Vad):
    threshold: Probability | None = None
    prefix_padding_ms: Milliseconds | None = None
    silence_duration_ms: Milliseconds | None = None
    speech_duration_ms: Milliseconds | None = None
    speech_duration_assistant_speaking_ms: Milliseconds | None = None
    end_of_utterance_detection: EndOfUtterance | None = None
    idle_timeout_ms: Milliseconds | None = None
    appended_text_after_truncation: str | None = None


class ServerVad(_NumberedVad):
    """Voice activity by level and duration."""

    type: Literal["server_vad"]


class AzureSemanticVad(_NumberedVad):
    """Voice activity by meaning; here it works like :class:`ServerVad`."""

    type: Literal[
        "azure_semantic_vad",
        "azure_semantic_vad_multilingual",
        "azure_semantic_vad_en",
        "azure_multilingual_semantic_vad",
    ]
    remove_filler_words: bool | None = None
    languages: list[str] | None = None


class SemanticVad(_Vad):
    """Voice activity of OpenAI's, for native models only."""

    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] | None = None


TurnDetection = Annotated[ServerVad | AzureSemanticVad | SemanticVad, Field(discriminator="type")]


class OpenAIVoice(Fields):
    """A voice of the native audio models."""

    type: Literal["openai"]
    name: str


class _AzureVoice(Fields):
    name: str
    temperature: Probability | None = None
    custom_lexicon_url: str | None = None
    custom_text_normalization_url: str | None = None
    prefer_locales: list[str] | None = None
    locale: str | None = None
    style: str | None = None
    pitch: str | None = None
    rate: str | None = None
    volume: str | None = None


class AzureStandardVoice(_AzureVoice):
    """Any Azure TTS voice."""

    type: Literal["azure-standard"]


class AzureCustomVoice(_AzureVoice):
    """A voice that a customer trained."""

    type: Literal["azure-custom"]
    endpoint_id: str


class AzurePersonalVoice(_AzureVoice):
    """A personal voice, made from a speaker profile."""

    type: Literal["azure-personal"]
    model: Literal[
        "DragonLatestNeural", "PhoenixLatestNeural", "PhoenixV2Neural", "DragonHDOmniLatestNeural", "MAI-Voice-1"
    ]


class AzureRealtimeVoice(Fields):
    """A voice of the model ``azure-realtime``."""

    type: Literal["azure-realtime-native"]
    name: str


def _voice_object(voice: object) -> object:
    """Read a bare name as a voice of OpenAI's or, where it begins with a locale, of Azure's."""
    if isinstance(voice, str):
        return {"type": "azure-standard" if "-" in voice else "openai", "name": voice}
    return voice


Voice = Annotated[
    OpenAIVoice | AzureStandardVoice | AzureCustomVoice | AzurePersonalVoice | AzureRealtimeVoice,
    Field(discriminator="type"),
    BeforeValidator(_voice_object),
]


class Transcription(Fields):
    """The object ``input_audio_transcription``."""

    model: Literal[
        "azure-speech",
        "azure-mrs",
        "azure-fast-transcription",
        "mai-transcribe",
        "mai-transcribe-1",
        "mai-transcribe-1.5",
        "mai-transcribe-2",
        "whisper-1",
        "gpt-4o-transcribe",
        "gpt-4o-mini-transcribe",
        "gpt-4o-transcribe-diarize",
    ]
    language: str | None = None
    prompt: str | None = None
    delay: str | None = None
    custom_speech: dict[str, str] | None = None
    phrase_list: list[str] | None = None
    enabled: bool | None = None
    custom_model: bool | str | None = None


class NoiseReduction(Fields):
    """The object ``input_audio_noise_reduction``."""

    type: Literal["azure_deep_noise_suppression", "near_field", "far_field"]


class EchoCancellation(Fields):
    """The object ``input_audio_echo_cancellation``."""

    type: Literal["server_echo_cancellation"]
    reference_source: Literal["server", "client"] = "server"
    channels: Literal[1, 2] = 1


class FunctionTool(Fields):
    """A function that the client carries out."""

    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ApprovalByTool(Fields):
    """``require_approval`` tool by tool; what neither list names needs approval."""

    never: list[str] | None = None
    always: list[str] | None = None


class McpTool(Fields):
    """A tool server that the service would call; the emulator never calls it, its script has the outcome."""

    type: Literal["mcp"]
    server_label: str = Field(min_length=1)
    server_url: str = Field(pattern=r"^https?://[^/]")
    authorization: str | None = None
    headers: dict[str, str] | None = None
    allowed_tools: list[str] | None = None
    require_approval: Literal["always", "never"] | ApprovalByTool | None = None


Tool = Annotated[FunctionTool | McpTool, Field(discriminator="type")]


class NamedTool(Fields):
    """A ``tool_choice`` of one function."""

    type: Literal["function"]
    name: str


class InterimResponse(Fields):
    """Filler while a text model or a tool is slow; accepted and echoed, never spoken here."""

    type: Literal["static_interim_response", "llm_interim_response"]
    triggers: list[Literal["latency", "tool"]] | None = None
    latency_threshold_ms: Milliseconds | None = None
    texts: list[str] | None = None
    model: str | None = None
    instructions: str | None = None
    max_completion_tokens: int | None = None


Modality = Literal["text", "audio", "animation", "avatar"]
OutputFormat = Literal[
    "pcm16",
    "pcm16_8000hz",
    "pcm16_16000hz",
    "pcm16_22050hz",
    "pcm16_24000hz",
    "pcm16_44100hz",
    "pcm16_48000hz",
    "g711_ulaw",
    "g711_alaw",
    "pcm16-8000hz",
    "pcm16-16000hz",
]


class SessionFields(Fields):
    """The body of ``session.update``; ``model_fields_set`` has the fields that the client really sent."""

    modalities: list[Modality] | None = None
    instructions: str | None = None
    voice: Voice | None = None
    input_audio_format: Literal["pcm16", "g711_ulaw", "g711_alaw"] | None = None
    input_audio_sampling_rate: int | None = None
    output_audio_format: OutputFormat | None = None
    turn_detection: TurnDetection | None = None
    input_audio_noise_reduction: NoiseReduction | None = None
    input_audio_echo_cancellation: EchoCancellation | None = None
    input_audio_transcription: Transcription | None = None
    output_audio_timestamp_types: list[Literal["word"]] | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["auto", "none", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_response_output_tokens: Annotated[int, Field(ge=1, le=4096)] | Literal["inf"] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    interim_response: InterimResponse | None = None
    include: list[str] | None = None
    metadata: dict[str, str] | None = None
    animation: dict[str, Any] | None = None
    avatar: dict[str, Any] | None = None


class GreetingPart(Fields):
    """The one text part of a ready-made message."""

    type: Literal["text"]
    text: str


class ReadyMessage(Fields):
    """``pre_generated_assistant_message``: spoken word for word."""

    type: Literal["message"]
    role: Literal["assistant"]
    content: list[GreetingPart] = Field(min_length=1, max_length=1)
    id: str | None = None
    status: str | None = None


class ResponseFields(Fields):
    """The ``response`` of ``response.create``."""

    modalities: list[Modality] | None = None
    instructions: str | None = None
    voice: Voice | None = None
    output_audio_format: OutputFormat | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["auto", "none", "required"] | NamedTool | None = None
    temperature: float | None = None
    max_output_tokens: int | Literal["inf"] | None = None
    max_response_output_tokens: int | Literal["inf"] | None = None
    metadata: dict[str, str] | None = None
    reasoning_effort: str | None = None
    interim_response: InterimResponse | None = None
    pre_generated_assistant_message: ReadyMessage | None = None
    input_items: list[dict[str, Any]] | None = None
    append_input_items: list[dict[str, Any]] | None = None
    commit: bool | None = None
    cancel_previous: bool | None = None
    invoke_input: dict[str, Any] | None = None
    conversation: Literal["auto", "none"] | None = None
