"""A configuration that works is written, and nothing that is there is touched."""

from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.init import SOURCES, starter
from gateway.config import Lines, load_deployment
from gateway.config.checks.deployment_warnings import warnings
from gateway.sim.emulator import Script
from tests.documents import ROOT


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_written_passes_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every file is there, the next commands are named, and what is left to do are the values of an account."""
    assert main(["init"]) == 0
    assert all((tmp_path / file).is_file() for file in SOURCES)
    out = capsys.readouterr().out
    assert "\n  gateway check\n  gateway serve --emulator\n" in out
    assert "cd " not in out
    deployment = load_deployment(Path("config/gateway.yaml"), {})
    assert {warning.partition(":")[0] for warning in warnings(deployment, Lines(deployment))} == {
        "public_url",
        "providers.twilio.auth_token",
        "voice_live.endpoint",
    }


def test_secrets_are_for_the_owner_and_not_for_git(tmp_path: Path) -> None:
    """``.env`` can be read by nobody else, and git leaves it and the calls alone."""
    assert main(["init"]) == 0
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert {".env", "/calls/"} <= set((tmp_path / ".gitignore").read_text("utf-8").split())


def test_another_directory_is_made_and_entered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The name is told as a shell takes it."""
    assert main(["init", "my phone/line"]) == 0
    assert (tmp_path / "my phone" / "line" / "config" / "gateway.yaml").is_file()
    assert "\n  cd 'my phone/line'\n  gateway check\n" in capsys.readouterr().out


@pytest.mark.parametrize("there", [*SOURCES])
def test_a_file_that_is_there_is_kept(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named as kept, and the others are written."""
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("# mine\n", "utf-8")
    assert main(["init"]) == 0
    assert there.read_text("utf-8") == "# mine\n"
    told = capsys.readouterr().out
    assert there.name == "support.yaml" or f"kept  {there}" in told
    assert Path(".env").exists()


def test_a_second_time_nothing_changes(tmp_path: Path) -> None:
    """Whatever was done to the files since."""
    assert main(["init"]) == 0
    for file in SOURCES:
        (tmp_path / file).write_text(f"# {file} is mine", "utf-8")
    assert main(["init"]) == 0
    assert all((tmp_path / file).read_text("utf-8") == f"# {file} is mine" for file in SOURCES)


@pytest.mark.parametrize("name", ["florist.yaml", "florist.yml"])
def test_lines_that_are_there_get_no_line_beside_them(name: str) -> None:
    """Its number might be taken by them, and then no line could be used."""
    lines = Path("config/lines")
    lines.mkdir(parents=True)
    (lines / name).write_text('numbers: ["*"]\ninstructions: Answer.\n', "utf-8")
    assert main(["init"]) == 0
    assert [file.name for file in lines.iterdir()] == [name]


def test_a_gitignore_without_the_secrets_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It is not changed, so a person must do it."""
    Path(".gitignore").write_text("*.pyc\n", "utf-8")
    assert main(["init"]) == 0
    assert ".gitignore does not name .env" in capsys.readouterr().out


@pytest.mark.parametrize("blocked", ["a file", "a file/below", "broken link"])
def test_what_is_in_the_way_is_told_in_one_line(blocked: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, no traceback."""
    Path("a file").touch()
    Path("broken link").mkdir()
    Path("broken link/.env").symlink_to("nowhere")
    assert main(["init", blocked]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert Path("broken link/.env").readlink() == Path("nowhere")


@pytest.mark.parametrize("command", ["serve", "check", "call"])
def test_a_missing_configuration_names_the_way_out(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Outside of a clone the next command is the one that writes a configuration."""
    assert main([command, *(["goodbye"] if command == "call" else [])]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "gateway init writes a configuration that works"


def test_the_starter_is_the_environment_of_the_clone_and_the_emulators_line() -> None:
    """One text for ``.env``; and a greeting that the emulator speaks with a voice."""
    with starter() as folder:
        assert (folder / "env").read_text("utf-8") == (ROOT / ".env.example").read_text("utf-8")
        (line,) = Lines(load_deployment(folder / "config" / "gateway.yaml", {}))
    assert line.settings.greeting is not None
    assert line.settings.greeting.say == Script.default().greeting
