"""``gateway console``: serves the console beside gateways that run."""

import argparse
import os
from typing import Any

from gateway.cli.check import add_config_option
from gateway.cli.console.beside import console_at
from gateway.cli.loop import run
from gateway.cli.stopping import stop_on_signals
from gateway.config import load_deployment
from gateway.config.urls import private_listener
from gateway.console.phone.way import way_to_public
from gateway.errors import GatewayError
from gateway.logs import setup as logs


def add_console(commands: Any) -> None:
    """Add ``gateway console`` to the commands."""
    parser = commands.add_parser("console", help="serve the console's pages beside gateways that run")
    add_config_option(parser)
    parser.add_argument("--listen", type=_listen, metavar="HOST:PORT", help="listen here instead of console.listen")
    parser.set_defaults(run=lambda options: run(_console(options)))


def _listen(text: str) -> tuple[str, int]:
    try:
        return private_listener(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from None


async def _console(options: argparse.Namespace) -> int:
    stop = stop_on_signals()
    logs.configure(json=not logs.is_terminal(), level="info", private=False)
    deployment = load_deployment(options.config, os.environ)
    host, port = options.listen or deployment.console.address
    try:
        async with console_at(deployment, host, port, way=way_to_public(deployment)) as address:
            print(f"Console: {address}  (Ctrl-C stops it)", flush=True)
            await stop.asked.wait()
    except OSError as error:
        raise GatewayError(f"console: cannot listen on {host}:{port}: {error.strerror or error}") from None
    return 0
