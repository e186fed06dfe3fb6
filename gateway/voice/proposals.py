"""The sessions to ask for in one call: one for each model of its line, in their order. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.audio.formats import AudioFormat
from gateway.config.api_versions import DEFAULT_API_VERSION, with_old_names, without_newer
from gateway.config.line.line import Line
from gateway.voice.bot import Agent, Answering, answering_for
from gateway.voice.negotiation.reductions import Policy, Session
from gateway.voice.session import session_for
from gateway.voice.texts import CallFacts

_POLICY = Policy()


@dataclass(frozen=True)
class Proposal:
    """A session to ask for: who answers, the whole session, and what may be left out of it."""

    answering: Answering
    session: Session
    policy: Policy = _POLICY


def policy_for(line: Line) -> Policy:
    """Return what may be left out of the sessions of a line."""
    settings = line.settings
    return Policy(strict=settings.strict, tolerant=settings.tolerant, agent=settings.agent is not None)


def proposals_for(
    line: Line, audio_format: AudioFormat, call: CallFacts, api_version: str = DEFAULT_API_VERSION
) -> Sequence[Proposal]:
    """Return what to ask the service for in a call; members that ``api_version`` does not know are not asked for.

    Members that it knows by another name are asked for by that.

    Raises ``WireError`` for a format that Voice Live does not take.
    """
    return tuple(_proposal(line.answered_by(model), audio_format, call, api_version) for model in line.models or ("",))


def going_on_with(proposals: Sequence[Proposal], conversation_id: str) -> Sequence[Proposal]:
    """Return the same proposals, the agent's with a conversation that it goes on with; a model has none."""
    if not conversation_id:
        return proposals
    return tuple(
        replace(one, answering=replace(one.answering, conversation_id=conversation_id))
        if isinstance(one.answering, Agent)
        else one
        for one in proposals
    )


def _proposal(line: Line, audio_format: AudioFormat, call: CallFacts, api_version: str) -> Proposal:
    session, _ = without_newer(session_for(line, audio_format, call), api_version)
    return Proposal(answering_for(line), with_old_names(session, api_version), policy_for(line))
