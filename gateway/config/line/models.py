"""The models of Voice Live: one table of what each takes, for the checks, the session and the documents.

A *native* model hears and answers in sound; a *cascaded* one is a text model between Azure speech to text and Azure
text to speech (Voice Live overview, supported models). They take different settings. Sources: the Voice Live API
reference 2026-07-15; the live tests in the source distribution of azure-ai-voicelive 1.3.1 (``azure-speech`` with
``server_vad``, ``mai-transcribe-1`` on ``gpt-realtime-mini``, Phi as a cascaded model); pydantic-ai 2.68 for parallel
tool calls, reasoning and temperature.
"""

import enum
import re
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from gateway.config.reading.section import Text


class Engine(enum.StrEnum):
    """The ways in which a model turns speech into an answer."""

    NATIVE = "native"
    CASCADED = "cascaded"


AZURE_TRANSCRIPTIONS = ("azure-speech", "azure-mrs", "azure-fast-transcription")
MAI_TRANSCRIPTIONS = ("mai-transcribe", "mai-transcribe-1", "mai-transcribe-1.5", "mai-transcribe-2")
OPENAI_TRANSCRIPTIONS = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize")


@dataclass(frozen=True)
class Traits:
    """The settings that a family of models takes."""

    family: str
    """Its models as the documents name them."""
    engine: Engine = Engine.CASCADED
    openai: bool = False
    """One of OpenAI's speech models: their voices, ``semantic_vad``, an effect of ``near_field`` and ``far_field``."""
    azure_realtime: bool = False
    """Azure's own speech model: voices of its own, and no tools."""
    text: bool = False
    """A text model: phrase lists and interim responses."""
    mcp: bool = True
    transcriptions: tuple[str, ...] = AZURE_TRANSCRIPTIONS
    azure_vad: Literal["", "needed", "unknown"] = ""
    """``needed`` if transcription by Azure goes with Azure's semantic detection of turns alone."""
    parallel_calls: bool = True
    """``False`` if ``parallel_tool_calls: true`` is refused."""
    reasoning: Literal["", "always", "when_asked"] = ""
    """When the model reasons; empty if it takes no ``reasoning_effort``."""
    temperature: float | None = None
    """The temperature that is sent where a line has none; ``None`` sends none."""


_SPEECH = Traits("speech models", Engine.NATIVE, azure_vad="unknown")
_OPENAI = replace(
    _SPEECH, openai=True, transcriptions=(*AZURE_TRANSCRIPTIONS, *OPENAI_TRANSCRIPTIONS), parallel_calls=False
)
_TEXT = Traits("text models", text=True, transcriptions=(*AZURE_TRANSCRIPTIONS, *MAI_TRANSCRIPTIONS), temperature=0.8)
_GPT_5 = replace(_TEXT, temperature=1.0)
_TABLE: tuple[tuple[str, Traits], ...] = (
    (r"gpt-realtime(-datazone)?", replace(_OPENAI, family="gpt-realtime", azure_vad="")),
    (
        r"gpt-realtime-mini",
        replace(
            _OPENAI,
            family="gpt-realtime-mini",
            azure_vad="",
            transcriptions=(*_OPENAI.transcriptions, "mai-transcribe-1"),
        ),
    ),
    (r"gpt-realtime-1\.5(-datazone)?", replace(_OPENAI, family="gpt-realtime-1.5")),
    (
        r"gpt-realtime-2(\.\d+)?(-mini)?",
        replace(_OPENAI, family="gpt-realtime-2…", azure_vad="needed", parallel_calls=True, reasoning="when_asked"),
    ),
    (
        r"gpt-4o(-mini)?-realtime(-preview)?",
        replace(_OPENAI, family="gpt-4o-realtime…", azure_vad="", parallel_calls=True),
    ),
    (r"azure-realtime", replace(_SPEECH, family="azure-realtime", azure_realtime=True)),
    (r"phi4-(mm-realtime|mini)", Traits("phi4…", transcriptions=("azure-speech",), mcp=False)),
    (r"gpt-4o(-mini)?|gpt-4\.1(-mini|-nano)?", replace(_TEXT, family="gpt-4o…, gpt-4.1…")),
    (r"gpt-5(\.\d+)?(-mini|-nano)?-chat", replace(_GPT_5, family="gpt-5…-chat")),
    (r"gpt-5(-(mini|nano|pro|codex))*", replace(_GPT_5, family="gpt-5", reasoning="always")),
    (r"gpt-5\.\d+(-(mini|nano|pro|codex))*", replace(_GPT_5, family="gpt-5.1…", reasoning="when_asked")),
)
"""A pattern for the names of a family, and what it takes; a name matches one row at most."""
FAMILIES = tuple(traits for _, traits in _TABLE)
"""The families in the order of the documents."""
MODELS = (
    *("gpt-realtime", "gpt-realtime-mini", "gpt-realtime-1.5", "gpt-realtime-2"),
    *("gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-4o-realtime-preview", "azure-realtime"),
    *("phi4-mm-realtime", "phi4-mini", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"),
    *("gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-5-chat"),
)
"""Names of models in full, for suggestions; the families have further versions."""


def traits_of(model: str) -> Traits:
    """Return what ``model`` takes; of an unknown one, what its name suggests, with the benefit of the doubt.

    The empty name is an agent's, which has a text model.
    """
    for pattern, traits in _TABLE:
        if re.fullmatch(pattern, model):
            return traits
    if model.startswith("phi"):
        return Traits("phi4…", transcriptions=("azure-speech",), mcp=False)
    if model.startswith("azure-realtime"):
        return replace(_SPEECH, azure_realtime=True)
    if "realtime" not in model:
        return replace(_TEXT, temperature=None, reasoning="when_asked")
    speech = replace(_OPENAI, parallel_calls=True) if model.startswith("gpt-") else _SPEECH
    newer = model.startswith("gpt-realtime-2")
    return replace(speech, azure_vad="needed" if newer else "unknown", reasoning="when_asked")


def is_known(model: str) -> bool:
    """Return ``True`` if the service's documentation, or a test of its SDKs, names ``model``."""
    return any(re.fullmatch(pattern, model) for pattern, _ in _TABLE)


def engine_of(model: str) -> Engine:
    """Return the engine of ``model``; for an unknown model, the engine that its name suggests."""
    return traits_of(model).engine


def _each_once(models: tuple[str, ...]) -> tuple[str, ...]:
    for index, model in enumerate(models):
        if model in models[:index]:
            raise ValueError(f"names {model} twice")
    return models


def _shape(value: Any) -> str:
    return "[list]" if isinstance(value, list | tuple) else "[one]"


ModelChain = Annotated[
    Annotated[Text, Tag("[one]")]
    | Annotated[
        tuple[Text, ...],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_each_once),
        Tag("[list]"),
    ],
    Discriminator(_shape),
]
"""A model or, in the order in which they are tried, several: ``[gpt-realtime, gpt-4.1-mini]``."""


def models_of(chain: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the models of a ``ModelChain`` in their order; none if it is not set."""
    return () if chain is None else (chain,) if isinstance(chain, str) else chain
