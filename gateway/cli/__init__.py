"""The ``gateway`` command. Exit codes: 0 fine, 1 what was run failed, 2 wrong input."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.cli import call, check, point, providers, serve
from gateway.config.env_file import load_env_file
from gateway.errors import GatewayError, InputError
from gateway.redaction import Redactor, secrets_in

FAILED = 1
WRONG_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; tells a failure in a line or a few on standard error, never as a traceback."""
    options = _parser().parse_args(arguments)
    options.arguments = sys.argv[1:] if arguments is None else arguments
    try:
        load_env_file(Path(".env"))
        code: int = options.run(options)
    except InputError as error:
        _tell(error)
        return WRONG_INPUT
    except GatewayError as error:
        _tell(error)
        return FAILED
    except KeyboardInterrupt:
        return 130
    return code


def _tell(error: GatewayError) -> None:
    print(Redactor(secrets_in(os.environ)).text(str(error)), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gateway", description="Answers phone calls with Azure Voice Live, one YAML file per phone line."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    call.add_demo(commands)
    serve.add_serve(commands)
    call.add_call(commands)
    check.add_check(commands)
    serve.add_emulator(commands)
    check.add_schema(commands)
    providers.add_providers(commands)
    point.add_point(commands)
    return parser
