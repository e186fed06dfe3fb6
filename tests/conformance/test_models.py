"""`gateway check` against the emulator, over models, voices, turn detections, transcriptions and options.

The two have tables of their own. Where they differ, the difference stands in ``DIFFERENCES`` with its source.
"""

import datetime
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.audio.formats import PCMU
from gateway.config.checks.service import findings
from gateway.config.line.line import Line, Settings
from gateway.config.line.models import MODELS, Engine, is_known, traits_of
from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.refusing.failing import failure_of
from gateway.sim.emulator.settings import engine as engines
from gateway.sim.emulator.settings import settings as emulated
from gateway.sim.emulator.settings.fields import ResponseFields
from gateway.voice.session import session_for
from gateway.voice.texts import CallFacts

NAMES = (
    *MODELS,
    *("gpt-realtime-datazone", "gpt-realtime-1.5-datazone", "gpt-realtime-2-mini", "gpt-4o-mini-realtime-preview"),
    *("gpt-5-pro", "gpt-5-codex", "gpt-5.1", "gpt-5.1-mini", "gpt-5.1-chat", "gpt-5.2", "gpt-5.2-nano", "gpt-5.4"),
    *("gpt-5.4-mini", "gpt-5.6", "gpt-4o-realtime"),
    *("gpt-realtime-3", "gpt-realtime-2.2", "azure-realtime-2", "phi5", "gpt-6", "somebody-s-model"),
)
VOICES: tuple[Any, ...] = (
    *("marin", "en-US-AvaMultilingualNeural", "en-US-Ava:DragonHDLatestNeural", "ava"),
    {"type": "azure-custom", "name": "mine", "endpoint_id": "1"},
    {"type": "azure-personal", "name": "speaker", "model": "DragonLatestNeural"},
)
JUDGE = {"end_of_utterance_detection": "semantic_detection_v1"}
TURNS: tuple[Any, ...] = (
    *("none", "server_vad", "semantic_vad", "azure_semantic_vad", "azure_semantic_vad_en"),
    *("azure_semantic_vad_multilingual", {"type": "server_vad", **JUDGE}, {"type": "azure_semantic_vad", **JUDGE}),
)
TRANSCRIPTIONS = (
    *("none", "azure-speech", "azure-mrs", "azure-fast-transcription"),
    *("mai-transcribe", "mai-transcribe-1", "mai-transcribe-1.5", "mai-transcribe-2"),
    *("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"),
)
MCP = {"mcp": {"server_label": "crm", "server_url": "https://crm.example/", "require_approval": "never"}}
INTERIM = {"type": "static_interim_response", "texts": ["One moment."]}
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"temperature": 0},
    {"temperature": 2},
    {"temperature": 1},
    {"reasoning_effort": "none"},
    {"reasoning_effort": "low"},
    {"reasoning_effort": "none", "temperature": 0.7},
    {"reasoning_effort": "low", "temperature": 0.7},
    {"tools": ["end_call"]},
    {"tools": ["end_call"], "parallel_tool_calls": True},
    {"tools": [MCP]},
    {"noise_reduction": "near_field"},
    {"noise_reduction": "far_field"},
    {"noise_reduction": "azure_deep_noise_suppression"},
    {"echo_cancellation": "server_echo_cancellation"},
    {"interim_response": INTERIM},
    {"max_response_output_tokens": 20},
    {"language": "de-DE"},
)
CALL = CallFacts("c1", "+14255550100", "+14255550101", datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC))
Case = tuple[str, Settings]


def _of_phi(model: str, settings: Settings) -> bool:
    return settings.interim_response is not None and model.startswith("phi")


def _effort_of_speech(model: str, settings: Settings) -> bool:
    return settings.reasoning_effort is not None and traits_of(model).engine is Engine.NATIVE


DIFFERENCES: Mapping[str, Callable[[str, Settings], bool]] = {
    "API reference: an interim response is for text models and agents; whether Phi's refuse it was not seen": _of_phi,
    "API reference: gpt-realtime-2 and gpt-5 take reasoning_effort; that others fail was seen of text models": (
        _effort_of_speech
    ),
}
"""The cases in which the check refuses what the emulator takes, with the source of the difference."""


def written(voice: Any, turns: Any, transcription: Any, option: Mapping[str, Any]) -> Settings:
    """A line's settings, as its file would have them."""
    keyed = {"commit_on": "#"} if turns == "none" else {}
    section = {"voice": voice, "turn_detection": turns, "transcription": transcription, **keyed, **option}
    return Settings.model_validate({"numbers": ["+14255550101"], "instructions": "Answer.", **section})


def cases() -> Iterator[Case]:
    """Every model with every voice, turn detection and transcription, the options in turn; and with every option."""
    turn = itertools.cycle(OPTIONS)
    for combination in itertools.product(VOICES, TURNS, TRANSCRIPTIONS):
        settings = written(*combination, next(turn))
        yield from ((model, settings) for model in NAMES)
    for voice, option in itertools.product(VOICES, OPTIONS):
        settings = written(voice, "azure_semantic_vad", "azure-speech", option)
        yield from ((model, settings) for model in NAMES)


def refused_by_emulator(model: str, settings: Settings) -> str:
    """Why the emulator refuses the session that the gateway would ask for, or fails its responses."""
    line = Line("line", Path("line.yaml"), settings, "Answer.", model)
    engine = engines.Engine.of(model, "2026-07-15")
    session = emulated.Settings(engine, strict=True)
    try:
        session.update(session_for(line, PCMU, CALL), audio_received=False, has_spoken=False)
    except Rejected as rejected:
        return rejected.message
    return failure_of(engine, session.echo, ResponseFields()) or ""


def test_the_check_and_the_emulator_agree() -> None:
    """Both refuse a session, or both take it; each known difference is still one."""
    assert len(set(NAMES)) == 40
    seen: Counter[str] = Counter()
    unknown: list[str] = []
    agreed = Counter[bool]()
    for model, settings in cases():
        checked = "; ".join(f"{'.'.join(map(str, key))}: {text}" for key, text in findings(settings, model))
        refused = refused_by_emulator(model, settings)
        if bool(checked) == bool(refused):
            agreed[bool(refused)] += 1
            continue
        source = next((source for source, holds in DIFFERENCES.items() if checked and holds(model, settings)), "")
        if source:
            seen[source] += 1
        else:
            unknown.append(f"{model}: check {checked or 'takes'}, emulator {refused or 'takes'}")
    assert unknown == [], "\n".join(sorted(set(unknown))[:20])
    assert set(seen) == set(DIFFERENCES)
    assert min(agreed.values()) > 1000


def test_unknown_names_are_among_the_models() -> None:
    """Both judge a name that they do not know by its words."""
    unknown = [model for model in NAMES if not is_known(model)]
    assert len(unknown) >= 5
    assert {traits_of(model).engine for model in unknown} == {"native", "cascaded"}
