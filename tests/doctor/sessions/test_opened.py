"""The rows of a session."""

from pathlib import Path
from typing import Any

import pytest

from gateway.doctor.row import Row
from gateway.doctor.sessions.opened import changed_members, session_rows
from tests.doctor.sessions.opening import bot_of, talk_of


async def rows_of(bot: Any, session: dict[str, Any] | None = None, **keys: Any) -> dict[str, Row]:
    """The rows of one session, by their names."""
    async with talk_of(bot, session, **keys) as talk:
        return {row.name: row for row in session_rows(bot, talk)}


async def test_a_session_that_is_accepted(tmp_path: Path) -> None:
    """All rows are fine."""
    rows = await rows_of(bot_of(tmp_path))
    assert {row.outcome for row in rows.values()} == {"fine"}
    assert rows["members"].detail == "all known"


@pytest.mark.parametrize(("status", "outcome"), [(403, "failed"), (500, "unclear"), (503, "unclear")])
async def test_a_refused_handshake(tmp_path: Path, status: int, outcome: str) -> None:
    """A service in trouble says nothing about the configuration."""
    rows = await rows_of(bot_of(tmp_path), faults={"handshake": {"status": status}})
    assert [row.outcome for row in rows.values()] == [outcome, "skipped", "skipped"]
    assert str(status) in rows["handshake"].detail


async def test_refused_settings(tmp_path: Path) -> None:
    """The service's words are told."""
    bot = bot_of(tmp_path)
    rows = await rows_of(bot, {**bot.session, "modalities": ["novel"]})
    assert rows["settings"].outcome == "failed"
    assert "session.modalities" in rows["settings"].detail


def test_members_that_were_changed() -> None:
    """By their paths."""
    asked = {"a": 1, "b": {"c": 2, "d": 3}, "e": None, "f": [1]}
    assert changed_members(asked, asked) == []
    assert changed_members(asked, {"a": 1, "b": {"c": 2}, "e": None, "f": [2]}) == ["b.d", "f"]
    assert changed_members(asked, {"b": None}) == ["a", "b", "e", "f"]
