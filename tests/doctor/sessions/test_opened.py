"""The rows of a session."""

from pathlib import Path
from typing import Any

import pytest

from gateway.doctor.row import Row
from gateway.doctor.sessions.bisection import Culprit
from gateway.doctor.sessions.opened import changed_members, is_unnamed, session_rows
from tests.doctor.sessions.opening import asking, bot_of, talk_of


async def rows_of(bot: Any, culprit: Culprit | None = None, **keys: Any) -> dict[str, Row]:
    """The rows of one session, by their names."""
    async with talk_of(bot, **keys) as talk:
        return {row.name: row for row in session_rows(bot, talk, culprit)}


async def test_a_session_that_is_accepted(tmp_path: Path) -> None:
    """All rows are fine."""
    rows = await rows_of(bot_of(tmp_path))
    assert {row.outcome for row in rows.values()} == {"fine"}
    assert list(rows) == ["handshake", "members", "settings", "echo"]
    assert rows["members"].detail == "all known"
    assert "ms, session sess_" in rows["handshake"].detail


@pytest.mark.parametrize(("status", "outcome"), [(403, "failed"), (500, "unclear"), (503, "unclear")])
async def test_a_refused_handshake(tmp_path: Path, status: int, outcome: str) -> None:
    """A service in trouble says nothing about the configuration."""
    rows = await rows_of(bot_of(tmp_path), faults={"handshake": {"status": status}})
    assert [row.outcome for row in rows.values()] == [outcome, "skipped", "skipped", "skipped"]
    assert str(status) in rows["handshake"].detail


async def test_refused_settings(tmp_path: Path) -> None:
    """The service's words are told, and nothing is compared."""
    rows = await rows_of(asking(bot_of(tmp_path), modalities=["novel"]))
    assert (rows["settings"].outcome, rows["echo"].outcome) == ("failed", "skipped")
    assert "modalities" in rows["settings"].detail


async def test_a_member_that_is_left_out(tmp_path: Path) -> None:
    """Calls work without it; the member and the service's words are told."""
    rows = await rows_of(bot_of(tmp_path), refuse={"updates": [{"member": "metadata"}]})
    row = rows["settings"]
    assert row.outcome == "reduced"
    assert ", at try 2, not as asked for: metadata: Invalid parameter: 'session.metadata'." in row.detail
    assert row.remedy.startswith("take metadata out of sales")
    assert rows["echo"].outcome == "fine"


async def test_a_member_that_a_bisection_found(tmp_path: Path) -> None:
    """It is the one of the remedy."""
    culprit = Culprit("metadata", "the session is accepted without metadata")
    rule = {"member": "metadata", "how": "unnamed"}
    rows = await rows_of(bot_of(tmp_path), culprit, refuse={"updates": [rule]})
    assert "tried member by member: the session is accepted without metadata" in rows["settings"].detail
    assert rows["settings"].remedy.startswith("take metadata out of sales")


@pytest.mark.parametrize(
    ("echo", "outcome"),
    [({"output_audio_format": "pcm16_16000hz"}, "failed"), ({"voice": {"name": "en-US-AndrewNeural"}}, "reduced")],
)
async def test_an_echo_that_differs(tmp_path: Path, echo: dict[str, Any], outcome: str) -> None:
    """Another format would be noise, another voice is a voice."""
    rows = await rows_of(bot_of(tmp_path), echo=echo)
    assert rows["echo"].outcome == outcome
    assert next(iter(echo)) in rows["echo"].detail


@pytest.mark.parametrize(
    ("keys", "unnamed"),
    [
        ({}, False),
        ({"refuse": {"updates": [{"member": "metadata"}]}}, False),
        ({"refuse": {"updates": [{"member": "metadata", "how": "in_text"}]}}, False),
        ({"refuse": {"updates": [{"member": "metadata", "how": "unnamed"}]}}, True),
        ({"refuse": {"updates": [{"member": "metadata", "how": "close"}]}}, True),
        ({"refuse": {"models": ["*"]}}, False),
        ({"faults": {"handshake": {"status": 403}}}, False),
    ],
)
async def test_a_refusal_without_a_name(tmp_path: Path, keys: dict[str, Any], unnamed: bool) -> None:
    """Only then members are tried one by one."""
    async with talk_of(bot_of(tmp_path), **keys) as talk:
        assert is_unnamed(talk) is unnamed


def test_members_that_were_changed() -> None:
    """By their paths."""
    asked = {"a": 1, "b": {"c": 2, "d": 3}, "e": None, "f": [1]}
    assert changed_members(asked, asked) == []
    assert changed_members(asked, {"a": 1, "b": {"c": 2}, "e": None, "f": [2]}) == ["b.d", "f"]
    assert changed_members(asked, {"b": None}) == ["a", "b", "e", "f"]
