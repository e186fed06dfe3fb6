"""``gateway explain``: says why a call went as it did."""

import argparse
import os
from pathlib import Path
from typing import Any

import msgspec

from gateway.cli.completion import completes_directories, completes_files
from gateway.errors import InputError
from gateway.records.explain.explaining import explain
from gateway.records.explain.folder import is_folder, read_folder, sound_of
from gateway.records.explain.page import page_of
from gateway.records.explain.telling import told
from gateway.text import json_bytes, one_line_inside

FILE_MODE = 0o600
"""A page holds what people said, and their numbers."""


def add_explain(commands: Any) -> None:
    """Add ``gateway explain`` to the commands."""
    parser = commands.add_parser("explain", help="say why a call went as it did: silences, interruptions, findings")
    completes_directories(parser.add_argument("call", metavar="CALL", help="the folder of a simulated call"))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    completes_files(
        parser.add_argument(
            "--html",
            type=Path,
            metavar="FILE",
            help="write a page with the picture, dialogue and sound as well",
        )
    )
    parser.set_defaults(run=_explain)


def _explain(options: argparse.Namespace) -> int:
    folder = Path(options.call)
    if not is_folder(folder):
        raise InputError(f"{options.call}: no call has this id, and no folder of a call is there")
    subject, events = read_folder(folder)
    found = explain(subject, events)
    if options.html is not None:
        _write(options.html, page_of(subject, events, found, *(sound_of(folder) or ())))
    if options.json:
        print(json_bytes(one_line_inside(msgspec.to_builtins(found))).decode())
    else:
        print(told(found), end="")
    return 0


def _write(file: Path, page: str) -> None:
    """Write the page for the user alone; a file that was there is replaced, a link is not followed."""
    try:
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w", encoding="utf-8") as opened:
            opened.write(page)
    except OSError as error:
        raise InputError(f"--html: {file} cannot be written: {error.strerror}") from error
