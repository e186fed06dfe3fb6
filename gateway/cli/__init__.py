"""The ``gateway`` command. Exit codes: 0 fine, 1 what was run failed, 2 wrong input.

serve              ``gateway serve``
loop               the event loop
stopping           stops a long command by signals
workers            ``serve --workers N``: the supervisor
processes/         the environment and the sockets of the processes of ``serve``
worker             ``serve --workers N``: one worker
check              ``gateway check`` and ``gateway schema``
doctor             ``gateway doctor``: tries what a call needs
checking/          checks a configuration without a network
call               ``gateway demo`` and ``gateway call``
calling/           places a simulated call and reports it
emulated_identity  the identity for the emulator
init               ``gateway init``: writes a configuration that works
point              ``gateway point``: sets a number's webhook
accounts           finds an account by its name
providers          ``gateway providers``: what each provider can do
console/           ``gateway console``, ``gateway try``, and the console that ``serve`` brings
tape               ``gateway tape``: what is left on a tape, and what it shows; the options of ``serve`` that make one
records/           reads and keeps the records of calls
completion         ``gateway completion``: completes commands in a shell
tables             tables for a terminal

May import every package. Only ``gateway.__main__`` may import it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gateway.cli import serve
from gateway.cli.processes.environ import Environment, strip_for_azure
from gateway.cli.worker import has_place, is_spare, is_worker
from gateway.config import ConfigErrors
from gateway.errors import GatewayError, InputError
from gateway.logs import setup as logs
from gateway.logs.outlet import outlets
from gateway.logs.redaction import Redactor, secrets_in

FAILED = 1
WRONG_INPUT = 2
DISTRIBUTION = "voice-line-gateway"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Print a failure as a few lines on standard error, never as a traceback.

    A reader that closes the pipe early (``gateway schema | head``) is no failure.
    """
    if is_spare() and not has_place():
        return 0
    with outlets() as written:
        try:
            code = _run(arguments)
        finally:
            logs.flush()  # what follows, such as a traceback, comes after the log and does not wait for its reader
        for outlet in written:
            outlet.flush()
        failures = [outlet.failure for outlet in written if outlet.failure]
        if failures:
            print(f"the output cannot be written: {failures[0]}", file=sys.stderr)
    return FAILED if failures and not code else code


def _run(arguments: Sequence[str] | None) -> int:
    options = (_worker_parser() if is_worker() else _parser()).parse_args(arguments)
    options.arguments = sys.argv[1:] if arguments is None else arguments
    options.environment = Environment()
    try:
        if is_worker():  # which has what its supervisor has read
            strip_for_azure()
        else:
            options.environment.read()
        code: int = options.run(options)
    except InputError as error:
        _report(error)
        if _is_missing(getattr(options, "config", None), error):
            print("gateway init writes a configuration that works", file=sys.stderr)
        return WRONG_INPUT
    except GatewayError as error:
        _report(error)
        return FAILED
    except KeyboardInterrupt:
        return 130
    return code


def _report(error: GatewayError) -> None:
    logs.flush()
    print(Redactor(secrets_in(os.environ)).text(str(error)), file=sys.stderr)


def _is_missing(config: Path | None, error: InputError) -> bool:
    """Return ``True`` if ``error`` says that there is no configuration at all."""
    if config is None or not isinstance(error, ConfigErrors):
        return False
    return any(one.file == str(config) for one in error.errors) and not config.exists()


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from its source
        return "(not installed)"


def _without_commands() -> tuple[argparse.ArgumentParser, Any]:
    parser = argparse.ArgumentParser(
        prog="gateway", description="Answers phone calls with Azure Voice Live, one YAML file per phone line."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    return parser, parser.add_subparsers(dest="command", required=True, metavar="COMMAND")


def _worker_parser() -> argparse.ArgumentParser:
    """Return a parser of ``serve`` alone: what the other commands need would delay a worker's start."""
    parser, commands = _without_commands()
    serve.add_serve(commands)
    return parser


def _parser() -> argparse.ArgumentParser:
    from gateway.cli import call, check, completion, doctor, init, point, providers, tape  # noqa: PLC0415 -- see above
    from gateway.cli.calling import emulator_command  # noqa: PLC0415 -- see above
    from gateway.cli.console import command, trying  # noqa: PLC0415 -- see above
    from gateway.cli.records import calls, explain, keeping  # noqa: PLC0415 -- see above

    parser, commands = _without_commands()
    call.add_demo(commands)
    init.add_init(commands)
    serve.add_serve(commands)
    call.add_call(commands)
    check.add_check(commands, doctor.tried_online)
    doctor.add_doctor(commands)
    emulator_command.add_emulator(commands)
    check.add_schema(commands)
    providers.add_providers(commands)
    point.add_point(commands)
    tape.add_tape(commands)
    command.add_console(commands)
    trying.add_try(commands)
    calls.add_calls(commands)
    explain.add_explain(commands)
    keeping.add_records(commands)
    completion.add_completion(commands, _parser)
    return parser
