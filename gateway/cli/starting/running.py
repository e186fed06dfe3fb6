"""Runs a command that was chosen, in its environment, and reports its failure."""

import argparse
import os
import sys
from pathlib import Path

from gateway.cli.processes.given import is_worker
from gateway.cli.starting.environ import Environment, strip_for_azure
from gateway.cli.starting.exits import FAILED, INTERRUPTED, WRONG_INPUT
from gateway.config import ConfigErrors
from gateway.errors import GatewayError, InputError
from gateway.logs import setup as logs
from gateway.logs.redaction import Redactor, secrets_in


def run_command(options: argparse.Namespace) -> int:
    """Run a command and return its exit code; print a failure as a few lines on standard error."""
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
        return INTERRUPTED
    finally:
        logs.flush()  # what follows, such as a traceback, comes after the log and does not wait for its reader
    return code


def _report(error: GatewayError) -> None:
    logs.flush()
    print(Redactor(secrets_in(os.environ)).text(str(error)), file=sys.stderr)


def _is_missing(config: Path | None, error: InputError) -> bool:
    """Return ``True`` if ``error`` says that there is no configuration at all."""
    if config is None or not isinstance(error, ConfigErrors):
        return False
    return any(one.file == str(config) for one in error.errors) and not config.exists()
