"""What the emulator claims to have heard."""

import re
from pathlib import Path

import pytest

from gateway.cli.calling.caller_words import found, script_of
from gateway.cli.starting.commands import command_line
from gateway.config import Lines, load_deployment
from gateway.errors import RecordingError
from gateway.sim.caller.keys import parse_press
from gateway.sim.emulator import Script
from gateway.sim.emulator.script import Turn
from gateway.sim.prompts import caller_prompt, caller_prompts, words_of
from tests.e2e.rig import LINE, configuration


def script_for(tmp_path: Path, *words: str, line: str = LINE) -> Script | None:
    """The emulator's script of ``gateway call`` with these words."""
    deployment = load_deployment(configuration(tmp_path, {"support": line}), {})
    (support,) = Lines(deployment)
    options = command_line().parse_args(["call", *words])
    presses = [parse_press(text) for text in options.press]
    return script_of(options.script, deployment, support, [found(path) for path in options.recordings], presses)


def heard(script: Script | None) -> list[str | None]:
    """What the caller is said to have said."""
    assert script is not None
    return [turn.heard for turn in script.turns if turn.heard]


def test_our_own_recordings_are_known_by_their_content(tmp_path: Path) -> None:
    """In the order in which they are played, by name or as a copy under any name."""
    copy = tmp_path / "mine.wav"
    goodbye = caller_prompt("goodbye")
    assert goodbye is not None
    copy.write_bytes(goodbye.path.read_bytes())
    script = script_for(tmp_path, str(copy), "order_status")
    assert heard(script) == ["No, that is all. Thank you, goodbye.", "Hi. I would like to know where my order is."]
    assert script is not None
    assert script.turns[0].say == "You are welcome. Goodbye."


@pytest.mark.parametrize("recording", [prompt.path.stem for prompt in caller_prompts()])
def test_no_recording_is_taken_for_another(tmp_path: Path, recording: str) -> None:
    """Whichever is played, the transcript is its own."""
    prompt = caller_prompt(recording)
    assert prompt is not None
    assert heard(script_for(tmp_path, recording)) == [prompt.text]


@pytest.mark.parametrize(
    "words",
    [
        ("FOREIGN",),
        ("order_status", "FOREIGN"),
        ("FOREIGN", "order_status"),
        ("order_status", "--press", "1@2"),
        ("--press", "1"),
    ],
)
def test_nobody_is_said_to_have_said_what_nobody_knows(tmp_path: Path, words: tuple[str, ...]) -> None:
    """One recording of somebody else's may be several turns, and a key in the middle may be one."""
    foreign = tmp_path / "foreign.wav"
    goodbye = caller_prompt("goodbye")
    assert goodbye is not None
    foreign.write_bytes(goodbye.path.read_bytes() + b"\0")
    script = script_for(tmp_path, *(str(foreign) if word == "FOREIGN" else word for word in words))
    assert heard(script) == []
    assert script is not None
    assert script.transcription == "never"
    assert "order" not in "".join(turn.say or "" for turn in script.turns)


def test_a_line_that_waits_for_a_key_has_turns_of_its_own(tmp_path: Path) -> None:
    """Without turn detection a recording is no turn."""
    assert heard(script_for(tmp_path, "goodbye", line=LINE + 'turn_detection: none\ncommit_on: "#"\n')) == []


def test_who_brings_a_script_says_what_is_heard(tmp_path: Path) -> None:
    """Whatever is played."""
    file = tmp_path / "script.yaml"
    file.write_text("turns: [{heard: Mine., say: Yours.}]", "utf-8")
    assert heard(script_for(tmp_path, "goodbye", "--script", str(file))) == ["Mine."]


def test_the_emulator_for_anyone_claims_nothing() -> None:
    """``gateway emulator`` and ``serve --emulator`` do not know who calls; they say what the demo's bot says."""
    assert not any(turn.heard for turn in Script.for_anyone().turns)
    assert [turn.say for turn in Script.for_anyone().turns] == [turn.say for turn in Script.default().turns]


def test_the_default_dialogue_is_that_of_the_recordings() -> None:
    """Each of its words of the caller is recorded, so that ``words_of`` and the script agree."""
    recorded = {words_of(prompt.path.read_bytes()) for prompt in caller_prompts()}
    assert {turn.heard for turn in Script.default().turns if turn.heard} <= recorded
    assert isinstance(Script.answering(["x"]).turns[0], Turn)


@pytest.mark.parametrize(
    ("typed", "told"), [("ordr_status", "did you mean order_status?"), ("x", "expected order_status, change_del")]
)
def test_a_recording_that_is_not_there_names_those_that_are(typed: str, told: str) -> None:
    """A name may be mistyped; what is written as a file is told as one."""
    assert found(Path("x.wav")) == Path("x.wav")
    with pytest.raises(RecordingError, match=re.escape(told)):
        found(Path(typed))
