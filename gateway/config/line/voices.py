"""The voice of a line (Voice Live API reference 2026-07-15, voice types)."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gateway.config.line.voice_catalogue import nearest
from gateway.config.reading.problems import listed, suggestion
from gateway.config.reading.section import Number, Section, Text, Wording

OPENAI_VOICES = ("alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse")
REALTIME_VOICES = (
    *("aarti", "andrew", "ava", "denise", "diya", "elsa"),
    *("florian", "francisca", "meera", "xiaoxiao", "ximena", "yunxi"),
)
_AZURE_NAME = re.compile(r"[a-z]{2,3}-[A-Za-z0-9-]+[-:][A-Za-z0-9:_-]+")


class OpenAIVoice(Section):
    """A voice of OpenAI's speech models; only with gpt-realtime models."""

    type: Literal["openai"]
    name: Literal["alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse"]
    """The name of the voice in the Voice Live API."""


class AzureRealtimeVoice(Section):
    """A voice of Azure's own speech model; only with azure-realtime."""

    type: Literal["azure-realtime-native"]
    name: Literal[
        "aarti",
        "andrew",
        "ava",
        "denise",
        "diya",
        "elsa",
        "florian",
        "francisca",
        "meera",
        "xiaoxiao",
        "ximena",
        "yunxi",
    ]
    """The name of the voice in the Voice Live API."""


class SpokenByAzure(Section):
    """The settings that every Azure text-to-speech voice has."""

    name: Text
    """The voice's name, such as en-US-AvaMultilingualNeural."""
    temperature: Annotated[Number, Field(ge=0, le=1)] | None = None
    """Variation of an HD voice's delivery, 0 to 1; other voices ignore it."""
    rate: Wording | None = None
    """Speed: "0.5" to "1.5", a change such as "+20%", or x-slow, slow, medium, fast, x-fast."""
    pitch: Wording | None = None
    """Pitch: a change such as "+5%" or "-2st", or x-low, low, medium, high, x-high."""
    volume: Wording | None = None
    """Loudness: a change such as "+10%", or silent, x-soft, soft, medium, loud, x-loud."""
    style: Text | None = None
    """A speaking style that the voice has, such as customerservice or cheerful."""
    locale: Text | None = None
    """The one language to speak, such as en-US; text in a language the voice lacks is then silent."""
    prefer_locales: tuple[Text, ...] | None = None
    """Accents to prefer, such as [en-GB]."""
    custom_lexicon_url: Text | None = None
    """Address of a pronunciation lexicon (PLS)."""
    custom_text_normalization_url: Text | None = None
    """Address of a text normalization file."""


class AzureStandardVoice(SpokenByAzure):
    """A voice from Azure's gallery."""

    type: Literal["azure-standard"]


class AzureCustomVoice(SpokenByAzure):
    """A custom neural voice of your own."""

    type: Literal["azure-custom"]
    endpoint_id: Text
    """The deployment of the custom voice."""


class AzurePersonalVoice(SpokenByAzure):
    """A personal voice; its name is the speaker profile's id."""

    type: Literal["azure-personal"]
    model: Literal[
        "DragonLatestNeural",
        "PhoenixLatestNeural",
        "PhoenixV2Neural",
        "DragonHDOmniLatestNeural",
        "MAI-Voice-1",
    ]
    """The model that speaks with the personal voice."""


AnyVoice = OpenAIVoice | AzureRealtimeVoice | AzureStandardVoice | AzureCustomVoice | AzurePersonalVoice


def _named(value: Any) -> Any:
    """Return the section of a voice that is written as a name alone."""
    if not isinstance(value, str):
        return value
    if value in OPENAI_VOICES:
        return {"type": "openai", "name": value}
    if value in REALTIME_VOICES:
        return {"type": "azure-realtime-native", "name": value}
    if _AZURE_NAME.fullmatch(value):
        return {"type": "azure-standard", "name": value}
    near = suggestion(value, (*OPENAI_VOICES, *REALTIME_VOICES))
    of_azure = nearest(value)
    is_name = value.lower() in (*OPENAI_VOICES, *REALTIME_VOICES)
    hint = f"did you mean {of_azure}? " if of_azure and not is_name else f"{near} " if near.startswith("did") else ""
    raise ValueError(
        f"is not a voice, {hint}expected an Azure voice such as en-US-AvaMultilingualNeural, "
        f"or one of {listed(OPENAI_VOICES)}"
    )


_Name = Annotated[
    str,
    Field(
        json_schema_extra={
            "anyOf": [{"enum": [*OPENAI_VOICES, *REALTIME_VOICES]}, {"pattern": f"^{_AZURE_NAME.pattern}$"}]
        }
    ),
]
Voice = Annotated[
    Annotated[AnyVoice, Field(discriminator="type")],
    BeforeValidator(_named, json_schema_input_type=_Name | Annotated[AnyVoice, Field(discriminator="type")]),
]
DEFAULT_VOICE = AzureStandardVoice(type="azure-standard", name="en-US-AvaMultilingualNeural")
