"""The distinct sessions that calls of all lines would open: a model or agent, its settings, an audio format. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMU, AudioFormat
from gateway.config import Deployment, Line
from gateway.config.providers import ProviderSettings, provider_of
from gateway.phone import providers
from gateway.phone.provider import Provider, Setup
from gateway.text import json_text
from gateway.voice.bot import Agent, Answering, answering_for
from gateway.voice.session import session_for
from gateway.voice.texts import CallFacts

_OF_THE_TEXTS = ("instructions", "metadata", "tools")
"""Members that differ from line to line, and that the service takes whatever they say."""
_LINEAR = {each.rate_hz: each for each in (L16_8K, L16_16K, L16_24K)}


class Bot(Struct, frozen=True):
    """One session to try: that of ``line``, which the other ``lines`` share in all that can be refused."""

    line: Line
    answering: Answering
    audio_format: AudioFormat
    facts: CallFacts
    session: dict[str, Any]
    """The session that a call would ask for, as production makes it."""
    lines: tuple[str, ...]

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
            bot = _bot(line, audio_format, now)
            told = {name: value for name, value in bot.session.items() if name not in _OF_THE_TEXTS}
            key = json_text([repr(bot.answering), bool(bot.session.get("tools")), told])
            known = found.get(key)
            found[key] = _shared(known, line.name) if known else bot
    return list(found.values())


def _bot(line: Line, audio_format: AudioFormat, now: datetime) -> Bot:
    facts = CallFacts("doctor", "", "", now)
    return Bot(line, answering_for(line), audio_format, facts, session_for(line, audio_format, facts), (line.name,))


def _shared(bot: Bot, name: str) -> Bot:
    lines = tuple(dict.fromkeys((*bot.lines, name)))
    return Bot(bot.line, bot.answering, bot.audio_format, bot.facts, bot.session, lines)


def formats_of(deployment: Deployment) -> Sequence[AudioFormat]:
    """Return the usual audio format of each account that is served, each once; µ-law where none is."""
    return tuple(dict.fromkeys(_formats(deployment))) or (PCMU,)


def usual_format(provider: Provider, section: ProviderSettings) -> AudioFormat:
    """Return the audio format in which an account's streams usually come: that of its sample rate, where it has one."""
    return _LINEAR.get(getattr(section, "rate_hz", 0), provider.traits.formats[0])


def _formats(deployment: Deployment) -> Iterator[AudioFormat]:
    for name, section in deployment.providers.accounts.items():
        provider = providers.make(provider_of(name, section), section, Setup(name, "", lambda: 0.0))
        yield usual_format(provider, section)
