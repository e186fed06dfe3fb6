"""Tapes that are kept here play again: the gateway comes to the same end of the call as then.

A checked tape ``NAME.jsonl`` is played with the line of ``NAME.yaml``, if there is one.
"""

from pathlib import Path

import pytest

from gateway.tape.checking import Known, left_on
from gateway.tape.form import read_tape
from tests.e2e.rig import instant, noise
from tests.tapes.replay import end_on, replayed
from tests.virtual_time import in_virtual_time

FOLDER = Path(__file__).parent
TAPES = sorted(FOLDER.glob("*.jsonl"))
LINE = 'numbers: ["*"]\ninstructions: Answer the phone.\ngreeting: Hello.\nmodel: gpt-4.1\ntools: [end_call]\n'


def line_of(file: Path, tool_url: str) -> str:
    """The line that a tape is played with; ``{tools}`` in it is the address of a server of tools."""
    beside = file.with_suffix(".yaml")
    return (beside.read_text("utf-8") if beside.exists() else LINE).replace("{tools}", tool_url)


@pytest.mark.parametrize("file", TAPES, ids=lambda file: file.stem)
def test_a_kept_tape_can_be_shared(file: Path) -> None:
    """Nobody's number or words come into the project."""
    assert left_on(file, Known()) == []


@pytest.mark.parametrize("file", TAPES, ids=lambda file: file.stem)
def test_a_kept_tape_plays_to_the_same_end(file: Path, tmp_path: Path) -> None:
    """Both peers are played from it."""
    tape = read_tape(file)
    end, then = in_virtual_time(lambda: replayed(tape, tmp_path, lambda url: line_of(file, url))), end_on(tape)
    assert (end["reason"], end["by"], end["turns"]) == (then["reason"], then["by"], then["turns"])


@pytest.mark.parametrize("file", TAPES, ids=lambda file: file.stem)
def test_the_providers_end_plays_alone_too(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the emulator as the service; the call ends as the provider ends it on the tape."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    tape = read_tape(file)
    end = in_virtual_time(lambda: replayed(tape, tmp_path, lambda url: line_of(file, url), emulated=instant()))
    assert end["reason"] == end_on(tape)["reason"]


def test_there_are_tapes_of_text_and_of_bytes() -> None:
    """Of a wire in JSON, and of one with binary audio."""
    assert {read_tape(file).header.provider for file in TAPES} >= {"twilio", "asterisk"}
