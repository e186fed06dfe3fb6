"""A bot, and its sessions at an emulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.audio.formats import PCMU
from gateway.doctor.sessions.bots import Bot
from gateway.doctor.sessions.talk import Talk, talking
from gateway.sim.emulator import Emulator
from gateway.voice.proposals import Proposal, proposals_for
from gateway.voice.service import VoiceLive
from tests.sim.emulator.wire import scripted
from tests.voice.lines import CALL, line_of


def bot_of(tmp_path: Path, text: str = "", model: str = "gpt-4.1", **options: Any) -> Bot:
    """The bot of a line with this text."""
    line = line_of(tmp_path, text, model, **options)
    return Bot(line, proposals_for(line, PCMU, CALL), PCMU, CALL, (line.name,))


def asking(bot: Bot, **members: Any) -> Bot:
    """The bot, with these members in its session as well."""
    first = bot.proposals[0]
    return bot.alone(Proposal(first.answering, {**first.session, **members}, first.policy))


@asynccontextmanager
async def at_emulator(*turns: dict[str, Any], **keys: Any) -> AsyncIterator[tuple[VoiceLive, Emulator]]:
    """A service that leads to an emulator with this script."""
    async with (
        Emulator(scripted(*(turns or ({"say": "A"},)), **keys), api_key="right", keep_audio=True) as emulator,
        VoiceLive(emulator.endpoint, "right") as service,
    ):
        yield service, emulator


@asynccontextmanager
async def talk_of(bot: Bot, **keys: Any) -> AsyncIterator[Talk]:
    """A session of the bot at an emulator with this script."""
    async with at_emulator(**keys) as (service, _), talking(service, bot) as talk:
        yield talk
