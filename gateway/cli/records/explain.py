"""``gateway explain``: says why a call went as it did."""

import argparse
import os
import sys
from pathlib import Path

import msgspec

from gateway.cli.completion import completes_directories, completes_files
from gateway.cli.loop import run
from gateway.cli.records.database import records_database
from gateway.cli.starting.options import add_config_option
from gateway.config import load_deployment
from gateway.config.records.recordings import Recordings
from gateway.errors import GatewayError, InputError
from gateway.records.call_folder import is_folder, read_folder
from gateway.records.explain.explaining import explain
from gateway.records.explain.page import page_of, recorded_from_ms
from gateway.records.explain.sound import Sound, sound_of
from gateway.records.explain.stored import of_stored
from gateway.records.explain.terminal import as_text
from gateway.records.search import find_calls, read_call
from gateway.records.store.database import Database
from gateway.records.stored_call import StoredCall
from gateway.records.wanted import Wanted
from gateway.text import json_bytes, one_line_inside

FILE_MODE = 0o600
"""A page holds what people said, and their numbers."""


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway explain``."""
    completes_directories(
        parser.add_argument(
            "call",
            nargs="?",
            metavar="CALL",
            help="a key, the provider's id, the beginning of one, or a folder (default: the call that began last)",
        )
    )
    add_config_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    completes_files(
        parser.add_argument(
            "--html", type=Path, metavar="FILE", help="write a page with the picture, dialogue and sound as well"
        )
    )
    parser.set_defaults(run=lambda options: run(_explain(options)))


async def _explain(options: argparse.Namespace) -> int:
    settings, beside = Recordings(), Path()
    if from_folder := options.call is not None and is_folder(options.call):
        stored = read_folder(Path(options.call))
    else:
        deployment = load_deployment(options.config, os.environ)
        settings, beside = deployment.recordings, deployment.file.parent
        async with records_database(deployment) as database:
            stored = await read_call(database, options.call or await _last(database))
    subject, events = of_stored(stored)
    found = explain(subject, events)
    if options.html is not None:
        sound = await _sound(stored, settings, beside)
        from_ms = 0 if from_folder else recorded_from_ms(events)
        _write(options.html, page_of(subject, events, found, *(sound or ()), from_ms=from_ms))
    if options.json:
        print(json_bytes(one_line_inside(msgspec.to_builtins(found))).decode())
    else:
        print(as_text(found), end="")
    return 0


async def _last(database: Database) -> str:
    """Return the key of the call that began last. Raises ``InputError`` where there is none."""
    for call in await find_calls(database, Wanted(), 1):
        return call.call_key
    raise InputError("there is no call yet, expected one, or the folder of a simulated call")


async def _sound(stored: StoredCall, settings: Recordings, beside: Path) -> Sound | None:
    """Return the recording; a page without one is worth more than none, so a failure is only reported."""
    try:
        return await sound_of(stored, settings, beside)
    except GatewayError as error:
        print(f"--html: without sound: {error}", file=sys.stderr)
        return None


def _write(file: Path, page: str) -> None:
    """Write the page for the user alone; a file that was there is replaced, a link is not followed."""
    try:
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w", encoding="utf-8") as opened:
            opened.write(page)
    except OSError as error:
        raise InputError(f"--html: {file} cannot be written: {error.strerror}") from error
