"""The environment of a command, and what ``.env`` adds."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.starting.environ import Environment, strip_for_azure
from gateway.config.reading.problems import ConfigErrors


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Leave the environment as it was."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    yield
    Environment().restore(before)


def test_what_env_says_now_counts_when_it_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is changed or gone there is changed or gone; one that the process was given stays."""
    monkeypatch.setenv("GIVEN", "by the process")
    environment = Environment()
    Path(".env").write_text("GIVEN=by the file\nCHANGED=1\nGONE=1\n", "utf-8")
    environment.read()
    assert (os.environ["GIVEN"], os.environ["CHANGED"], os.environ["GONE"]) == ("by the process", "1", "1")
    Path(".env").write_text("CHANGED=2\n", "utf-8")
    environment.read()
    assert (os.environ["GIVEN"], os.environ["CHANGED"], os.environ.get("GONE")) == ("by the process", "2", None)


def test_a_file_that_cannot_be_read_changes_nothing() -> None:
    """The variables stay those that were read before."""
    environment = Environment()
    Path(".env").write_text("KEPT=1\n", "utf-8")
    environment.read()
    before = dict(os.environ)
    Path(".env").write_text("no variable\n", "utf-8")
    with pytest.raises(ConfigErrors):
        environment.read()
    assert dict(os.environ) == before


def test_the_variables_of_microsofts_library_lose_their_line_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mounted secrets end in one."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cret\n")
    strip_for_azure()
    assert os.environ["AZURE_CLIENT_SECRET"] == "s3cret"
