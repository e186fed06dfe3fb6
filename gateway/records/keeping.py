"""Makes the store of a process and the storage of its recordings, as the deployment wants them."""

import os
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

from gateway.config import Deployment, Line, Lines
from gateway.config.secrets import secrets_within
from gateway.logs.redaction import Redactor, secrets_in
from gateway.records.costing import Costing, pricing_of
from gateway.records.delivery.targets import targets_of
from gateway.records.recording.places import Keeping
from gateway.records.store.deleting.retention import Retention
from gateway.records.store.store import RecordStore, StoreSettings
from gateway.records.storing.storage import RecordingStorage, storage_of
from gateway.records.storing.table import RecordingTable


def store_settings(deployment: Deployment) -> StoreSettings:
    """Return the settings of the store."""
    records = deployment.records
    return StoreSettings(
        data=deployment.data,
        url=deployment.database,
        migrates=records.migrate,
        words=records.words,
        numbers=records.numbers,
        spool_bytes=records.spool_mb << 20,
        queue=records.queue,
    )


def record_store(
    deployment: Deployment, lines: Lines, registry: CollectorRegistry, clock: Callable[[], float]
) -> RecordStore | None:
    """Return the store for the calls of these lines; ``None`` where no records are wanted.

    Raises ``GatewayError`` where what the database needs is not installed.
    """
    if not deployment.records.enabled:
        return None
    secrets = {*secrets_within([deployment, *(line.settings for line in lines)]), *secrets_in(os.environ)}
    store = RecordStore(
        store_settings(deployment),
        registry,
        clock=clock,
        redactor=Redactor(secrets),
        targets=targets_of(deployment, lines),
        priced=Costing(pricing_of(deployment), registry, [line.name for line in lines]),
    )
    store.retention = lambda: retention_of(deployment, lines)
    return store


def retention_of(deployment: Deployment, lines: Iterable[Line]) -> Retention:
    """Return how long the calls of these lines are kept, and those of lines that are no more."""
    days = deployment.records.keep_days
    return Retention(days, {line.name: line.settings.records.days(days) for line in lines})


def recording_storage(deployment: Deployment, store: RecordStore, registry: CollectorRegistry) -> RecordingStorage:
    """Return the storage of recordings, whose rows are in the store. Raises ``GatewayError`` as the store does.

    The store has recordings deleted there, with the calls that were kept for long enough.
    """
    rows = RecordingTable(store.database, store.deliveries.of_recording)
    storage = storage_of(deployment.recordings, deployment.data, rows, registry)
    store.files = storage
    store.deliveries.link_with(storage.link)
    return storage


def keeping_of(deployment: Deployment, store: RecordStore, storage: RecordingStorage) -> Keeping:
    """Return how the calls of a process are recorded: where, under which keys, and for how long."""

    def until(line: Line, began: datetime) -> datetime | None:
        rule = line.settings.recording
        own = rule.keep_days if rule is not None else None
        days = own or deployment.recordings.keep_days, line.settings.records.days(deployment.records.keep_days)
        counted = [number for number in days if isinstance(number, int)]
        return began + timedelta(days=min(counted)) if counted else None

    return Keeping(storage, store.intake.key_of, store.intake.put, until)
