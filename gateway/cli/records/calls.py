"""``gateway calls``: lists, shows and exports the calls that were, and adds up what they have cost."""

import argparse
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.cli.loop import run
from gateway.cli.records.asked import add_filters, database_of, wanted
from gateway.cli.records.exported import as_json, csv_lines, listed, whole
from gateway.cli.records.shown import print_call, print_calls, print_costs, short
from gateway.cli.starting.options import add_config_option
from gateway.config import Deployment, load_deployment
from gateway.config.records.prices import LIST_PRICES, Prices, read_prices
from gateway.errors import GatewayError, InputError
from gateway.records.call_folder import is_folder, read_folder
from gateway.records.costing import pricing_of
from gateway.records.pricing import Pricing, decimal_text
from gateway.records.search import cost_by, every_call, find_calls, read_call
from gateway.records.store.database import Database
from gateway.records.store.failures import AWAY
from gateway.records.stored_call import StoredCall
from gateway.records.wanted import Wanted

LIMIT = 50
DOES = ("list", "show", "export", "cost")


def add_calls(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway calls``."""
    parser.add_argument("do", nargs="?", choices=DOES, default="list", help="what to do (default list)")
    parser.add_argument("call", nargs="?", metavar="CALL", help="show: its key, the provider's id, a part, or a folder")
    add_config_option(parser)
    add_filters(parser)
    parser.add_argument("--limit", type=int, default=LIMIT, metavar="N", help=f"list: most calls (default {LIMIT})")
    parser.add_argument("--before", metavar="CALL", default="", help="list: the calls before this one, for a next page")
    parser.add_argument("--by", choices=["line", "day"], default="line", help="cost: for each of these (default line)")
    parser.add_argument("--format", choices=["jsonl", "csv"], default="jsonl", help="export: as this (default jsonl)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=lambda options: run(_calls(options)))


async def _calls(options: argparse.Namespace) -> int:
    if (options.do == "show") != (options.call is not None):
        expected = "expected gateway calls show CALL" if options.do == "show" else f"{options.do} takes no CALL"
        raise InputError(f"{options.call or 'show'}: {expected}")
    if options.limit < 1:
        raise InputError(f"--limit: {options.limit}, expected 1 or more")
    if options.do == "show" and is_folder(options.call):
        _show(options, read_folder(Path(options.call), _pricing(options)))
        return 0
    deployment = load_deployment(options.config, os.environ)
    async with database_of(deployment) as database:
        try:
            await database.check()
            await _DO[options.do](options, deployment, database)
        except AWAY as error:
            raise GatewayError(f"{database.shown}: the database does not answer: {type(error).__name__}") from error
    return 0


def _pricing(options: argparse.Namespace) -> Pricing:
    """Return the prices for a folder: the deployment's where there is one, else the list prices."""
    if options.config.exists():
        return pricing_of(load_deployment(options.config, os.environ))
    return Pricing([read_prices(LIST_PRICES, {})])


async def _asked(options: argparse.Namespace, database: Database) -> Wanted:
    return await wanted(options, database, datetime.now(UTC))


async def _list(options: argparse.Namespace, deployment: Deployment, database: Database) -> None:
    asked = msgspec.structs.replace(await _asked(options, database), before=options.before)
    found = await find_calls(database, asked, options.limit + 1)
    shown = found[: options.limit]
    if options.json:
        more = found[options.limit :] and shown[-1].call_key
        print(as_json({"calls": [listed(call) for call in shown], "before": more or None}))
        return
    if not shown:
        print("no calls")
        return
    print_calls(shown)
    if len(found) > len(shown):
        print(f"more: --before {short(shown[-1])}")


async def _one(options: argparse.Namespace, deployment: Deployment, database: Database) -> None:
    _show(options, await read_call(database, options.call))


def _show(options: argparse.Namespace, stored: StoredCall) -> None:
    if options.json:
        print(as_json(whole(stored)))
    else:
        print_call(stored)


async def _export(options: argparse.Namespace, deployment: Deployment, database: Database) -> None:
    asked, is_first = await _asked(options, database), True
    async for stored in every_call(database, asked):
        lines = [as_json(whole(stored))] if options.format == "jsonl" else csv_lines([stored.call], head=is_first)
        for line in lines:
            print(line)
        is_first = False
    if is_first and options.format == "csv":
        print(*csv_lines([]))


async def _cost(options: argparse.Namespace, deployment: Deployment, database: Database) -> None:
    costs = await cost_by(database, options.by, await _asked(options, database))
    notes = [note for table in deployment.price_tables if (note := _note(table))]
    if options.json:
        told = [
            {
                options.by: one.name,
                "currency": one.currency,
                "calls": one.calls,
                "cost": decimal_text(one.nanos),
                "unknown": one.unknown,
                "incomplete": one.incomplete,
                "seconds": one.seconds,
            }
            for one in costs
        ]
        print(as_json({"costs": told, "prices": notes}))
    else:
        print_costs(costs, options.by, notes)


def _note(table: Prices) -> str:
    if not table.models and not table.providers:
        return ""
    of = f" of {table.date}" if table.date else ""
    return f"prices{of}: {table.note}" if table.note else f"prices{of}" if of else ""


_DO: Mapping[str, Callable[[argparse.Namespace, Deployment, Database], Awaitable[None]]] = {
    "list": _list,
    "show": _one,
    "export": _export,
    "cost": _cost,
}
