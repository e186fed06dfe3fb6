"""``.env``."""

import os
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.config import ConfigErrors
from gateway.config.reading.env_file import load_env_file


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The name of a file in an empty directory; what it sets is taken back."""
    monkeypatch.setenv("GATEWAY_TEST_VALUE", "")
    monkeypatch.delenv("GATEWAY_TEST_VALUE")
    monkeypatch.setenv("GATEWAY_TEST_VALUE_2", "")
    return tmp_path / ".env"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_variables_are_set_that_are_not(env: Path, encoding: str) -> None:
    """A byte order mark, which some editors write, is no part of the first name."""
    env.write_text("GATEWAY_TEST_VALUE=Grüße\n", encoding)
    load_env_file(env)
    assert os.environ["GATEWAY_TEST_VALUE"] == "Grüße"
    env.write_text("GATEWAY_TEST_VALUE=other\n")
    load_env_file(env)
    assert os.environ["GATEWAY_TEST_VALUE"] == "Grüße"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("A=1\n".encode("utf-16"), "1:1: saved as UTF-16, expected UTF-8: save it again with the encoding UTF-8"),
        ("A=1\n".encode("utf-16-le"), "1:1: saved as UTF-16, expected UTF-8: save it again with the encoding UTF-8"),
        (b"A=1\nB=caf\xe9\n", "2:6: not UTF-8: byte 0xe9, expected a file saved as UTF-8"),
        (b"A=1\nB=no zero bytes here but one: \0\n", "2:31: holds U+0000, a control character, expected text"),
    ],
)
def test_what_cannot_be_read_is_told_by_every_command(
    env: Path, data: bytes, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With file, line and column; no command shows a traceback."""
    env.write_bytes(data)
    with pytest.raises(ConfigErrors) as refused:
        load_env_file(env)
    assert str(refused.value) == f"{env}:{expected}"
    monkeypatch.chdir(env.parent)
    for command in ("check", "providers", "schema"):
        assert main([command]) == 2
        assert capsys.readouterr().err == f".env:{expected}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\n\n# b\nB: secret\n", "4:1: cannot be read, expected NAME=value"),
        ("set A=1\n", "1:1: cannot be read, expected NAME=value"),
        ("please fill this in\n", "1:1: cannot be read, expected NAME=value"),
        ('A=1\nB="secret\n', "2:1: cannot be read, expected NAME=value; is a quote opened and never closed?"),
        ("A\n", '1:1: A: has no "=", expected NAME=value'),
        ("-A=1\n", "1:1: is not the name of a variable, expected NAME=value"),
        ('$env:A="secret"\n', "1:1: is not the name of a variable, expected NAME=value"),
        ("A=secret\nB=2\n\nA=\n", "4:1: A: is set twice, first in line 1, expected it once"),
    ],
)
def test_a_line_that_sets_nothing_is_told(env: Path, text: str, expected: str) -> None:
    """It was passed over, or emptied what stood above it; what it holds may be a secret and is not shown."""
    env.write_text(text)
    with pytest.raises(ConfigErrors) as refused:
        load_env_file(env)
    assert str(refused.value) == f"{env}:{expected}"


@pytest.mark.parametrize(
    "text", ["export A=1", "A = 1", "A='x'  # c", "A=", "# A=1\nA=1", 'A="1\n2"\nB=3', "A=a b", ""]
)
def test_usual_forms_are_taken(env: Path, text: str) -> None:
    """With export, spaces, quotes, comments, several lines, and nothing."""
    env.write_text(text.replace("A", "GATEWAY_TEST_VALUE").replace("B", "GATEWAY_TEST_VALUE_2"))
    load_env_file(env)


def test_a_virtual_environment_of_that_name_is_no_mistake(env: Path) -> None:
    """Nor is it one that there is no such file."""
    load_env_file(env)
    env.mkdir()
    load_env_file(env)
