"""The combinations of session fields that the service refuses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.sim.emulator.record import Event, Rejected
from gateway.sim.emulator.settings.engine import AZURE_REALTIME_VOICES, OPENAI_VOICES, Engine
from gateway.sim.emulator.settings.fields import FunctionTool, Tool
from gateway.sim.emulator.settings.formats import input_format
from gateway.sim.emulator.settings.tool_schema import WHAT_IS_TAKEN, is_taken

_MCP_SINCE = "2026-01-01-preview"
"""The version that Microsoft's quickstart of MCP asks for; the API reference names 2026-04-10."""
_LOCKED = ("input_audio_format", "input_audio_sampling_rate", "input_audio_echo_cancellation")
_AZURE_VAD = ("azure_semantic_vad", "azure_semantic_vad_multilingual", "azure_multilingual_semantic_vad")
_OPENAI_OUTPUT = ("pcm16", "g711_ulaw", "g711_alaw")


@dataclass(frozen=True)
class Stage:
    """The stage of a session, which decides what may still change."""

    settled: bool
    """An update was accepted or audio was received."""
    has_spoken: bool
    """The assistant has produced audio."""


@dataclass(frozen=True)
class Change:
    """A session before and after an update, as echoed; ``sent`` are the keys that the client named."""

    engine: Engine
    before: Event
    after: Event
    sent: frozenset[str]
    stage: Stage
    tools: tuple[Tool, ...] = ()
    client_echo_reference: bool = False


def check(change: Change, *, strict: bool) -> None:
    """Raise :class:`Rejected` at the first rule that ``change`` breaks."""
    for rule in _RULES:
        rule(change)
    if strict:
        for rule in _LOCKS:
            rule(change)


def _audio_format(change: Change) -> None:
    name, rate = change.after["input_audio_format"], change.after["input_audio_sampling_rate"]
    if input_format(name, rate) is None:
        raise Rejected(
            f"Invalid input_audio_sampling_rate {rate} for input_audio_format '{name}'.",
            code="invalid_value",
            param="session.input_audio_sampling_rate",
        )


def _voice(change: Change) -> None:
    if "voice" not in change.sent:
        return
    kind, name = change.after["voice"]["type"], change.after["voice"]["name"]
    if change.before["modalities"] == ["text"] and change.after["modalities"] == ["text"]:
        raise Rejected("Text to speech synthesizer is not configured", code=None, param="session.voice")
    known = {"openai": OPENAI_VOICES, "azure-realtime-native": AZURE_REALTIME_VOICES}.get(kind)
    if known is not None and name not in known:
        raise _invalid("voice.name", f"Invalid voice '{name}'. Supported values are: {', '.join(sorted(known))}.")
    if (kind == "azure-realtime-native") != change.engine.rules.azure_realtime:
        raise _invalid("voice", f"Voice type '{kind}' is not supported with model '{change.engine.model}'.")
    if kind == "openai" and not change.engine.rules.openai:
        raise _invalid("voice", f"OpenAI voices are not supported with model '{change.engine.model}'.")


def _openai_format(change: Change) -> None:
    name = change.after["output_audio_format"]
    if change.after["voice"]["type"] == "openai" and name not in (None, *_OPENAI_OUTPUT):
        raise _invalid("output_audio_format", f"Output format '{name}' is not supported with OpenAI voices.")


def _turn_detection(change: Change) -> None:
    detection = change.after["turn_detection"]
    if detection is not None and detection["type"] == "semantic_vad" and not change.engine.rules.openai:
        raise _invalid("turn_detection.type", f"semantic_vad is not supported with '{change.engine.model}'.")


def _transcription(change: Change) -> None:
    transcription = change.after["input_audio_transcription"]
    if transcription is None:
        return
    model, engine = transcription["model"], change.engine
    if model not in engine.rules.transcriptions:
        raise _invalid("input_audio_transcription.model", f"'{model}' is not supported with '{engine.model}'.")
    kind = (change.after["turn_detection"] or {"type": "none"})["type"]
    if engine.rules.azure_vad and model.startswith("azure-") and kind not in _AZURE_VAD:
        raise Rejected(
            "turn_detection must be of type AzureSemanticVAD",
            code="invalid_request_error",
            param="session.turn_detection",
        )
    if len(transcription.get("phrase_list") or []) > 500:
        raise _invalid("input_audio_transcription.phrase_list", "phrase_list has more than 500 phrases.")
    if len((transcription.get("language") or "").split(",")) > 10:
        raise _invalid("input_audio_transcription.language", "language names more than 10 languages.")


