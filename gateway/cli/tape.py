"""``gateway tape check`` and ``gateway tape report``, and the options of ``gateway serve`` that make a tape."""

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.addresses import E164, SIP, readings
from gateway.cli.completion import completes_directories, completes_files
from gateway.cli.starting.exits import FAILED
from gateway.cli.starting.options import CONFIG
from gateway.config import Lines, load_deployment
from gateway.config.kept import make_own
from gateway.config.numbers import ANY_NUMBER
from gateway.config.secrets import secrets_within
from gateway.errors import InputError
from gateway.logs.redaction import secrets_in
from gateway.tape.checking import Known, Left, left_on
from gateway.tape.form import read_tape
from gateway.tape.tapes import Wanted
from gateway.text import json_bytes, one_line

CALLS_LIMIT = 1000


def add_tape(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway tape``."""
    parser.add_argument("do", choices=["check", "report"], help="what to do with the tape")
    completes_files(parser.add_argument("file", type=Path, metavar="FILE", help="a tape that gateway serve has made"))
    completes_files(
        parser.add_argument(
            "--config",
            type=Path,
            metavar="FILE",
            help=f"check: look for this configuration's secrets, numbers and texts (default {CONFIG}, if any)",
        )
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=lambda options: _check(options) if options.do == "check" else _report(options))


def add_tape_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that make a tape."""
    completes_directories(
        parser.add_argument(
            "--tape", type=Path, metavar="DIR", help="write all messages of the tester's calls there, redacted"
        )
    )
    parser.add_argument("--tape-from", metavar="NUMBER", help="the tester's number; no other call is taped")
    parser.add_argument("--tape-calls", type=int, metavar="N", help="how many calls to tape (default 1)")
    parser.add_argument("--tape-audio", action="store_true", help="keep the sound as well: not to be passed on")


def wanted_tape(options: argparse.Namespace) -> Wanted | None:
    """Return the calls to tape. Raises ``InputError`` for options that cannot be used."""
    if options.tape is None:
        for name in ("tape_from", "tape_calls", "tape_audio"):
            if getattr(options, name):
                raise InputError(f"--{name.replace('_', '-')} without --tape: expected --tape DIR, where to write")
        return None
    if not options.tape_from:
        raise InputError("--tape without --tape-from: expected the tester's number, because no other call is taped")
    caller = next(iter(readings(options.tape_from)), "")
    if not re.fullmatch(rf"{E164}|{SIP}|[0-9]{{2,6}}", caller):
        expected = "expected such as +14255550123, an extension or a sip: address"
        raise InputError(f"--tape-from: {options.tape_from!r} is no number in international format, {expected}")
    calls = 1 if options.tape_calls is None else options.tape_calls
    if not 1 <= calls <= CALLS_LIMIT:
        raise InputError(f"--tape-calls: {calls}, expected 1 to {CALLS_LIMIT}")
    try:
        make_own(options.tape)
    except OSError as error:
        raise InputError(f"--tape: {options.tape} cannot be used: {error.strerror or error}") from None
    if not os.access(options.tape, os.W_OK | os.X_OK):
        raise InputError(f"--tape: {options.tape} cannot be written to, expected a directory of this user")
    return Wanted(options.tape, caller, calls, options.tape_audio)


def _check(options: argparse.Namespace) -> int:
    left = left_on(options.file, _known(options.config))
    if options.json:
        found = [{"line": one.line, "what": one.what, "where": one.where} for one in left]
        print(json_bytes({"file": str(options.file), "shareable": not left, "left": found}).decode())
    else:
        for text in _lines_of(options.file, left):
            print(text)
    return FAILED if left else 0


def _lines_of(file: Path, left: list[Left]) -> Iterator[str]:
    if not left:
        yield f"{file}: nothing that it should not hold was found; it can be passed on"
        return
    kinds: dict[tuple[str, str], list[int]] = {}
    for one in left:
        kinds.setdefault((one.what, one.where), []).append(one.line)
    for (what, where), lines in kinds.items():
        times = f" ({len(lines)} times)" if len(lines) > 1 else ""
        yield f"{file}:{lines[0]}: {what}" + (f" at {one_line(where)}" if where else "") + times
    yield f"{file}: not to be passed on"


def _report(options: argparse.Namespace) -> int:
    from gateway.tape.report.reporting import report, told  # noqa: PLC0415 -- not for ``serve``: it loads the simulator

    made = report(read_tape(options.file))
    if options.json:
        content = {"file": str(options.file), "facts": made.facts, "differs": msgspec.to_builtins(made.findings)}
        print(json_bytes(content).decode())
    else:
        for text in told(made):
            print(text)
    return 0


def _known(config: Path | None) -> Known:
    """Return what this machine knows must not be on a tape: of its environment, and of the configuration."""
    secrets = secrets_in(os.environ)
    if config is None and not CONFIG.exists():
        return Known(tuple(secrets))
    deployment = load_deployment(config or CONFIG, os.environ)
    lines = Lines(deployment)
    settings = [line.settings for line in lines]
    numbers = {number for each in settings for number in each.numbers if number != ANY_NUMBER}
    return Known(
        secrets=tuple({*secrets, *secrets_within([deployment, *settings])}),
        numbers=tuple(numbers | {target.to for each in settings for target in each.transfers.values()}),
        texts=tuple(line.instructions for line in lines),
    )
