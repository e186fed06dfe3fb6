import json
import sys
from pathlib import Path

import pytest

from gateway.cli import main

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
            "agent": "",
            "tools": ["transfer_call", "order_status", "crm"],
            "transfers": ["desk"],
        }
    }


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
