"""The settings for the caller's audio: turn detection, transcription, echo cancellation.

Sections and defaults as in the Voice Live API reference 2026-07-15. The defaults are written out because the service's
own differ by model and by API version.
"""

import re
import typing
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from gateway.config.reading.section import Number, Section, Switch, Text, Whole, by_name

Milliseconds = Annotated[Whole, Field(ge=0, le=10_000)]

MAX_LANGUAGES = 10
_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"


VadLanguage = Literal["en", "es", "fr", "it", "de", "ja", "pt", "zh", "ko", "hi"]
VAD_LANGUAGES: tuple[str, ...] = typing.get_args(VadLanguage)
"""The languages that Azure's speech detection supports."""


def _languages(text: str) -> str:
    codes = [code.strip() for code in text.split(",")]
    for code in codes:
        if not re.fullmatch(_LANGUAGE, code):
            raise ValueError("is not a language code, expected such as de-DE or de-DE,en-US")
    if len(codes) > MAX_LANGUAGES:
        raise ValueError(f"has {len(codes)} languages, expected at most {MAX_LANGUAGES}")
    return ",".join(codes)


Language = Annotated[
    str,
    AfterValidator(_languages),
    Field(json_schema_extra={"pattern": rf"^{_LANGUAGE}(,\s*{_LANGUAGE}){{0,{MAX_LANGUAGES - 1}}}$"}),
]
"""BCP-47 codes, separated by commas."""


EndOfUtteranceModel = Literal["semantic_detection_v1", "semantic_detection_v1_en", "semantic_detection_v1_multilingual"]


def main_language(code: str) -> str:
    """Return the language of a code without its country: ``de`` of ``de-DE``."""
    return code.strip().partition("-")[0].lower()


class EndOfUtterance(Section):
    """Distinguishes a pause for thought from the end of the caller's turn, by a model."""

    model: EndOfUtteranceModel
    """The model that judges the end of the turn."""
    threshold_level: Literal["low", "medium", "high", "default"] = "default"
    """The certainty required before the turn ends."""
    timeout_ms: Milliseconds = 1000
    """Milliseconds after which the turn ends in any case."""


AnyEndOfUtterance = Annotated[
    EndOfUtterance, BeforeValidator(by_name("model"), json_schema_input_type=EndOfUtterance | EndOfUtteranceModel)
]
"""A section, or its model alone."""


class VoiceActivity(Section):
    """The settings that every voice activity detection has."""

    threshold: Annotated[Number, Field(ge=0, le=1)] = 0.5
    """Threshold of speech, 0 to 1; use a higher one in noise."""
    prefix_padding_ms: Milliseconds = 400
    """Milliseconds of audio to include from before the speech was detected."""
    silence_duration_ms: Milliseconds = 500
    """Milliseconds of silence that end the caller's turn."""
    speech_duration_ms: Milliseconds = 200
    """Milliseconds that a sound must last to count as speech."""
    end_of_utterance_detection: AnyEndOfUtterance | None = None
    """Judges whether the caller is done; not with native models."""


class ServerVad(VoiceActivity):
    """Detects turns by loudness alone."""

    type: Literal["server_vad"]


class AzureSemanticVad(VoiceActivity):
    """Detects turns by Azure's speech detection, which distinguishes speech from noise."""

    type: Literal["azure_semantic_vad", "azure_semantic_vad_en", "azure_semantic_vad_multilingual"]
    prefix_padding_ms: Milliseconds = 420
    """Milliseconds of audio to include from before the speech was detected."""
    speech_duration_ms: Milliseconds = 80
    """Milliseconds that a sound must last to count as speech."""
    remove_filler_words: Switch = False
    """Do not let "um" and "uh" interrupt the bot."""
    languages: tuple[VadLanguage, ...] | None = None
    """Languages to expect; defaults to those of the line's language, if it has one; not with azure_semantic_vad_en."""
    speech_duration_assistant_speaking_ms: Milliseconds | None = None
    """Milliseconds of speech that interrupt the bot."""
    appended_text_after_truncation: Text | None = None
    """Text put into the conversation after an answer that was cut short."""

    def expected(self, language: str | None) -> tuple[str, ...]:
        """Return the languages to expect on a line of this ``language``; empty if any may be spoken.

        An unsupported language leaves the list empty: else the supported ones would be favoured over it.
        """
        if self.languages or self.type == "azure_semantic_vad_en":
            return self.languages or ("en",)
        codes = dict.fromkeys(main_language(code) for code in (language or "").split(",") if code)
        return tuple(codes) if set(codes) <= set(VAD_LANGUAGES) else ()


