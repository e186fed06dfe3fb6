"""The store that a deployment wants."""

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.call.ending import EndReason
from gateway.call.notes import CallEnded
from gateway.call.record import CallIdentity, TimedNote
from gateway.records.keeping import keeping_of, record_store, recording_storage, retention_of, store_settings
from gateway.records.rows import CallRow, EventRow
from gateway.records.store.deleting.retention import Retention
from tests.e2e.rig import GATEWAY, LINE, configuration, load


def test_its_settings_are_those_of_the_deployment(tmp_path: Path) -> None:
    """Each key, and paths beside ``gateway.yaml``."""
    text = "records: {directory: d, words: false, numbers: none, migrate: false, spool_mb: 2, queue: 300}\n"
    settings = store_settings(load(configuration(tmp_path, gateway=GATEWAY + text))[0])
    assert settings.data == tmp_path / "d"
    assert settings.url == f"sqlite:///{tmp_path}/d/calls.db"
    assert (settings.words, settings.numbers, settings.migrates) == (False, "none", False)
    assert (settings.spool_bytes, settings.queue) == (2 << 20, 300)


async def test_it_keeps_no_secret_of_the_deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the file, of a line, or of the environment."""
    monkeypatch.setenv("SOME_API_KEY", "key-of-the-environment")
    gateway = "providers: {twilio: {auth_token: '${TOKEN}'}}\n"
    deployment, lines = load(configuration(tmp_path, gateway=gateway), {"TOKEN": "token-of-twilio"})
    store = record_store(deployment, lines, CollectorRegistry(), lambda: 0.0)
    assert store is not None
    detail = "not token-of-twilio, not key-of-the-environment"
    store.intake.put(EventRow(call_key="k", n=0, at_ms=0, kind="service_error", fields={"detail": detail}))
    (row,) = await store.intake.rows()
    assert isinstance(row, EventRow)
    assert row.fields == {"detail": "not …, not …"}


def test_no_records_are_no_store(tmp_path: Path) -> None:
    """``records: false``: no file is made."""
    deployment, lines = load(configuration(tmp_path, gateway=GATEWAY + "records: false\n"))
    assert record_store(deployment, lines, CollectorRegistry(), lambda: 0.0) is None
    assert not (tmp_path / "data").exists()


def test_calls_are_kept_as_their_lines_say(tmp_path: Path) -> None:
    """Each line's own time, or that of all; so it is for lines that are no more."""
    file = configuration(tmp_path, {"a": LINE, "b": LINE.replace("0100", "0101") + "records: {keep_days: 7}\n"})
    deployment, lines = load(file)
    assert retention_of(deployment, lines) == Retention(90, {"a": 90, "b": 7})
    store = record_store(deployment, lines, CollectorRegistry(), lambda: 0.0)
    assert store is not None
    assert store.retention is not None
    assert store.retention() == Retention(90, {"a": 90, "b": 7})


async def test_a_call_has_its_cost(tmp_path: Path) -> None:
    """By the prices of the deployment; an account under a name of its own has its provider's."""
    gateway = (
        "prices: {currency: EUR, providers: {twilio: {per_minute: 0.01}}}\nproviders: {mine: {provider: twilio}}\n"
    )
    deployment, lines = load(configuration(tmp_path, gateway=gateway))
    store = record_store(deployment, lines, CollectorRegistry(), lambda: 0.0)
    assert store is not None
    identity = CallIdentity("CA1", "mine", "support", "", "", "pcmu", 0.0)
    end = CallEnded(EndReason.CALLER_HUNG_UP, "caller", "", "mine", 61.0, 1)
    store.intake.observe(identity, TimedNote(61.0, end))
    (row,) = (row for row in await store.intake.rows() if isinstance(row, CallRow))
    assert (row.cost_nanos, row.currency) == (20_000_000, "EUR")


def test_recordings_go_with_the_calls_of_a_deployment(tmp_path: Path) -> None:
    """What deletes calls knows where their recordings are."""
    deployment, lines = load(configuration(tmp_path))
    store = record_store(deployment, lines, CollectorRegistry(), lambda: 0.0)
    assert store is not None
    assert recording_storage(deployment, store, CollectorRegistry()) is store.files


@pytest.mark.parametrize(
    ("gateway", "line", "days"),
    [
        ("", "recording: true", 90),
        ("", "recording: {keep_days: 7}", 7),
        ("recordings: {keep_days: 30}\n", "recording: true", 30),
        ("recordings: {keep_days: 30}\n", "recording: {keep_days: forever}", 90),
        ("records: {keep_days: 5}\nrecordings: {keep_days: 30}\n", "recording: true", 5),
        ("records: {keep_days: forever}\n", "recording: {keep_days: forever}", None),
    ],
)
def test_a_recording_is_kept_no_longer_than_its_record(
    tmp_path: Path, gateway: str, line: str, days: int | None
) -> None:
    """As the line says, else the deployment."""
    deployment, lines = load(configuration(tmp_path, {"support": f"{LINE}{line}\n"}, GATEWAY + gateway))
    store = record_store(deployment, lines, CollectorRegistry(), lambda: 0.0)
    assert store is not None
    storage = recording_storage(deployment, store, CollectorRegistry())
    assert store.files is storage
    identity = CallIdentity("CA1", "twilio", "support", "", "", "pcmu/8000", 0.0)
    about = keeping_of(deployment, store, storage).about(identity, next(iter(lines)))
    assert about.call_key == store.intake.key_of(identity)
    assert about.keep_until == (about.started + timedelta(days=days) if days else None)
