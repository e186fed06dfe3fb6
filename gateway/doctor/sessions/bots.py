"""The distinct sessions that calls of all lines would open: a model or agent, its settings, an audio format. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from gateway.audio.formats import PCMU, AudioFormat
from gateway.config import Deployment, Line
from gateway.served import make_provider, usual_format
from gateway.text import json_text
from gateway.voice.bot import Agent, Answering
from gateway.voice.negotiation.reductions import Session
from gateway.voice.proposals import Proposal, proposals_for
from gateway.voice.texts import CallFacts

_OF_THE_TEXTS = ("instructions", "metadata", "tools")
"""Members that differ from line to line, and that the service takes whatever they say."""


class Bot(Struct, frozen=True):
    """One session to try: that of ``line``, which the other ``lines`` share in all that can be refused."""

    line: Line
    proposals: Sequence[Proposal]
    """The sessions that a call would ask for: that of the line's model, then those of the models that follow."""
    audio_format: AudioFormat
    facts: CallFacts
    lines: tuple[str, ...]

    @property
    def answering(self) -> Answering:
        """The model or agent that answers where nothing is refused."""
        return self.proposals[0].answering

    @property
    def session(self) -> Session:
        """The session that a call would ask for first."""
        return self.proposals[0].session

    def alone(self, proposal: Proposal) -> "Bot":
        """Return the bot with one of its proposals and no other."""
        return Bot(self.line, (proposal,), self.audio_format, self.facts, self.lines)

    @property
    def about(self) -> str:
        """The name of the bot in a row: its model or agent, its voice, the format and the lines."""
        bot = self.answering
        name = f"agent {bot.name}" if isinstance(bot, Agent) else bot.name
        voice = self.session.get("voice")
        spoken = f", {voice['name']}" if isinstance(voice, dict) and voice.get("name") else ""
        return f"{name}{spoken}, {self.audio_format} ({', '.join(self.lines)})"


def bots_of(deployment: Deployment, lines: Iterable[Line], now: datetime) -> list[Bot]:
    """Return the bots of all lines, in the order of the lines, each as often as it differs."""
    formats = formats_of(deployment)
    found: dict[str, Bot] = {}
    for line in lines:
        for audio_format in formats:
            bot = _bot(line, audio_format, now, deployment.voice_live.api_version)
            key = json_text([_as_json(proposal) for proposal in bot.proposals])
            known = found.get(key)
            found[key] = _shared(known, line.name) if known else bot
    return list(found.values())


def _bot(line: Line, audio_format: AudioFormat, now: datetime, api_version: str) -> Bot:
    facts = CallFacts("doctor", "", "", now)
    return Bot(line, proposals_for(line, audio_format, facts, api_version), audio_format, facts, (line.name,))


def _as_json(proposal: Proposal) -> list[object]:
    """Return what the service may refuse of a proposal."""
    session = {name: value for name, value in proposal.session.items() if name not in _OF_THE_TEXTS}
    return [repr(proposal.answering), bool(proposal.session.get("tools")), session]


def _shared(bot: Bot, name: str) -> Bot:
    lines = tuple(dict.fromkeys((*bot.lines, name)))
    return Bot(bot.line, bot.proposals, bot.audio_format, bot.facts, lines)


def formats_of(deployment: Deployment) -> Sequence[AudioFormat]:
    """Return the usual audio format of each account that is served, each once; µ-law where none is."""
    return tuple(dict.fromkeys(_formats(deployment))) or (PCMU,)


def _formats(deployment: Deployment) -> Iterator[AudioFormat]:
    for name, section in deployment.providers.accounts.items():
        yield usual_format(make_provider(name, section), section)
