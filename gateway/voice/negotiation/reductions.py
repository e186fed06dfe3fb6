"""Reduces a session by what may be left out of it, in an order for where the service names nothing. Pure.

A *reduction* is named by the member that it concerns, such as ``metadata`` or ``turn_detection.languages``. Most remove
it; those of ``turn_detection``, ``voice`` and ``input_audio_transcription`` reduce the member to its simplest form.
Never left out: the instructions, the tools with their approvals, the way in which audio comes and goes, the answers
to who interrupts, and the ``null`` of turn detection.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from gateway.config.session_formats import PCM16

Session = Mapping[str, Any]


class Policy(Struct, frozen=True):
    """The allowances of a line."""

    strict: bool = False
    """The voice must be as configured."""
    tolerant: bool = False
    """A call without transcription, or with simpler turn detection, is better than none."""
    agent: bool = False
    """An agent answers, which may have a voice and turn detection of its own."""


KEPT = frozenset({"model", "modalities", "instructions", "tools", "input_audio_format"})
"""Members that are always sent."""
ANSWERS = ("create_response", "interrupt_response", "auto_truncate")
"""Members of turn detection that say who interrupts."""
VOICE, NO_VOICE = "voice", "voice.name"
TRANSCRIPTION, NO_TRANSCRIPTION = "input_audio_transcription", "input_audio_transcription.model"
TURNS, SIMPLER_TURNS = "turn_detection", "turn_detection.type"
OUTPUT = "output_audio_format"
RATE = "input_audio_sampling_rate"
_INSIDE = (TURNS, VOICE, TRANSCRIPTION)
"""Members of which single members can be left out."""
_NEEDED_BY_VOICES = ("type", "name", "endpoint_id", "model")
_NO_CHANGE: Mapping[str, object] = {
    "input_audio_noise_reduction": None,
    "input_audio_echo_cancellation": None,
    "parallel_tool_calls": False,
    "max_response_output_tokens": "inf",
    "tool_choice": "auto",
}
"""Members with the values that say what most models do by themselves."""
WORD_TIMES = "output_audio_timestamp_types"
_LABELS = ("metadata", "include", WORD_TIMES)
_OF_ANSWERS = ("interim_response", "reasoning_effort", "temperature")
MEMBERS = (
    *(*_LABELS, *_NO_CHANGE, *_OF_ANSWERS, *_INSIDE),
    *(OUTPUT, RATE),
)
"""Every member that a reduction can concern."""


def member_of(name: str) -> str:
    """Return the session's member that a reduction concerns."""
    return name.partition(".")[0]


def reduced(session: Session, name: str, policy: Policy) -> Session | None:
    """Return the session with one reduction; ``None`` where it changes nothing or is not allowed."""
    top, _, inner = name.partition(".")
    if top not in session or top in KEPT:
        return None
    if reduce := _SPECIAL.get(name):
        changed = reduce(session, policy)
    elif inner:
        changed = _without_inner(session, top, inner, policy)
    else:
        changed = None if _is_needed(session, top) else _without(session, top)
    return None if changed == session else changed


def in_order(session: Session, policy: Policy) -> Iterator[Sequence[str]]:
    """Yield the groups of reductions that are tried one after the other where the service names nothing."""
    plain = (name for name, value in _NO_CHANGE.items() if name in session and session[name] == value)
    yield (*_LABELS, *plain)
    if policy.agent:
        yield tuple(formats_only(session))
        yield (OUTPUT,)
        return
    yield (*_OF_ANSWERS, TURNS)
    yield (TRANSCRIPTION, VOICE)
    yield (*_NO_CHANGE, OUTPUT)
    if policy.tolerant:
        yield (NO_TRANSCRIPTION,)
        yield (SIMPLER_TURNS,)


def formats_only(session: Session) -> Iterator[str]:
    """Yield the reductions that leave an agent its own settings, and nothing of ours but the audio formats."""
    yield from (name for name in session if name not in (*KEPT, *_INSIDE, OUTPUT, RATE))
    yield from (NO_VOICE, NO_TRANSCRIPTION, SIMPLER_TURNS)


def _without(session: Session, top: str) -> Session:
    return {key: value for key, value in session.items() if key != top}


def _is_needed(session: Session, top: str) -> bool:
    """Return ``True`` for what changes the call's audio, or lets the model do what it may not."""
    if top == RATE:
        return session.get("input_audio_format") == PCM16 and session[RATE] != 24_000
    return top == "tool_choice" and session[top] == "none"


def _without_inner(session: Session, top: str, inner: str, policy: Policy) -> Session | None:
    value = session[top]
    is_fixed = top not in _INSIDE or inner in ANSWERS or (top == VOICE and policy.strict)
    if is_fixed or not isinstance(value, Mapping) or inner not in value:
        return None
    return {**session, top: _without(value, inner)}


def _simple_voice(session: Session, policy: Policy) -> Session | None:
    voice = session[VOICE]
    if policy.strict or not isinstance(voice, Mapping):
        return None
    return {**session, VOICE: {key: voice[key] for key in _NEEDED_BY_VOICES if key in voice}}


def _no_voice(session: Session, policy: Policy) -> Session | None:
    """Return the session without a voice, and without the times of its words, which the service's own may not have."""
    return None if policy.strict else _without(_without(session, VOICE), WORD_TIMES)


def _simple_transcription(session: Session, _: Policy) -> Session:
    transcription = session[TRANSCRIPTION]
    if not isinstance(transcription, Mapping):
        return _without(session, TRANSCRIPTION)
    return {**session, TRANSCRIPTION: {"model": transcription.get("model")}}


def _no_transcription(session: Session, policy: Policy) -> Session | None:
    if policy.agent:
        return _without(session, TRANSCRIPTION)
    return {**session, TRANSCRIPTION: None} if policy.tolerant else None


def _simple_turns(session: Session, _: Policy) -> Session | None:
    turns = session[TURNS]
    if not isinstance(turns, Mapping):
        return None
    return {**session, TURNS: {key: turns[key] for key in ("type", *ANSWERS) if key in turns}}


def _simpler_turns(session: Session, policy: Policy) -> Session | None:
    turns = session[TURNS]
    if not isinstance(turns, Mapping):
        return None
    if policy.agent:
        return _without(session, TURNS)
    if not policy.tolerant or not str(turns.get("type")).startswith("azure_semantic_vad"):
        return None
    return {**session, TURNS: {"type": "server_vad", **{key: turns[key] for key in ANSWERS if key in turns}}}


def _resampled(session: Session, _: Policy) -> Session:
    return {**session, OUTPUT: PCM16}


_SPECIAL: Mapping[str, Callable[[Session, Policy], Session | None]] = {
    VOICE: _simple_voice,
    NO_VOICE: _no_voice,
    TRANSCRIPTION: _simple_transcription,
    NO_TRANSCRIPTION: _no_transcription,
    TURNS: _simple_turns,
    SIMPLER_TURNS: _simpler_turns,
    OUTPUT: _resampled,
}
