"""``gateway records migrate``, ``purge`` and ``forget``: the tables, and what is deleted from them."""

import argparse
import json
import os
from datetime import UTC, datetime
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from gateway.addresses import read
from gateway.cli.loop import run
from gateway.cli.records.database import records_database
from gateway.cli.starting.options import add_config_option
from gateway.config import Deployment, Lines, load_deployment
from gateway.errors import InputError
from gateway.records.keeping import retention_of
from gateway.records.store.database import Database
from gateway.records.store.deleting.forgetting import Forgotten, forget
from gateway.records.store.deleting.retention import Deleted, purge
from gateway.records.storing.storage import RecordingStorage, storage_of
from gateway.records.storing.table import RecordingTable


def add_upkeep(commands: Any) -> None:
    """Add ``gateway records migrate``, ``purge`` and ``forget`` to the commands."""
    migrate = commands.add_parser("migrate", help="bring the tables to the newest version")
    add_config_option(migrate)
    migrate.set_defaults(run=lambda options: run(_migrate(options)))
    purged = commands.add_parser("purge", help="delete the calls that were kept for long enough")
    _add_options(purged)
    purged.set_defaults(run=lambda options: run(_purge(options)))
    forgotten = commands.add_parser("forget", help="delete everything about a phone number")
    forgotten.add_argument("number", metavar="NUMBER", help="a phone number, or a sip: address")
    _add_options(forgotten)
    forgotten.set_defaults(run=lambda options: run(_forget(options)))


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_config_option(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    parser.add_argument("--json", action="store_true", help="print one JSON object, for a script")


async def _migrate(options: argparse.Namespace) -> int:
    deployment = load_deployment(options.config, os.environ)
    async with records_database(deployment, is_there=False) as database:
        applied = await database.migrate()
        told = f"applied {', '.join(applied)}" if applied else "the tables are the newest"
        print(f"{database.shown}: {told}")
    return 0


async def _purge(options: argparse.Namespace) -> int:
    deployment = load_deployment(options.config, os.environ)
    retention = retention_of(deployment, Lines(deployment))
    async with records_database(deployment) as database:
        storage = _storage(deployment, database)
        done = await purge(database, retention, datetime.now(UTC), storage, dry_run=options.dry_run)
    if options.json:
        print(json.dumps(msgspec.to_builtins(done)))
    else:
        print(f"{_deleted(options)} {_counted(done)}")
        _tell_left(done.left)
    return 1 if done.left else 0


async def _forget(options: argparse.Namespace) -> int:
    deployment = load_deployment(options.config, os.environ)
    number = read(options.number, _region(deployment))
    for line in Lines(deployment):
        if number in line.settings.numbers:
            raise InputError(f"{number} is a number of the line {line.name}: all of its calls would be deleted")
    async with records_database(deployment) as database:
        storage = _storage(deployment, database)
        done = await forget(
            database, deployment.data, options.number, _region(deployment), storage, dry_run=options.dry_run
        )
    if options.json:
        print(json.dumps({**msgspec.to_builtins(done), "complete": done.is_complete}))
    else:
        _tell_forgotten(options, done)
    return 0 if done.is_complete else 1


def _tell_forgotten(options: argparse.Namespace, done: Forgotten) -> None:
    mentions = f"{_plural(done.mentions, 'row')} of other calls in which the number stood"
    print(f"{_deleted(options)} {_counted(done)}; {'would change' if options.dry_run else 'changed'} {mentions}")
    _tell_left(done.left)
    if done.running:
        print(f"{_plural(done.running, 'call')} of this number still running: run this again once they are over")
    if done.waiting:
        print("gateway serve has rows that wait for the database: run this again once they are written")


def _deleted(options: argparse.Namespace) -> str:
    return "would delete" if options.dry_run else "deleted"


def _counted(done: Deleted | Forgotten) -> str:
    return f"{_plural(done.calls, 'call')} and {_plural(done.recordings, 'recording')}"


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _tell_left(left: int) -> None:
    if left:
        print(f"{_plural(left, 'call')} left: the recordings cannot be deleted now (gateway doctor tries their store)")


def _region(deployment: Deployment) -> str:
    """Return the country by whose rules a number without a country code is read, if the providers name one alone."""
    regions = {section.region for section in deployment.providers.accounts.values() if section.region}
    return regions.pop() if len(regions) == 1 else ""


def _storage(deployment: Deployment, database: Database) -> RecordingStorage:
    rows = RecordingTable(database)
    return storage_of(deployment.recordings, deployment.data, rows, CollectorRegistry())
