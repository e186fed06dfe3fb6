"""Checks for combinations that the service refuses, so that they are reported before the first call.

Source: Voice Live API reference 2026-07-15 and its how-to pages, on which model takes which voice, turn detection,
transcription and option. Each rule yields the keys that it is about, the most important first, and the mistake.
"""

from collections.abc import Callable, Iterator, Sequence

from gateway.config.checks import actions as action_rules
from gateway.config.checks import tools as tool_rules
from gateway.config.line.line import OWN_METADATA, Settings
from gateway.config.line.models import (
    Engine,
    engine_of,
    is_azure_realtime,
    is_gpt_realtime,
    is_text_model,
    reasons,
    takes_plain_speech,
)
from gateway.config.line.turns import AzureSemanticVad, SemanticVad
from gateway.config.line.voices import AzureRealtimeVoice, OpenAIVoice
from gateway.config.reading.problems import Finding

Rule = Callable[[Settings, str], Iterator[Finding]]

_GPT_REALTIME = "a gpt-realtime model"


def findings(settings: Settings, model: str) -> list[Finding]:
    """Return what the service would refuse in ``settings`` with ``model``, each with its key."""
    return [finding for rule in RULES for finding in rule(settings, model)]


def findings_of_all(settings: Settings, models: Sequence[str]) -> list[Finding]:
    """Return what the service would refuse with any of ``models``, each mistake once."""
    return list(dict.fromkeys(finding for model in models for finding in findings(settings, model)))


def _named(model: str) -> str:
    return f"model {model}" if model else "an agent"


def voice_and_model(settings: Settings, model: str) -> Iterator[Finding]:
    """Require OpenAI's speech models for OpenAI's voices; azure-realtime goes with its native voices only."""
    voice = settings.voice
    if isinstance(voice, OpenAIVoice) and not is_gpt_realtime(model):
        yield ("voice",), f"the OpenAI voice {voice.name} needs {_GPT_REALTIME}, found {_named(model)}"
    if isinstance(voice, AzureRealtimeVoice) != is_azure_realtime(model):
        if is_azure_realtime(model):
            yield ("voice",), f"model {model} needs a voice of type azure-realtime-native, found {voice.name}"
        else:
            yield ("voice",), f"the native voice {voice.name} needs model azure-realtime, found {_named(model)}"


def turns_and_model(settings: Settings, model: str) -> Iterator[Finding]:
    """Require OpenAI's models for semantic_vad, and cascaded ones, which have text, for end-of-utterance detection."""
    turns = settings.turn_detection
    if isinstance(turns, SemanticVad):
        if not is_gpt_realtime(model):
            yield ("turn_detection", "type"), f"semantic_vad needs {_GPT_REALTIME}, found {_named(model)}"
        return
    if turns and turns.end_of_utterance_detection and engine_of(model) is Engine.NATIVE:
        key = ("turn_detection", "end_of_utterance_detection")
        yield key, f"needs a text model such as gpt-4.1, found {_named(model)}"
    if isinstance(turns, AzureSemanticVad) and turns.type == "azure_semantic_vad_en" and turns.languages:
        yield ("turn_detection", "languages"), "azure_semantic_vad_en takes none, use azure_semantic_vad_multilingual"


def turns_by_key(settings: Settings, model: str) -> Iterator[Finding]:
    """Require a key that ends the turn if and only if there is no turn detection."""
    if settings.turn_detection is None and settings.commit_on is None:
        yield ("turn_detection",), 'none needs commit_on, the key that ends a turn, such as commit_on: "#"'
    if settings.turn_detection is not None and settings.commit_on is not None:
        yield ("commit_on",), "needs turn_detection: none"
    if settings.turn_detection is None and settings.silence is not None:
        yield ("silence",), "needs turn detection: without it nobody hears that the caller speaks"


def transcription_and_model(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse a transcription model that the line's model does not support."""
    if (transcription := settings.transcription) is None:
        return
    key = ("transcription", "model")
    wanted = transcription.model
    if wanted.startswith("mai-") and not is_text_model(model):
        yield key, f"{wanted} needs a text model, found {_named(model)}; use azure-speech"
    if wanted.startswith(("whisper", "gpt-")) and not is_gpt_realtime(model):
        yield key, f"{wanted} needs {_GPT_REALTIME}, found {_named(model)}; use azure-speech"
    native = engine_of(model) is Engine.NATIVE and not takes_plain_speech(model)
    if wanted == "azure-speech" and native and not isinstance(settings.turn_detection, AzureSemanticVad):
        found = settings.turn_detection.type if settings.turn_detection else "none"
        other = "transcription: {model: whisper-1} or none" if is_gpt_realtime(model) else "transcription: none"
        message = f"{found} with model {model} cannot have transcription by azure-speech"
        yield ("turn_detection", "type"), f"{message}, expected azure_semantic_vad or {other}"


def transcription_options(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse transcription options that its model does not support."""
    if (transcription := settings.transcription) is None:
        return
    speech = transcription.model == "azure-speech"
    if transcription.phrase_list and (not speech or not is_text_model(model)):
        found = f"model {model}" if speech else transcription.model
        yield ("transcription", "phrase_list"), f"needs azure-speech with a text model, found {found}"
    if transcription.custom_speech and not speech:
        yield ("transcription", "custom_speech"), f"needs azure-speech, found {transcription.model}"
    by_openai = transcription.model.startswith(("whisper", "gpt-"))
    if transcription.prompt and not by_openai:
        yield ("transcription", "prompt"), f"needs whisper-1 or gpt-…-transcribe, found {transcription.model}"
    language = transcription.language or settings.language
    if by_openai and language and "," in language:
        key = ("transcription", "language") if transcription.language else ("language",)
        yield key, f"{transcription.model} takes one language, found {language}"


def noise_and_model(settings: Settings, model: str) -> Iterator[Finding]:
    """Require OpenAI's speech models for near_field and far_field."""
    if settings.noise_reduction in ("near_field", "far_field") and not is_gpt_realtime(model):
        yield ("noise_reduction",), f"{settings.noise_reduction} needs {_GPT_REALTIME}, found {_named(model)}"


def answers_and_model(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse temperature, reasoning and interim responses with models that do not support them."""
    is_text = is_text_model(model)
    if settings.temperature is not None and not is_text:
        yield ("temperature",), f"needs a text model such as gpt-4.1, found {_named(model)}"
    elif settings.temperature is not None and model.startswith("gpt-5") and settings.temperature != 1:
        yield ("temperature",), f"model {model} takes 1.0 alone, found {settings.temperature:g}"
    if settings.reasoning_effort is not None and not reasons(model):
        yield ("reasoning_effort",), f"needs a model that reasons, such as gpt-5, found {_named(model)}"
    if settings.interim_response is not None and not is_text:
        yield ("interim_response",), f"needs a text model such as gpt-4.1, found {_named(model)}"


def numbers_once(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse a number that is listed twice in the line."""
    for index, number in enumerate(settings.numbers):
        if number in settings.numbers[:index]:
            yield ("numbers", index), f"{number} stands there twice"


def own_metadata(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse metadata with the names that the gateway writes itself."""
    for name in OWN_METADATA:
        if name in settings.metadata:
            yield ("metadata", name), "the gateway writes it itself, expected another name"


RULES: tuple[Rule, ...] = (
    voice_and_model,
    turns_and_model,
    turns_by_key,
    transcription_and_model,
    transcription_options,
    noise_and_model,
    answers_and_model,
    numbers_once,
    own_metadata,
    *tool_rules.RULES,
    *action_rules.RULES,
)
