"""A bot that hears a recording."""

from pathlib import Path
from typing import Any

import pytest

from gateway.audio.formats import L16_16K, PCMA, PCMU
from gateway.doctor.row import Row
from gateway.doctor.sessions import hearing
from gateway.doctor.sessions.hearing import hearing_rows
from gateway.sim.prompts import caller_prompt
from tests.doctor.sessions.opening import bot_of, talk_of

SAID = "Hi. I would like to know where my order is."


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames go out forty times faster than real time; the emulator hears in audio time."""
    monkeypatch.setattr(hearing, "FRAME_S", 0.0005)
    monkeypatch.setattr(hearing, "SILENCE_LIMIT_S", 0.25)


async def rows_of(tmp_path: Path, turn: dict[str, Any], text: str = "", **keys: Any) -> dict[str, Row]:
    """The rows of a line with this text, at an emulator that answers with ``turn``."""
    bot = bot_of(tmp_path, text)
    async with talk_of(bot, turns=[turn], **keys) as talk:
        return {row.name: row for row in await hearing_rows(bot, talk)}


async def test_a_recording_is_heard_and_answered(tmp_path: Path) -> None:
    """The turn, its words and the answer."""
    rows = await rows_of(tmp_path, {"heard": SAID, "say": "It is on its way."})
    assert {name: row.outcome for name, row in rows.items()} == dict.fromkeys(hearing.STEPS, "fine")
    assert rows["transcript"].detail == repr(SAID)
    assert "of speech" in rows["turn"].detail


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        ({"heard": "Ein Tisch bitte.", "say": "A"}, "where the recording says"),
        ({"heard": SAID, "say": "A", "transcription": "failed"}, "it failed"),
        ({"heard": SAID, "say": "A", "transcription": "never"}, "there was none"),
    ],
)
async def test_a_transcript_that_is_not_right(tmp_path: Path, turn: dict[str, Any], words: str) -> None:
    """Calls work, without the caller's words."""
    rows = await rows_of(tmp_path, turn)
    assert (rows["transcript"].outcome, rows["answer"].outcome) == ("reduced", "fine")
    assert words in rows["transcript"].detail


async def test_a_line_that_writes_nothing_down(tmp_path: Path) -> None:
    """A transcript is not missed."""
    rows = await rows_of(tmp_path, {"say": "A"}, "transcription: none\n")
    assert rows["transcript"].outcome == "fine"


async def test_a_service_that_hears_nothing(tmp_path: Path) -> None:
    """Callers would not be heard."""
    rows = await rows_of(tmp_path, {"say": "A"}, vad="scripted")
    assert (rows["turn"].outcome, rows["answer"].outcome) == ("failed", "failed")


async def test_a_line_whose_turns_end_by_a_key(tmp_path: Path) -> None:
    """The turn is ended by hand, and answered."""
    rows = await rows_of(tmp_path, {"heard": SAID, "say": "A"}, 'turn_detection: none\ncommit_on: "#"\n')
    assert rows["turn"].detail == "ended by hand: the line has no turn detection"
    assert rows["answer"].outcome == "fine"


async def test_an_answer_that_fails(tmp_path: Path) -> None:
    """Callers would hear nothing."""
    rows = await rows_of(tmp_path, {"heard": SAID, "say": "A", "ending": "failed"})
    assert (rows["turn"].outcome, rows["answer"].outcome) == ("fine", "failed")
    assert "the response ended failed" in rows["answer"].detail


async def test_a_bot_that_calls_a_tool(tmp_path: Path) -> None:
    """It is an answer too."""
    rows = await rows_of(tmp_path, {"heard": SAID, "call": {"name": "end_call"}}, "tools: [end_call]\n")
    assert rows["answer"].detail == "it calls end_call"


def test_the_recording_is_converted() -> None:
    """To the format of the call, at its length."""
    assert caller_prompt(hearing.RECORDING) is not None
    mulaw = bytes(range(256)) * 10
    assert hearing._converted(mulaw, PCMU) == mulaw
    assert len(hearing._converted(mulaw, PCMA)) == len(mulaw)
    assert abs(len(hearing._converted(mulaw, L16_16K)) - 4 * len(mulaw)) < 100