def _echo_cancellation(change: Change) -> None:
    echo = change.after["input_audio_echo_cancellation"]
    if echo is None:
        return
    param = "session.input_audio_echo_cancellation"
    if "audio" not in change.after["modalities"]:
        raise Rejected("Echo cancellation needs the audio modality.", code="ec_not_supported", param=param)
    if echo["channels"] == 2 and echo["reference_source"] != "client":
        raise Rejected(
            "Two channels need reference_source 'client'.", code="invalid_ec_channels_requires_client", param=param
        )
    if echo["reference_source"] == "client" and not (
        change.client_echo_reference and change.after["input_audio_format"] == "pcm16"
    ):
        raise Rejected(
            "reference_source 'client' needs pcm16 and features=client_ec_reference:true.",
            code="invalid_ec_reference_channels",
            param=param,
        )


def _tools(change: Change) -> None:
    check_tools(change.tools, change.engine, "session")


def check_tools(tools: Sequence[Tool], engine: Engine, where: str) -> None:
    """Raise :class:`Rejected` for the first tool that the model, or the API's version, does not accept."""
    if tools and engine.rules.azure_realtime:
        raise _invalid("tools", "Tools are not supported with model 'azure-realtime'.", where)
    for index, tool in enumerate(tools):
        param = f"tools[{index}]"
        if isinstance(tool, FunctionTool):
            if not is_taken(tool.parameters or {}):
                message = f"Invalid schema for function '{tool.name}': expected a JSON Schema; {WHAT_IS_TAKEN}."
                raise _invalid(f"{param}.parameters", message, where)
        elif not engine.rules.mcp:
            raise _invalid(param, f"MCP tools are not supported with model '{engine.model}'.", where)
        elif engine.api_version < _MCP_SINCE:
            raise _invalid(param, f"MCP tools need api-version {_MCP_SINCE}; this is {engine.api_version}.", where)


def _parallel_tool_calls(change: Change) -> None:
    if change.after.get("parallel_tool_calls") and change.engine.rules.one_call:
        raise _invalid("parallel_tool_calls", f"Parallel tool calls are not supported with '{change.engine.model}'.")


def _end_of_utterance(change: Change) -> None:
    detection = change.after["turn_detection"] or {}
    if detection.get("end_of_utterance_detection") and change.engine.native:
        raise Rejected(
            f"End of utterance detection is not supported with '{change.engine.model}'.",
            code="invalid_request_error",
            param="session.turn_detection.end_of_utterance_detection",
        )


def _interim_response(change: Change) -> None:
    if change.after.get("interim_response") is not None and change.engine.native:
        raise _invalid(
            "interim_response", f"interim response is not supported with realtime model '{change.engine.model}'."
        )


def _metadata(change: Change) -> None:
    metadata = change.after.get("metadata") or {}
    if len(metadata) > 16 or any(len(key) > 64 or len(value) > 512 for key, value in metadata.items()):
        raise _invalid("metadata", "metadata takes 16 pairs, keys of 64 and values of 512 characters.")


def _agent(change: Change) -> None:
    for key in ("instructions", "tools"):
        if change.engine.agent is not None and key in change.sent:
            raise _invalid(key, f"Overriding {key} is not supported with Agent service.")


def _locked_voice(change: Change) -> None:
    if change.stage.has_spoken and change.before["voice"] != change.after["voice"]:
        raise Rejected(
            "Cannot update a conversation's voice if assistant audio is present.",
            code="cannot_update_voice",
            param="session.voice",
        )


def _locked_turn_detection(change: Change) -> None:
    before, after = change.before["turn_detection"], change.after["turn_detection"]
    if change.stage.settled and before and after and before["type"] != after["type"]:
        raise Rejected(
            f"Cannot change turn_detection.type from '{before['type']}' to '{after['type']}' during a session.",
            code="cannot_update_turn_detection_type",
            param="session.turn_detection.type",
        )


def _locked_input(change: Change) -> None:
    for key in _LOCKED:
        if change.stage.settled and change.before[key] != change.after[key]:
            raise Rejected(
                f"Cannot change {key} during a session.", code=f"cannot_update_{key}", param=f"session.{key}"
            )


def _invalid(param: str, message: str, where: str = "session") -> Rejected:
    return Rejected(message, code="invalid_value", param=f"{where}.{param}")


_RULES: tuple[Callable[[Change], None], ...] = (
    _agent,
    _audio_format,
    _voice,
    _openai_format,
    _turn_detection,
    _end_of_utterance,
    _transcription,
    _echo_cancellation,
    _tools,
    _parallel_tool_calls,
    _interim_response,
    _metadata,
)
_LOCKS: tuple[Callable[[Change], None], ...] = (_locked_voice, _locked_turn_detection, _locked_input)
