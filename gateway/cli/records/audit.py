"""``gateway records audit``: who heard, read, ended and transferred what in the console."""

import argparse
import json
import os
from typing import Any

import msgspec
from rich.console import Console

from gateway.cli.loop import run
from gateway.cli.records.database import records_database
from gateway.cli.starting.options import add_config_option
from gateway.cli.tables import drawn
from gateway.config import load_deployment
from gateway.errors import InputError
from gateway.logs.outlet import styled_output
from gateway.records.audit import AuditRow, entries
from gateway.text import one_line

SHOWN = 100


def add_audit(commands: Any) -> None:
    """Add ``gateway records audit`` to the commands."""
    parser = commands.add_parser("audit", help="list who heard, read, ended and transferred what in the console")
    add_config_option(parser)
    parser.add_argument("--call", metavar="CALL", default="", help="of this call alone, by its key in the records")
    parser.add_argument("--limit", type=int, default=SHOWN, metavar="N", help=f"most entries (default {SHOWN})")
    parser.add_argument("--json", action="store_true", help="print one JSON array, for a script")
    parser.set_defaults(run=lambda options: run(_list(options)))


async def _list(options: argparse.Namespace) -> int:
    if options.limit < 1:
        raise InputError(f"--limit: {options.limit}, expected 1 or more")
    deployment = load_deployment(options.config, os.environ)
    async with records_database(deployment) as database:
        rows = await entries(database, options.limit, call=options.call)
    if options.json:
        print(json.dumps(msgspec.to_builtins(rows), indent=2))
    elif rows:
        console = Console(file=styled_output())
        head = ("when (UTC)", "who", "from", "what", "call", "more")
        console.print(drawn(head, [_cells(row) for row in rows], console))
    else:
        print("there are none")
    return 0


def _cells(row: AuditRow) -> list[str]:
    when = row.at.strftime("%Y-%m-%d %H:%M:%S")
    return [when, *map(one_line, (row.who, row.address, row.act.replace("_", " "), row.call, row.detail))]
