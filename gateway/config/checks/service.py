"""Checks for combinations that the service refuses, so that they are reported before the first call.

Source: Voice Live API reference 2026-07-15 and its how-to pages, on which model takes which voice, turn detection,
transcription and option. Each rule yields the keys that it is about, the most important first, and the mistake.
"""

from collections.abc import Callable, Iterator, Sequence

from gateway.config.checks import actions as action_rules
from gateway.config.checks import listening as listening_rules
from gateway.config.checks import tools as tool_rules
from gateway.config.line.line import OWN_METADATA, Settings
from gateway.config.line.models import OPENAI_TRANSCRIPTIONS, Engine, traits_of
from gateway.config.line.turns import AzureSemanticVad, SemanticVad
from gateway.config.line.voices import AzureRealtimeVoice, OpenAIVoice
from gateway.config.reading.problems import Finding

Rule = Callable[[Settings, str], Iterator[Finding]]

_GPT_REALTIME = "a gpt-realtime model"
_AZURE_VAD = ("azure_semantic_vad", "azure_semantic_vad_multilingual")
"""The detections of turns that a refused session's error names; azure_semantic_vad_en is not among them."""


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
    voice, traits = settings.voice, traits_of(model)
    if settings.only_listens:
        return
    if isinstance(voice, OpenAIVoice) and not traits.openai:
        yield ("voice",), f"the OpenAI voice {voice.name} needs {_GPT_REALTIME}, found {_named(model)}"
    if isinstance(voice, AzureRealtimeVoice) != traits.azure_realtime:
        if traits.azure_realtime:
            yield ("voice",), f"model {model} needs a voice of type azure-realtime-native, found {voice.name}"
        else:
            yield ("voice",), f"the native voice {voice.name} needs model azure-realtime, found {_named(model)}"


def turns_and_model(settings: Settings, model: str) -> Iterator[Finding]:
    """Require OpenAI's models for semantic_vad, and cascaded ones, which have text, for end-of-utterance detection."""
    turns, traits = settings.turn_detection, traits_of(model)
    if isinstance(turns, SemanticVad):
        if not traits.openai:
            yield ("turn_detection", "type"), f"semantic_vad needs {_GPT_REALTIME}, found {_named(model)}"
        return
    if turns and turns.end_of_utterance_detection and traits.engine is Engine.NATIVE:
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
    wanted, traits = transcription.model, traits_of(model)
    if wanted not in traits.transcriptions:
        needed = _GPT_REALTIME if wanted in OPENAI_TRANSCRIPTIONS else "a text model"
        yield ("transcription", "model"), f"{wanted} needs {needed}, found {_named(model)}; use azure-speech"
    found = settings.turn_detection.type if settings.turn_detection else "none"
    if wanted.startswith("azure-") and traits.azure_vad == "needed" and found not in _AZURE_VAD:
        message = f"{found} with model {model} cannot have transcription by {wanted}"
        other = "transcription: {model: whisper-1} or none"
        yield ("turn_detection", "type"), f"{message}, expected azure_semantic_vad or {other}"


def transcription_options(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse transcription options that its model does not support."""
    if (transcription := settings.transcription) is None:
        return
    speech = transcription.model == "azure-speech"
    if transcription.phrase_list and (not speech or not traits_of(model).text):
        found = f"model {model}" if speech else transcription.model
        yield ("transcription", "phrase_list"), f"needs azure-speech with a text model, found {found}"
    if transcription.custom_speech and not speech:
        yield ("transcription", "custom_speech"), f"needs azure-speech, found {transcription.model}"
    by_openai = transcription.model in OPENAI_TRANSCRIPTIONS
    if transcription.prompt and not by_openai:
        yield ("transcription", "prompt"), f"needs whisper-1 or gpt-…-transcribe, found {transcription.model}"
    language = transcription.language or settings.language
    if by_openai and language and "," in language:
        key = ("transcription", "language") if transcription.language else ("language",)
        yield key, f"{transcription.model} takes one language, found {language}"


def answers_and_model(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse settings of the answers that the model refuses, or with which it would fail every response."""
    traits = traits_of(model)
    effort, temperature = settings.reasoning_effort, settings.temperature
    if effort is not None and not traits.reasoning:
        yield ("reasoning_effort",), f"needs a model that reasons, such as gpt-5, found {_named(model)}"
    reasons = traits.reasoning == "always" or (effort or "none") != "none"
    if temperature not in (None, 1) and reasons and traits.text:
        yield ("temperature",), f"model {model} takes 1.0 alone while it reasons, found {temperature:g}"
    if settings.interim_response is not None and not traits.text:
        yield ("interim_response",), f"needs a text model such as gpt-4.1, found {_named(model)}"
    if settings.parallel_tool_calls and not traits.parallel_calls:
        yield ("parallel_tool_calls",), f"model {model} refuses true"


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
    answers_and_model,
    numbers_once,
    own_metadata,
    *listening_rules.RULES,
    *tool_rules.RULES,
    *action_rules.RULES,
)
