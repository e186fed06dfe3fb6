import json
import sys
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.check import MOST_IN_FULL

LINE = """
numbers: ["*"]
instructions: Answer.
model: gpt-4.1
transfers: {desk: "+14255550199"}
tools:
  - transfer_call
  - {name: order_status, description: Looks., http: {url: "https://a.b/"}}
  - {mcp: {server_label: crm, server_url: "https://a.b/", require_approval: never}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A deployment with one line."""
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "sales.yaml").write_text(LINE)
    (tmp_path / "gateway.yaml").write_text("")
    return tmp_path / "gateway.yaml"


def test_a_script_is_told_what_each_line_can_do(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tools by the names that the model and the record of a call use."""
    assert main(["check", "--config", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == {
        "sales": {
            "numbers": ["*"],
            "model": "gpt-4.1",
            "fallback_models": [],
            "agent": "",
            "tools": ["transfer_call", "order_status", "crm"],
            "transfers": ["desk"],
            "after": {"say": "", "transfer": ""},
            "on_failure": {"say": "", "transfer": ""},
            "on_shutdown": {"say": "", "transfer": ""},
            "when_full": None,
        }
    }


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_a_pipeline_can_stop_at_a_warning(
    config: Path, capsys: pytest.CaptureFixture[str], json_too: list[str]
) -> None:
    """The configuration can be used, and is not what somebody wants to run."""
    assert main(["check", "--config", str(config), *json_too]) == 0
    assert main(["check", "--config", str(config), "--strict", *json_too]) == 1
    assert "neither on_failure nor after is set" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('streams: {auth: "off"}\n', "streams.auth: off, while 0.0.0.0 lets others in"),
        ("public_url: http://voice.example.com\n", "public_url: is not encrypted"),
        ("streams: {key: '${LETTER}'}\n", "streams.key: has 1 character, so that it can be guessed"),
    ],
)
def test_what_lets_anybody_in_is_an_error(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    """It is told with the file, and the command ends with 2."""
    monkeypatch.setenv("LETTER", "k")
    config.write_text(text)
    assert main(["check", "--config", str(config)]) == 2
    assert f"{config}: {says}" in capsys.readouterr().err


def test_a_file_that_is_passed_over_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its ending is not the one that lines have; the others are fine all the same."""
    (config.parent / "lines" / "florist.yml").write_text(LINE)
    assert main(["check", "--config", str(config)]) == 0
    told = f"{config.parent}/lines/florist.yml: is not read, expected a name that ends with .yaml (lines: lines/*.yaml)"
    assert f"warning: {told}\n" in capsys.readouterr().out
    assert main(["check", "--config", str(config), "--json"]) == 0
    assert told in json.loads(capsys.readouterr().out)["warnings"]


def test_a_module_that_cannot_be_imported_is_one_line(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the file and the key that names it, and no traceback."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (config.parent / "broken_shop.py").write_text("raise RuntimeError('no database')")
    file = config.parent / "lines" / "sales.yaml"
    file.write_text('numbers: ["*"]\ninstructions: Answer.\ntools: [{python: "broken_shop:status"}]\n')
    assert main(["check", "--config", str(config)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith(
        f"{file}:3:10: tools[0].python: broken_shop:status cannot be imported: RuntimeError: no database\n"
    )


def test_one_line_file_is_checked(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the model of gateway.yaml, and nothing else of it: other lines may be wrong."""
    config.write_text("voice_live: {model: gpt-4o}\n")
    (config.parent / "lines" / "broken.yaml").write_text("numbers: 5")
    draft = config.parent / "draft.yaml"
    draft.write_text('numbers: ["+14255550101"]\ninstructions: Answer.\nafter: {say: Goodbye.}\n')
    assert main(["check", "--config", str(config), str(draft)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("draft: +14255550101\n  model      gpt-4o ")
    assert "  after      says 'Goodbye.', then the call ends\n" in told
    assert told.endswith(f"{draft}: fine\n")


def test_many_lines_are_a_row_each(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of their names, with what tells more; a few, and those that are asked for, are told in full."""
    for number in range(MOST_IN_FULL - 1):
        line = LINE.replace('"*"', f'"+1425555010{number}"')
        (config.parent / "lines" / f"desk{number}.yaml").write_text(line)
    assert main(["check", "--config", str(config)]) == 0
    assert capsys.readouterr().out.count("  model      gpt-4.1 ") == MOST_IN_FULL
    (config.parent / "lines" / "zoo.yaml").write_text(LINE.replace('"*"', '"+14255550199", "+14255550198"'))
    assert main(["check", "--config", str(config)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("desk0: +14255550100\ndesk1: +14255550101\n")
    assert "\nsales: any other number\nzoo: +14255550199, +14255550198\nwhat each will do: --verbose; " in told
    assert "  model  " not in told
    assert told.endswith(f"{config}: fine, {MOST_IN_FULL + 1} lines\n")
    assert main(["check", "--config", str(config), "--verbose"]) == 0
    assert capsys.readouterr().out.count("  model      gpt-4.1 ") == MOST_IN_FULL + 1


def test_a_line_file_is_checked_where_there_is_no_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the defaults of one."""
    monkeypatch.delenv("VOICE_LIVE_MODEL", raising=False)
    draft = tmp_path / "draft.yaml"
    draft.write_text('numbers: ["+14255550101"]\ninstructions: Answer.\n')
    assert main(["check", "--config", str(tmp_path / "none.yaml"), str(draft)]) == 0
    assert "gpt-realtime" in capsys.readouterr().out


def test_what_is_wrong_with_a_line_file_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By file, line and column; as JSON too."""
    draft = config.parent / "draft.yaml"
    draft.write_text('numbers: ["+14255550101"]\ninstructions: Answer.\ngretting: Hi.\n')
    assert main(["check", "--config", str(config), str(draft)]) == 2
    assert capsys.readouterr().err == f"{draft}:3:1: gretting: unknown key, did you mean greeting?\n"
    assert main(["check", "--config", str(config), "--json", str(draft)]) == 2
    told = json.loads(capsys.readouterr().out)
    assert [(error["line"], error["key"]) for error in told["errors"]] == [(3, "gretting")]
    assert told["lines"] == {}


def test_a_gateway_yaml_is_checked_with_its_lines(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever its name is: its keys tell."""
    other = config.parent / "staging.yaml"
    other.write_text("providers: {twilio: {}}\n")
    assert main(["check", str(other)]) == 0
    assert capsys.readouterr().out.endswith(f"{other}: fine, 1 line\n")


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not as a traceback."""
    assert main(["check", str(tmp_path / "nothing.yaml")]) == 2
    assert "nothing.yaml: cannot be read: No such file or directory" in capsys.readouterr().err


def test_a_providers_unusable_key_is_an_error(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway would not start with it."""
    monkeypatch.setenv("VONAGE_PRIVATE_KEY", "not a key")
    config.write_text("providers: {vonage: {application_id: a}}\n")
    assert main(["check", "--config", str(config), "--json"]) == 2
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["key"] == "providers.vonage.private_key"
