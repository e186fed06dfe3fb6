"""``records``, of the deployment and of a line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigErrors, Deployment, load_deployment
from gateway.config.line_file import LineFile
from gateway.config.records.records import LineRecords
from gateway.config.secrets import secrets_within

ReadLine = Callable[..., LineFile]


def read(folder: Path, text: str, **environ: str) -> Deployment:
    """Read a ``gateway.yaml``."""
    file = folder / "gateway.yaml"
    file.write_text(text, "utf-8")
    return load_deployment(file, environ)


def test_records_are_kept_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    """With words, masked numbers, and for ninety days."""
    deployment = read(tmp_path, "")
    assert deployment.database == f"sqlite:///{tmp_path}/data/calls.db"
    assert deployment.data == tmp_path / "data"
    records = deployment.records
    assert (records.enabled, records.words, records.numbers, records.keep_days) == (True, True, "masked", 90)


@pytest.mark.parametrize(("value", "enabled"), [("false", False), ("true", True), ("{enabled: false}", False)])
def test_records_are_a_switch(tmp_path: Path, value: str, enabled: bool) -> None:
    """``false`` keeps none."""
    assert read(tmp_path, f"records: {value}").records.enabled is enabled


def test_a_database_may_be_elsewhere(tmp_path: Path) -> None:
    """A file's path begins at ``gateway.yaml``; the URL of a server is taken as it is, and is a secret."""
    assert read(tmp_path, "records: {url: 'sqlite:///x.db'}").database == f"sqlite:///{tmp_path}/x.db"
    assert read(tmp_path, "records: {url: 'sqlite:////x.db'}").database == "sqlite:////x.db"
    assert read(tmp_path, "records: {url: 'postgres://me@host/calls'}").database == "postgres://me@host/calls"
    deployment = read(tmp_path, "records: {url: '${DB}'}", DB="postgresql://me:secret@host/calls")
    assert deployment.database == "postgresql://me:secret@host/calls"
    assert "postgresql://me:secret@host/calls" in secrets_within(deployment)
    assert "secret@" not in repr(deployment)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{url: 'postgresql://me:secret@host/calls'}", "records.url: has a password written into a file"),
        ("{url: 'postgresql://host/calls?user=me&password=secret'}", "records.url: has a password written into a file"),
        ("{url: 'mysql://host/calls'}", "records.url: is no database, expected such as sqlite:///data/calls.db"),
        ("{url: calls.db}", "records.url: is no database"),
        ("{numbers: hidden}", "records.numbers: "),
        ("{keep_days: 0}", "records.keep_days: "),
        ("{keep_days: never}", "records.keep_days: "),
        ("{keepdays: 3}", "did you mean keep_days?"),
        ("off-and-on", "records: "),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, said: str) -> None:
    """With their place; the password is not shown."""
    with pytest.raises(ConfigErrors) as caught:
        read(tmp_path, f"records: {text}\n")
    assert said in str(caught.value)
    assert "secret@" not in str(caught.value)
    assert "=secret" not in str(caught.value)


def test_a_line_is_kept_for_its_own_time(tmp_path: Path, read_line: ReadLine) -> None:
    """Or for that of all lines."""
    line = read_line("records: {keep_days: 7}\n").line
    assert line is not None
    assert line.settings.records.days(90) == 7
    assert LineRecords().days(90) == 90
    assert LineRecords(keep_days="forever").days(90) == "forever"
    assert read(tmp_path, "records: {keep_days: forever}").records.keep_days == "forever"
