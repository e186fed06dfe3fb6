"""The models as the emulator knows them: what each takes, first match first.

Sources, by the words at the rows: *live*, the live tests in the source distribution of azure-ai-voicelive 1.3.1;
*reference*, Voice Live API reference 2026-07-15; *client*, pydantic-ai 2.68 (``realtime/azure.py``); *seen*, recorded
sessions and the texts of the service's errors. The gateway has a table of its own, and neither reads the other's.
"""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

OF_MAI = ("mai-transcribe", "mai-transcribe-1", "mai-transcribe-1.5", "mai-transcribe-2")
OF_AZURE = ("azure-speech", "azure-mrs", "azure-fast-transcription")
OF_OPENAI = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize")


@dataclass(frozen=True)
class ModelRules:
    """The rules of one model for the settings of a session."""

    native: bool = False
    """A speech model; else a text model between Azure's speech to text and text to speech."""
    openai: bool = False
    """One of OpenAI's speech models: ``semantic_vad`` and OpenAI's voices (reference)."""
    azure_realtime: bool = False
    """Azure's own speech model: voices of its own, and no tools (reference)."""
    transcriptions: tuple[str, ...] = OF_AZURE
    mcp: bool = True
    one_call: bool = False
    """``parallel_tool_calls: true`` is refused (client)."""
    azure_vad: bool = False
    """``azure-speech`` needs ``azure_semantic_vad`` or ``azure_semantic_vad_multilingual`` (seen)."""
    reasons: bool = False
    """``reasoning_effort`` is in force; else every response with one fails (client)."""
    always: bool = False
    """``none`` does not switch reasoning off: the GPT-5 models before 5.1 (client)."""
    effort: str = "none"
    """The effort in force where the session has none."""
    temperature: float | None = 0.8
    """The temperature that a new session shows (seen)."""


_SPEECH = ModelRules(native=True, temperature=None)
_OPENAI = replace(_SPEECH, openai=True, transcriptions=(*OF_AZURE, *OF_OPENAI))
_TEXT = ModelRules(transcriptions=(*OF_AZURE, *OF_MAI))
_GPT_5 = replace(_TEXT, reasons=True, effort="minimal", temperature=1.0)
_ROWS: tuple[tuple[tuple[str, ...], ModelRules], ...] = (
    (("azure-realtime*",), replace(_SPEECH, azure_realtime=True)),
    (("phi*",), ModelRules(transcriptions=("azure-speech",), mcp=False)),  # reference; cascaded: client
    (("gpt-realtime-2*",), replace(_OPENAI, azure_vad=True, reasons=True, effort="minimal")),
    (
        ("gpt-realtime-mini*",),  # live: test_realtime_service_input_audio_transcription
        replace(_OPENAI, transcriptions=(*OF_AZURE, *OF_OPENAI, "mai-transcribe-1"), one_call=True),
    ),
    (("gpt-realtime", "gpt-realtime-1.5*", "gpt-realtime-datazone"), replace(_OPENAI, one_call=True)),
    (("gpt-*realtime*",), _OPENAI),
    (("*realtime*",), _SPEECH),
    (("gpt-5*-chat*",), replace(_TEXT, temperature=1.0)),
    (("gpt-5.*",), replace(_GPT_5, effort="none")),
    (("gpt-5*",), replace(_GPT_5, always=True)),
    (("gpt-4*",), _TEXT),
)
OWN_NATIVE = replace(_OPENAI, transcriptions=(*OF_AZURE, *OF_OPENAI, *OF_MAI), reasons=True)
"""A deployment of the client's of a speech model: its name says nothing, so nothing is refused by it."""
OWN_TEXT = replace(_TEXT, reasons=True)
"""A deployment of the client's of a text model, or a text model of which nothing is known."""


def rules_of(model: str) -> ModelRules:
    """Return the rules of ``model``; an unknown one is judged by its name."""
    for patterns, rules in _ROWS:
        if any(fnmatchcase(model, pattern) for pattern in patterns):
            return rules
    return OWN_TEXT
