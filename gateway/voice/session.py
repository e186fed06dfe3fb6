"""The settings of a Voice Live session at its start: all of them, none left to the service.

Voice Live API reference 2026-07-15, ``session.update``. Nested objects replace what the service had and are filled up
with its own defaults, which differ by model and version; so each is sent whole.
"""

from typing import Any

from pydantic import BaseModel

from gateway.audio.formats import AudioFormat
from gateway.config.line.line import Line, OneFunction
from gateway.config.line.models import traits_of
from gateway.config.line.turns import AzureSemanticVad, Transcription
from gateway.config.line.voices import SpokenByAzure
from gateway.config.session_formats import INPUT_FORMATS, output_format_for
from gateway.errors import WireError
from gateway.voice.texts import CallFacts, instructions_for
from gateway.voice.tool_schemas import tools_for


def session_for(line: Line, audio_format: AudioFormat, call: CallFacts) -> dict[str, Any]:
    """Return the complete ``session`` of the first ``session.update``, ready for JSON.

    Raises WireError for an audio format that Voice Live does not take.
    """
    if audio_format not in INPUT_FORMATS:
        raise WireError(f"Voice Live takes {', '.join(map(str, INPUT_FORMATS))}, found {audio_format}")
    settings = line.settings
    noise = settings.noise_reduction
    session: dict[str, Any] = {
        "modalities": ["text", "audio"],
        "input_audio_format": INPUT_FORMATS[audio_format],
        "input_audio_sampling_rate": audio_format.rate_hz,
        "output_audio_format": output_format_for(audio_format, settings.voice),
        "turn_detection": _turn_detection(line),
        "input_audio_noise_reduction": {"type": noise} if noise else None,
        "input_audio_echo_cancellation": _written(settings.echo_cancellation),
        "input_audio_transcription": _transcription(settings.transcription, settings.language),
        "metadata": {**settings.metadata, "call_id": call.call_id, "line": line.name},
    }
    if settings.agent is None:
        session |= _of_a_model(line, call)
    if settings.only_listens:
        return _without_voice(session)
    if settings.agent is None or "voice" in settings.model_fields_set:  # an agent may have its own voice
        session["voice"] = _written(settings.voice)
        if isinstance(settings.voice, SpokenByAzure):  # no other voice has the times of words
            session["output_audio_timestamp_types"] = ["word"]
    if settings.interim_response:
        session["interim_response"] = _written(settings.interim_response)
    return session


def _of_a_model(line: Line, call: CallFacts) -> dict[str, Any]:
    """Return the settings that an agent has itself, and that the service refuses where one answers."""
    settings = line.settings
    tools = tools_for(line)
    members: dict[str, Any] = {
        "instructions": instructions_for(line, call),
        "tools": tools,
        "tool_choice": _tool_choice(settings.tool_choice),
        "max_response_output_tokens": settings.max_response_output_tokens,
    }
    if tools:  # a text model refuses parallel_tool_calls where there are no tools
        members["parallel_tool_calls"] = settings.parallel_tool_calls
    temperature = settings.temperature if settings.temperature is not None else traits_of(line.model).temperature
    if temperature is not None:
        members["temperature"] = temperature
    if settings.reasoning_effort:  # the efforts, and the default one, differ from model to model
        members["reasoning_effort"] = settings.reasoning_effort
    return members


def _without_voice(session: dict[str, Any]) -> dict[str, Any]:
    """Return the session of a line that only listens: text alone, and no answer of the service's own.

    A voice would be refused in it ("Text to speech synthesizer is not configured").
    """
    turns = session["turn_detection"]
    silent = {"modalities": ["text"], "turn_detection": turns and {**turns, "create_response": False}}
    return {name: value for name, value in (session | silent).items() if name != "output_audio_format"}


def _tool_choice(choice: str | OneFunction) -> str | dict[str, str]:
    return choice if isinstance(choice, str) else {"type": "function", "name": choice.function}


def _written(section: BaseModel | None) -> dict[str, Any] | None:
    return _members(section) if section else None


def _members(section: BaseModel) -> dict[str, Any]:
    return section.model_dump(mode="json", exclude_none=True)


def _turn_detection(line: Line) -> dict[str, Any] | None:
    """Return the turn detection, in which the gateway interrupts, not the service.

    The gateway learns by ``speech_started`` that the caller speaks, cancels the response that it knows to be running
    and truncates at what was heard. With ``interrupt_response`` the service would cancel too, and each cancel of ours
    would come back as ``response_cancel_not_active``; with ``auto_truncate`` it would guess what was heard.
    """
    turns = line.settings.turn_detection
    if turns is None:
        return None
    answers = {"create_response": True, "interrupt_response": False, "auto_truncate": False}
    session = {**_members(turns), **answers}
    if isinstance(turns, AzureSemanticVad) and turns.type != "azure_semantic_vad_en":
        session |= {"languages": list(languages)} if (languages := turns.expected(line.settings.language)) else {}
    return session


def _transcription(transcription: Transcription | None, language: str | None) -> dict[str, Any] | None:
    if transcription is None:
        return None
    session = _members(transcription)
    language = transcription.language or language
    if language:
        short = transcription.model.startswith(("whisper", "gpt-"))  # these take ISO 639-1 alone
        session["language"] = language.partition("-")[0] if short else language
    return session
