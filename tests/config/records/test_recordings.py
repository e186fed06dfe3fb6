"""``recordings`` in gateway.yaml: which stores are taken, and where their credentials come from."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.config import ConfigErrors, Deployment, load_deployment
from gateway.config.records.recordings import Recordings, kind_of
from gateway.config.secrets import value_of

CONNECTION = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"


def loaded(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Deployment:
    """Read a file with this section."""
    file = folder / "gateway.yaml"
    file.write_text(f"recordings: {text}\n" if text else "")
    return load_deployment(file, environ or {})


def refused(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the errors of a file with this section."""
    with pytest.raises(ConfigErrors) as refusal:
        loaded(folder, text, environ)
    return [str(error) for error in refusal.value.errors]


def test_by_default_recordings_stay_in_a_directory_beside_the_file(tmp_path: Path) -> None:
    """Nothing is taken from the environment then."""
    settings = loaded(tmp_path, "", {"AZURE_STORAGE_CONNECTION_STRING": CONNECTION}).recordings
    assert settings == Recordings()
    assert (settings.kind, settings.store) == ("file", "recordings")


@pytest.mark.parametrize(
    ("store", "kind"),
    [
        ("recordings", "file"),
        ("file:///var/lib/recordings", "file"),
        ("s3://my.bucket/calls/", "s3"),
        ("memory://calls", "memory"),
        ("abfss://calls@account.dfs.core.windows.net/prefix", "az"),
    ],
)
def test_a_store_is_a_directory_or_a_url(tmp_path: Path, store: str, kind: str) -> None:
    """The slash at its end is left out: names follow it."""
    settings = loaded(tmp_path, f"{{store: {store}}}").recordings
    assert settings.store == store.rstrip("/")
    assert settings.kind == kind_of(settings.store) == kind


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("AZ://calls/x", "is not an address of a store"),
        ("az://Calls/x", "does not name a container"),
        ("az://a@b/x", "does not name a container"),
        ("az://my--calls", "does not name a container"),
        ("s3://my_bucket", "does not name a bucket"),
        ("s3:///prefix", "does not name a bucket"),
        ("s3://bucket/a?x=1", "is not an address of a store"),
        ("s3://bucket/../x", "has .. in its path"),
        ("file://server/share", "does not name a directory"),
        ("file:///", "does not name a directory"),
        ("sftp://user:pass@host/x", "holds credentials"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(tmp_path: Path, store: str, told: str) -> None:
    """With the file, the line, and what was expected."""
    (error,) = refused(tmp_path, f'{{store: "{store}", account: a}}' if store[:2] == "az" else f'{{store: "{store}"}}')
    assert error.startswith(f"{tmp_path}/gateway.yaml:1:")
    assert told in error
    assert "expected" in error


def test_azure_takes_its_account_from_the_environment(tmp_path: Path) -> None:
    """By the names that Azure's tools use. A connection string wins over an account, what the file says over both."""
    store = "{store: az://calls}"
    by_string = loaded(tmp_path, store, {"AZURE_STORAGE_CONNECTION_STRING": CONNECTION, "AZURE_STORAGE_ACCOUNT": "b"})
    assert value_of(by_string.recordings.connection_string) == CONNECTION
    assert by_string.recordings.account is None
    assert by_string.recordings.secrets == (CONNECTION,)
    by_name = loaded(tmp_path, store, {"AZURE_STORAGE_ACCOUNT": "b", "AZURE_STORAGE_KEY": "a2V5a2V5"})
    assert (by_name.recordings.account, by_name.recordings.secrets) == ("b", ("a2V5a2V5",))
    written = loaded(tmp_path, "{store: az://calls, account: c}", {"AZURE_STORAGE_CONNECTION_STRING": CONNECTION})
    assert (written.recordings.account, written.recordings.connection_string) == ("c", None)


def test_azure_without_an_account_is_refused(tmp_path: Path) -> None:
    """With the names under which it is looked for."""
    (error,) = refused(tmp_path, "{store: az://calls}")
    assert "recordings.account: is not set" in error
    assert "AZURE_STORAGE_ACCOUNT" in error
    assert "AZURE_STORAGE_CONNECTION_STRING" in error


def test_both_an_account_and_a_connection_string_are_refused(tmp_path: Path) -> None:
    """Nobody can tell which of the two is meant."""
    section = "{store: az://calls, account: a, connection_string: '${STRING}'}"
    (error,) = refused(tmp_path, section, {"STRING": CONNECTION})
    assert "stands beside connection_string" in error


def test_a_secret_in_the_file_is_refused(tmp_path: Path) -> None:
    """It is not shown."""
    (error,) = refused(tmp_path, "{store: az://calls, account: a, key: c2VjcmV0}")
    assert "written into a file" in error
    assert "c2VjcmV0" not in error


@pytest.mark.parametrize(
    "section",
    [
        "{account: a}",
        "{region: eu-west-1}",
        "{endpoint_url: 'http://localhost:9000'}",
        "{store: s3://bucket, account: a}",
        "{store: memory://x, endpoint_url: 'http://localhost:9000'}",
        "{store: az://calls, account: a, region: eu-west-1}",
    ],
)
def test_a_key_that_the_store_does_not_use_is_refused(tmp_path: Path, section: str) -> None:
    """It would look as if it did something."""
    (error,) = refused(tmp_path, section)
    assert "is not used with" in error


@pytest.mark.parametrize(
    ("section", "extra"), [("{store: s3://bucket}", "s3"), ("{store: az://calls, account: a}", "azure-storage")]
)
def test_a_store_whose_extra_is_missing_is_refused(
    tmp_path: Path, section: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (error,) = refused(tmp_path, section)
    assert "recordings.store: " in error
    assert f"needs the extra {extra}" in error
    assert f"pip install 'voice-line-gateway[{extra}]'" in error


def test_other_mistakes_are_told_beside(tmp_path: Path) -> None:
    """A section that is no mapping, a key that is misspelt."""
    (error,) = refused(tmp_path, "[s3://bucket]")
    assert "recordings" in error
    (error,) = refused(tmp_path, "{stores: data}")
    assert "did you mean store" in error
