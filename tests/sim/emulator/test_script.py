from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.sim.emulator import Script, load_script
from gateway.sim.emulator.faults import Cut, Extra, Faults, HandshakeFault
from gateway.sim.emulator.refusing.rules import MODELS
from gateway.sim.emulator.script import Latency, McpCall, McpServer, Turn
from gateway.sim.prompts import bot_prompts


def write(folder: Path, text: str) -> Path:
    """A script file."""
    path = folder / "script.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_line_of_the_default_dialogue_is_recorded() -> None:
    """The default dialogue needs no synthesiser."""
    script = Script.default()
    asked = (script.greeting, script.unprompted, script.instructed, script.default_after_call)
    said = [*asked, *(turn.say for turn in script.turns)]
    assert set(said) <= bot_prompts().keys()


def test_a_script_in_full(tmp_path: Path) -> None:
    """Words, calls, knobs and faults are read from YAML."""
    script = load_script(
        write(
            tmp_path,
            """
greeting: Hello.
turns:
  - heard: Where is it?
    say: Let me look.
    call: {name: lookup, arguments: {number: "42"}}
    after_call: On its way.
  - calls: [{name: a}, {name: b, arguments: "{broken"}]
at_the_end: repeat
pace: 50
latency_ms: {update: 0}
faults:
  cut: {at: response.audio.delta, nth: 2, code: 4000, reason: gone}
""",
        )
    )
    assert [call.name for call in script.turns[1].all_calls] == ["a", "b"]
    assert script.turns[0].next_answer is not None
    assert script.turns[0].next_answer.say == "On its way."
    assert script.faults.cut is not None
    assert script.faults.cut.code == 4000
    assert (script.pace, script.latency_ms.update, script.latency_ms.transcription) == (50, 0, 150)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("turns:\n  - say: [\n", 2, 10, "never closed"),
        ("turns:\n  - say: a\x01b\n", 2, 11, "U+0001"),
        ('turns: [{say: "\\ud83d"}]\n', 0, 0, "U+D83D, which is half of a character"),
        ("turns:\n  - sya: Hello\n", 2, 5, "did you mean 'say'?"),
        ("turns:\n  - say: Hello\n    say: Again\n", 3, 5, "duplicate key"),
        ("turns:\n  - heard: Hello\n", 2, 5, "give say, call, calls or mcp"),
        ("turns:\n  - say: Hello\n    after_call: x\n", 2, 5, "after_call needs a call before it"),
        ("turns: []\n", 1, 1, "at least 1 item"),
        ("greeting: Hello\n", 1, 1, "'turns' is missing"),
        ("turns: [{say: a}]\npace: 0\n", 2, 1, "greater than 0"),
        ("turns: [{say: a}]\nfaults:\n  cut: {code: 1000}\n", 3, 3, "give either after_s or at"),
        ("turns: [{say: a}]\nfaults:\n  handshake: {status: 200}\n", 3, 15, "greater than or equal to 300"),
        ("turns: [{say: a}]\nrefuse:\n  updates: [{membr: x}]\n", 3, 14, "did you mean 'member'?"),
        ("turns: [{say: a}]\nrefuse:\n  updates: [{how: named}]\n", 3, 13, "how: named needs a member"),
        ("- just\n- a list\n", 1, 1, "expected a mapping"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, line: int, column: int, message: str) -> None:
    """A script that cannot be used names file, line, column and what was expected."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_script(path)
    assert (caught.value.file, caught.value.line, caught.value.column) == (str(path), line, column)
    assert message in caught.value.message


def test_pairs_of_surrogates_are_joined(tmp_path: Path) -> None:
    """A script may be JSON that a program wrote."""
    assert load_script(write(tmp_path, '{"turns": [{"say": "\\ud83d\\ude00"}]}')).turns[0].say == "\U0001f600"


def test_another_encoding_is_named(tmp_path: Path) -> None:
    """As with every file that people write."""
    path = tmp_path / "script.yaml"
    path.write_bytes("turns: [{say: a}]\n".encode("utf-16"))
    with pytest.raises(ConfigError, match=r"saved as UTF-16, expected UTF-8"):
        load_script(path)


def test_a_missing_file_is_an_operators_mistake(tmp_path: Path) -> None:
    """A path without a file is a ConfigError that names it."""
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        load_script(tmp_path / "nowhere.yaml")


def test_the_documentation_shows_scripts_that_work(tmp_path: Path) -> None:
    """All YAML examples of ``docs/emulator.md`` are scripts."""
    page = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")
    dialogue, mcp, faults, refusals = (block.partition("```")[0] for block in page.split("```yaml\n")[1:])
    assert len(load_script(write(tmp_path, dialogue)).turns) == 3
    assert load_script(write(tmp_path, mcp)).mcp_tools("billing") == ["balance"]
    assert load_script(write(tmp_path, "turns: [{say: a}]\n" + faults)).faults.expire_after_s == 60
    refusing = load_script(write(tmp_path, "turns: [{say: a}]\n" + refusals))
    assert {rule.how for rule in refusing.refuse.updates} == {"named", "in_text", "invalid_message", "unnamed", "close"}


def test_the_documentation_names_every_key() -> None:
    """No key of a script, and no default of the table, is missing or wrong on the page."""
    page = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")
    for model in (Script, Turn, McpCall, McpServer, Faults, HandshakeFault, Cut, Extra, *MODELS):
        assert [name for name in model.model_fields if name not in page] == []
    for name, field in Latency.model_fields.items():
        assert f"| `latency_ms.{name}` | {field.default} |" in page
    for name in (
        "pace",
        "burst",
        "late_deltas",
        "done_events_on_cancel",
        "strict",
        "vad",
        "transcription",
        "overlapped",
    ):
        assert f"| `{name}` | {str(Script.model_fields[name].default).lower()} |" in page
