"""A bot that speaks."""

from pathlib import Path
from typing import Any

import pytest

from gateway.doctor.row import Row
from gateway.doctor.sessions import speaking
from gateway.doctor.sessions.speaking import speaking_rows
from tests.doctor.sessions.opening import bot_of, talk_of

GREETING = "Thank you for calling Contoso. How can I help?"
SAID = f"greeting: {GREETING}\n"
LONG = {"say": "One. " * 60}


async def rows_of(tmp_path: Path, text: str = SAID, *, model: str = "gpt-4.1", **keys: Any) -> dict[str, Row]:
    """The rows of a line with this text, at an emulator with this script."""
    bot = bot_of(tmp_path, text, model)
    async with talk_of(bot, **keys) as talk:
        return {row.name: row for row in await speaking_rows(bot, talk)}


async def test_a_greeting_word_for_word(tmp_path: Path) -> None:
    """Its length, sizes and pace are told; what was asked for can be cancelled and truncated."""
    rows = await rows_of(tmp_path, turns=[LONG], pace=4.0)
    assert {name: row.outcome for name, row in rows.items()} == dict.fromkeys(speaking.STEPS, "fine")
    assert rows["greeting"].detail.startswith("word for word, ")
    assert " pieces of " in rows["pace"].detail


async def test_a_voice_that_uses_other_words(tmp_path: Path) -> None:
    """It is told what was said; a model's own voice may do so."""
    text = f"{SAID}voice: alloy\nturn_detection: {{type: server_vad}}\ntranscription: none\n"
    rows = await rows_of(tmp_path, text, model="gpt-realtime", greeting="Good day.")
    assert rows["greeting"].outcome == "reduced"
    assert f"in other words: 'Good day.' instead of {GREETING!r}" in rows["greeting"].detail


async def test_a_bot_that_says_nothing(tmp_path: Path) -> None:
    """Callers would hear nothing, and nothing else is tried."""
    bot = bot_of(tmp_path, SAID)
    refuse = {"responses": [{"how": "unnamed"}]}
    async with talk_of(bot, refuse=refuse) as talk:
        first, *others = await speaking_rows(bot, talk)
    assert (first.name, first.outcome) == ("greeting", "failed")
    assert "nothing was said" in first.detail
    assert [row.outcome for row in others] == ["skipped"] * 3


async def test_audio_that_is_hardly_faster_than_it_is_played(tmp_path: Path) -> None:
    """Any pause of the network would be heard."""
    rows = await rows_of(tmp_path, pace=1.0, burst=1)
    assert rows["pace"].outcome == "reduced"
    assert "hardly faster" in rows["pace"].detail


async def test_a_truncation_that_is_refused(tmp_path: Path) -> None:
    """Calls work; the model believes that all was heard."""
    rows = await rows_of(tmp_path, turns=[LONG], refuse={"truncates": [{}]}, pace=4.0)
    assert rows["truncate"].outcome == "reduced"


async def test_a_line_without_a_greeting(tmp_path: Path) -> None:
    """A test sentence is said in its place."""
    rows = await rows_of(tmp_path, "")
    assert rows["greeting"].outcome == "fine"


@pytest.mark.parametrize(("one", "other"), [("Hello,  World!", "hello world"), ("Grüße!", "grüße")])
def test_punctuation_and_case_are_no_words(one: str, other: str) -> None:
    """They do not make a difference."""
    assert speaking._plain(one) == speaking._plain(other)
