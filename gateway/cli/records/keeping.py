"""``gateway records``: the commands that keep the records of calls."""

from typing import Any

from gateway.cli.records.audit import add_audit
from gateway.cli.records.deliveries import add_deliveries, add_redeliver
from gateway.cli.records.upkeep import add_upkeep


def add_records(commands: Any) -> None:
    """Add ``gateway records`` with its own commands to the commands."""
    parser = commands.add_parser("records", help="keep the records of calls, and deliver their events again")
    kept = parser.add_subparsers(dest="records_command", required=True, metavar="COMMAND")
    add_upkeep(kept)
    add_deliveries(kept)
    add_redeliver(kept)
    add_audit(kept)
