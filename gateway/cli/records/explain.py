"""``gateway explain``: says why a call went as it did."""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from gateway.cli.completion import completes_directories
from gateway.errors import InputError
from gateway.records.explain.explaining import explain
from gateway.records.explain.folder import is_folder, read_folder
from gateway.records.explain.telling import told
from gateway.text import json_bytes, one_line_inside


def add_explain(commands: Any) -> None:
    """Add ``gateway explain`` to the commands."""
    parser = commands.add_parser("explain", help="say why a call went as it did: silences, interruptions, findings")
    completes_directories(parser.add_argument("call", metavar="CALL", help="the folder of a simulated call"))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_explain)


def _explain(options: argparse.Namespace) -> int:
    folder = Path(options.call)
    if not is_folder(folder):
        raise InputError(f"{options.call}: no call has this id, and no folder of a call is there")
    found = explain(*read_folder(folder))
    if options.json:
        print(json_bytes(one_line_inside(msgspec.to_builtins(found))).decode())
    else:
        print(told(found), end="")
    return 0