class SemanticVad(Section):
    """Lets the speech model detect turns; only with gpt-realtime models."""

    type: Literal["semantic_vad"]
    eagerness: Literal["auto", "low", "medium", "high"] = "auto"
    """Eagerness of the bot to take its turn: high answers soonest."""


_AnyTurnDetection = Annotated[ServerVad | AzureSemanticVad | SemanticVad, Field(discriminator="type")]
TurnDetection = Annotated[
    _AnyTurnDetection,
    BeforeValidator(
        by_name("type"),
        json_schema_input_type=_AnyTurnDetection
        | Literal[
            "server_vad",
            "azure_semantic_vad",
            "azure_semantic_vad_en",
            "azure_semantic_vad_multilingual",
            "semantic_vad",
        ],
    ),
]
"""A section, or its type alone."""
DEFAULT_TURN_DETECTION = AzureSemanticVad(type="azure_semantic_vad")


class BargeIn(Section):
    """The rules by which the caller interrupts the bot."""

    protect_ms: Milliseconds = 0
    """Milliseconds at the beginning of a reply in which speech does not interrupt it; who still speaks then does."""
    min_speech_ms: Milliseconds = 0
    """Milliseconds for which the caller must speak to interrupt; shorter speech is answered after the reply."""
    greeting: Switch = True
    """Let the caller interrupt the greeting; false for a greeting that must be heard to its end."""
    echo_gate: Switch = False
    """Do not take an echo of the bot for the caller, for phones that echo: speech is compared with what was played."""


AnyBargeIn = Annotated[
    Annotated[Switch, Tag("switch")] | Annotated[BargeIn, Tag("section")],
    Discriminator(lambda value: "section" if isinstance(value, dict) else "switch"),
]
"""The rules, or whether the caller may interrupt at all."""


TranscriptionModel = Literal[
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


class Transcription(Section):
    """Transcribes the caller's words."""

    model: TranscriptionModel = "azure-speech"
    """azure-speech goes with every model; mai-… with text models; whisper-1 and gpt-… with gpt-realtime models."""
    language: Language | None = None
    """Overrides the line's language for the transcription."""
    phrase_list: Annotated[tuple[Text, ...], Field(max_length=499)] | None = None
    """Words to listen for, such as product names; azure-speech with text models only."""
    custom_speech: dict[str, Text] | None = None
    """Custom speech models by locale; azure-speech only."""
    prompt: Text | None = None
    """Hints for whisper-1 and the gpt-…-transcribe models."""


AnyTranscription = Annotated[
    Transcription, BeforeValidator(by_name("model"), json_schema_input_type=Transcription | TranscriptionModel)
]
"""A section, or its model alone."""


class EchoCancellation(Section):
    """Removes the bot's own voice from the caller's audio."""

    type: Literal["server_echo_cancellation"]
    reference_source: Literal["server"] = "server"
    """The reference signal: server means the audio that the service sent; a phone stream cannot bring its own."""
    channels: Literal[1] = 1
    """Number of audio channels; a phone stream has one."""


NoiseReduction = Literal["azure_deep_noise_suppression", "near_field", "far_field"]


Echo = Annotated[
    EchoCancellation,
    BeforeValidator(by_name("type"), json_schema_input_type=EchoCancellation | Literal["server_echo_cancellation"]),
]
