"""``gateway records``: the commands that keep the records of calls."""

import argparse

from gateway.cli.records.audit import add_audit
from gateway.cli.records.deliveries import add_deliveries, add_redeliver
from gateway.cli.records.upkeep import add_upkeep


def add_records(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway records``."""
    kept = parser.add_subparsers(dest="records_command", required=True, metavar="COMMAND")
    add_upkeep(kept)
    add_deliveries(kept)
    add_redeliver(kept)
    add_audit(kept)
