"""A bot that is tried."""

from pathlib import Path
from typing import Any

from gateway.doctor.row import Row
from gateway.doctor.sessions.bisection import CONNECTIONS_LIMIT
from gateway.doctor.sessions.bots import Bot
from gateway.doctor.sessions.trying import Trial, try_bot
from gateway.voice.bot import Model
from gateway.voice.proposals import Proposal
from tests.doctor.sessions.opening import at_emulator, bot_of


async def tried(bot: Bot, *, speak: bool = False, hear: bool = False, **keys: Any) -> tuple[dict[str, Row], int]:
    """The rows of a bot at an emulator with this script, and the number of connections."""
    rows: list[Row] = []
    async with at_emulator(**keys) as (service, emulator):
        await try_bot(bot, Trial(service, 0.0, speak, hear), rows.append)
        return {row.name: row for row in rows}, emulator.handshakes


async def test_one_connection_is_enough(tmp_path: Path) -> None:
    """Where nothing is wrong, audio included."""
    rows, connections = await tried(bot_of(tmp_path), speak=True, pace=4.0)
    assert list(rows) == ["handshake", "members", "settings", "echo", "greeting", "pace", "cancel", "truncate"]
    assert connections == 1


async def test_a_member_that_is_refused_without_a_name(tmp_path: Path) -> None:
    """It is found by trying, within eight further connections."""
    bot = bot_of(tmp_path, "voice: {type: azure-standard, name: en-US-AvaNeural, style: calm}\n")
    rule = {"member": "voice.style", "how": "unnamed"}
    rows, connections = await tried(bot, refuse={"updates": [rule]})
    assert rows["settings"].outcome in ("reduced", "failed")
    assert rows["settings"].remedy.startswith("take voice.style out of sales")
    assert connections <= 2 + CONNECTIONS_LIMIT


async def test_without_a_session_there_is_no_audio(tmp_path: Path) -> None:
    """What was wished for is skipped."""
    rows, _ = await tried(bot_of(tmp_path), speak=True, hear=True, refuse={"models": ["*"]})
    assert rows["settings"].outcome == "failed"
    assert {rows[name].outcome for name in ("greeting", "turn", "answer")} == {"skipped"}


async def test_the_models_that_follow(tmp_path: Path) -> None:
    """Each is tried by itself; one that is missing is a reduction."""
    bot = bot_of(tmp_path)
    first = bot.proposals[0]
    chain = [first, *(Proposal(Model(name), first.session, first.policy) for name in ("gpt-4o", "gpt-4.1-nano"))]
    rows: list[Row] = []
    async with at_emulator(refuse={"models": ["gpt-4o"]}) as (service, _):
        whole = Bot(bot.line, chain, bot.audio_format, bot.facts, bot.lines)
        await try_bot(whole, Trial(service, 0.0), rows.append)
    found = [(row.about.partition(",")[0], row.outcome) for row in rows if row.name == "fallback"]
    assert found == [("gpt-4o", "reduced"), ("gpt-4.1-nano", "fine")]
