"""What a Voice Live session is told at its start: every setting, none left to the service.

Voice Live API reference 2026-07-15, ``session.update``. Nested objects replace what the service had and are filled up
with its own defaults, which differ by model and version; so each is sent whole.
"""

import datetime
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.config.engines import Engine
from gateway.config.greeting import Greeting as GreetingSettings
from gateway.config.hearing import Transcription
from gateway.config.line import Line
from gateway.config.placeholders import fill
from gateway.errors import WireError

END_CALL = {
    "type": "function",
    "name": "end_call",
    "description": (
        "Hang up. Use it when the caller has said goodbye or has nothing more to ask, "
        "after you have said goodbye yourself."
    ),
    "parameters": {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "description": "Why the call ends, in a few words."},
        },
        "required": [],
    },
}
"""The built-in tool that ends the call."""

_FORMATS = {
    PCMU: ("g711_ulaw", "g711_ulaw"),
    PCMA: ("g711_alaw", "g711_alaw"),
    L16_8K: ("pcm16", "pcm16_8000hz"),
    L16_16K: ("pcm16", "pcm16_16000hz"),
    L16_24K: ("pcm16", "pcm16"),
}
"""Input and output format of the service; ``pcm16`` alone is 24 kHz on the way out."""

_ADDRESS = re.compile(r"[A-Za-z0-9+@.:_*#-]{1,64}")


@dataclass(frozen=True)
class CallFacts:
    """What is known of a call when it starts; ``caller`` and ``called`` may be empty, ``started`` has a time zone."""

    call_id: str
    caller: str
    called: str
    started: datetime.datetime


@dataclass(frozen=True)
class SaidGreeting:
    """A text that goes to Azure text to speech as it stands, past the model (``pre_generated_assistant_message``)."""

    text: str


@dataclass(frozen=True)
class PromptedGreeting:
    """A response of the model to these ``instructions`` of its own (``response.create``)."""

    instructions: str


Greeting = SaidGreeting | PromptedGreeting


def session_for(line: Line, audio_format: AudioFormat, call: CallFacts) -> dict[str, Any]:
    """The complete ``session`` of the first ``session.update``, ready for JSON.

    Raises WireError for an audio format that Voice Live does not take.
    """
    if audio_format not in _FORMATS:
        raise WireError(f"Voice Live takes {', '.join(map(str, _FORMATS))}, found {audio_format}")
    input_format, output_format = _FORMATS[audio_format]
    settings = line.settings
    noise = settings.noise_reduction
    session: dict[str, Any] = {
        "modalities": ["text", "audio"],
        "instructions": instructions_for(line, call),
        "voice": _written(settings.voice),
        "input_audio_format": input_format,
        "input_audio_sampling_rate": audio_format.rate_hz,
        "output_audio_format": output_format,
        "turn_detection": _turn_detection(line),
        "input_audio_noise_reduction": {"type": noise} if noise else None,
        "input_audio_echo_cancellation": _written(settings.echo_cancellation),
        "input_audio_transcription": _transcription(settings.transcription, settings.language),
        "tools": [END_CALL for tool in settings.tools if tool == "end_call"],
        "tool_choice": settings.tool_choice,
        "max_response_output_tokens": settings.max_response_output_tokens,
        "metadata": {**settings.metadata, "call_id": call.call_id, "line": line.name},
    }
    if settings.tools:  # a text model refuses parallel_tool_calls where there are no tools
        session["parallel_tool_calls"] = settings.parallel_tool_calls
    if line.engine is Engine.CASCADED:
        session["temperature"] = _temperature(line)
    if settings.reasoning_effort:  # which efforts a model has, and which is its own, differs from model to model
        session["reasoning_effort"] = settings.reasoning_effort
    if settings.interim_response:
        session["interim_response"] = _written(settings.interim_response)
    return session


def instructions_for(line: Line, call: CallFacts) -> str:
    """The line's instructions with the call's facts and the line's variables filled in."""
    return fill(line.instructions, _values(line, call))


def greeting_for(line: Line, call: CallFacts) -> Greeting | None:
    """The line's first words, or ``None`` where the caller speaks first."""
    match line.settings.greeting:
        case None:
            return None
        case GreetingSettings(prompt=str(prompt)):
            wish = fill(prompt, _values(line, call))
            return PromptedGreeting(f"{instructions_for(line, call)}\n\nThe call begins. Greet the caller: {wish}")
        case greeting:
            return _word_for_word(line, greeting.say or "", call)


def reminder_for(line: Line, call: CallFacts) -> Greeting | None:
    """What the bot says to a silent caller, or ``None`` where the line has no such rule."""
    silence = line.settings.silence
    return _word_for_word(line, silence.say, call) if silence else None


def _word_for_word(line: Line, text: str, call: CallFacts) -> Greeting:
    """A voice of Azure text to speech is handed the text; a voice that is part of the model is asked for it."""
    text = fill(text, _values(line, call))
    if line.synthesizes:
        return SaidGreeting(text)
    return PromptedGreeting(f"Say exactly this to the caller, word for word, and nothing else:\n{text}")


def _values(line: Line, call: CallFacts) -> Mapping[str, str]:
    now = call.started.astimezone(zoneinfo.ZoneInfo(line.settings.timezone))
    return {
        **line.settings.variables,
        "caller": _address(call.caller),
        "called": _address(call.called),
        "line": line.name,
        "now": f"{now:%A, %Y-%m-%d %H:%M}",
    }


def _address(text: str) -> str:
    """A phone number or SIP name; what a caller could have made up to talk to the model is not let in."""
    return text if _ADDRESS.fullmatch(text) else "unknown"


def _written(section: BaseModel | None) -> dict[str, Any] | None:
    return section.model_dump(mode="json", exclude_none=True) if section else None


def _turn_detection(line: Line) -> dict[str, Any] | None:
    """Who interrupts: the gateway, not the service.

    The gateway hears of the caller's voice by ``speech_started``, cancels the response that runs by its own account and
    truncates at what was heard. With ``interrupt_response`` the service would cancel too, and each cancel of ours would
    come back as ``response_cancel_not_active``; with ``auto_truncate`` it would guess what was heard.
    """
    turns = line.settings.turn_detection
    if turns is None:
        return None
    answers = {"create_response": True, "interrupt_response": False, "auto_truncate": False}
    return {**turns.model_dump(mode="json", exclude_none=True), **answers}


def _transcription(transcription: Transcription | None, language: str | None) -> dict[str, Any] | None:
    if transcription is None:
        return None
    session = transcription.model_dump(mode="json", exclude_none=True)
    language = transcription.language or language
    if language:
        short = transcription.model.startswith(("whisper", "gpt-"))  # these take ISO 639-1 alone
        session["language"] = language.partition("-")[0] if short else language
    return session


def _temperature(line: Line) -> float:
    """The service's documented default is sent, not left to it; GPT-5 models know 1.0 alone."""
    if line.settings.temperature is not None:
        return line.settings.temperature
    return 1.0 if line.model.startswith("gpt-5") else 0.8
