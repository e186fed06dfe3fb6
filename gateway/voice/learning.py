"""Notes what the negotiation of a session taught: in the memory, the counts and the log. Pure."""

from collections.abc import Mapping, Sequence

import structlog

from gateway.voice.bot import name_of
from gateway.voice.negotiation.echo import Difference
from gateway.voice.negotiation.memory import Key
from gateway.voice.negotiation.negotiation import Negotiation
from gateway.voice.negotiation.reductions import member_of
from gateway.voice.negotiation.refusal import Refusal
from gateway.voice.proposals import Proposal
from gateway.voice.service import VoiceLive

log = structlog.get_logger()

_MODEL = "model"
"""The name of what is left out where another model of the line answers."""


def key_of(service: VoiceLive, proposal: Proposal) -> Key:
    """Return the circumstances on which a refusal of the proposal depends."""
    voice = proposal.session.get("voice")
    kind = str(voice.get("type") or "") if isinstance(voice, Mapping) else ""
    return Key(
        service.endpoint,
        service.api_version,
        name_of(proposal.answering),
        kind,
        str(proposal.session.get("output_audio_format") or ""),
    )


def note_opened(
    service: VoiceLive,
    proposal: Proposal,
    left_out: Sequence[str],
    differences: Sequence[Difference],
    said: str,
    now: float,
    *,
    is_another: bool,
) -> None:
    """Note an accepted session. ``is_another`` if its model is not the line's first; ``said`` is the first refusal."""
    memory, key = service.memory, key_of(service, proposal)
    memory.note_accepted(key, left_out, now)
    left_out = (*((_MODEL,) if is_another else ()), *left_out)
    for member in dict.fromkeys(map(member_of, left_out)):
        service.watch.session_reduced(member)
    if left_out and memory.should_log(key, "session_reduced", now):
        _log_reduced(proposal, left_out, said)
    for member in dict.fromkeys(member_of(one.member) for one in differences):
        service.watch.session_differs(member)
    if differences and memory.should_log(key, "session_differs", now):
        listed = "; ".join(one.words for one in differences)
        log.warning("session_differs", model=name_of(proposal.answering), detail=listed)


def note_reducible(
    service: VoiceLive, proposal: Proposal, negotiation: Negotiation, refusal: Refusal, said: str, now: float
) -> None:
    """Log what would be left out, where the operator wants that and no more."""
    if service.negotiate == "log":
        left_out = negotiation.refused(refusal)
        if left_out and service.memory.should_log(key_of(service, proposal), "session_reduced", now):
            _log_reduced(proposal, left_out, said, only_logged=True)


def _log_reduced(proposal: Proposal, left_out: Sequence[str], said: str, **fields: object) -> None:
    log.warning("session_reduced", model=name_of(proposal.answering), left_out=[*left_out], detail=said, **fields)
