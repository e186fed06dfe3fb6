"""``gateway records deliveries`` and ``gateway records redeliver``: the outbox of the events of calls."""

import argparse
import json
import os
import secrets
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console

from gateway.cli.loop import run
from gateway.cli.records.database import records_database
from gateway.cli.starting.options import add_config_option
from gateway.cli.tables import drawn
from gateway.config import Lines, load_deployment
from gateway.errors import InputError
from gateway.logs.outlet import styled_output
from gateway.records.delivery.listing import Listed, again, calls_of, listed
from gateway.records.delivery.outbox import DEAD, DELIVERED, WAITING
from gateway.records.delivery.sending import Sender
from gateway.records.delivery.targets import Targets, targets_of
from gateway.text import json_bytes, one_line

SHOWN = 100
"""Deliveries that a list shows where no other number is given."""
TEST_EVENT = "gateway.test"
_NAMED = "the id of a delivery, the key or the provider's id of a call, or the beginning of one"


def add_deliveries(commands: Any) -> None:
    """Add ``gateway records deliveries`` to the commands."""
    parser = commands.add_parser("deliveries", help="list the events that were, or are to be, delivered")
    parser.add_argument("named", nargs="*", metavar="ID", help=_NAMED)
    add_config_option(parser)
    parser.add_argument("--state", choices=[WAITING, DELIVERED, DEAD], default="", help="those in this state alone")
    parser.add_argument("--to", metavar="RECEIVER", default="", help="those for this receiver alone")
    parser.add_argument("--limit", type=int, default=SHOWN, metavar="N", help=f"default {SHOWN}; 0 lists all")
    parser.add_argument("--json", action="store_true", help="print one JSON array, for a script")
    parser.set_defaults(run=lambda options: run(_list(options)))


def add_redeliver(commands: Any) -> None:
    """Add ``gateway records redeliver`` to the commands."""
    parser = commands.add_parser("redeliver", help="deliver events again, or try a receiver")
    parser.add_argument("named", nargs="*", metavar="ID", help=_NAMED)
    add_config_option(parser)
    parser.add_argument("--dead", action="store_true", help="of these, or of all, the events that were given up")
    parser.add_argument("--to", metavar="RECEIVER", default="", help="those for this receiver alone")
    parser.add_argument("--test", metavar="RECEIVER", help="send a test message to a receiver, by its name or its URL")
    parser.set_defaults(run=lambda options: run(_redeliver(options)))


async def _list(options: argparse.Namespace) -> int:
    deployment = load_deployment(options.config, os.environ)
    async with records_database(deployment) as database:
        rows = await listed(
            database, state=options.state, target=options.to, named=options.named, limit=max(options.limit, 0)
        )
    if options.json:
        print(json.dumps(msgspec.to_builtins(rows), indent=2))
    elif rows:
        console = Console(file=styled_output())
        head = ("event", "call", "receiver", "state", "tries", "since", "last", "id")
        console.print(drawn(head, [_cells(row) for row in rows], console))
    else:
        print("there are none")
    return 0


def _cells(row: Listed) -> tuple[str, ...]:
    since = row.created.strftime("%Y-%m-%d %H:%M:%S")
    last = one_line(row.last_error)
    return row.event, row.call_key, row.target, row.state, str(row.attempts), since, last, row.id


async def _redeliver(options: argparse.Namespace) -> int:
    deployment = load_deployment(options.config, os.environ)
    if options.test:
        return await _test(options.test, targets_of(deployment, Lines(deployment)))
    if not options.named and not options.dead:
        raise InputError("redeliver: expected an ID, --dead for all that was given up, or --test RECEIVER")
    state = DEAD if options.dead else ""
    async with records_database(deployment) as database:
        for name in options.named:
            if len(found := await calls_of(database, name)) > 1:
                raise InputError(f"{name}: names {len(found)} calls, expected more of one of their ids")
        count = await again(database, datetime.now(UTC), state=state, target=options.to, named=options.named)
    print(f"{count} {'event is' if count == 1 else 'events are'} delivered again by gateway serve")
    return 0 if count else 1


async def _test(named: str, targets: Targets) -> int:
    """Send a message without a call to a receiver, and say what it answers."""
    found = [target for target in targets.every() if named in (target.name, target.receiver.url)]
    if not found:
        known = ", ".join(target.name for target in targets.every()) or "none"
        raise InputError(f"--test: no receiver is named {named}: the configuration has {known}")
    body = json_bytes({"type": TEST_EVENT, "timestamp": datetime.now(UTC), "version": 1, "data": {}})
    async with Sender() as sender:
        outcome = await sender.send(found[0].receiver, f"msg_test_{secrets.token_hex(8)}", body)
    print(f"{found[0].name}: {outcome.detail}")
    return 0 if outcome.kind == "delivered" else 1
