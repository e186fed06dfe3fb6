"""``gateway console``: serves the console beside gateways that run."""

import argparse
import getpass
import os
import sys

from gateway.cli.console.beside import console_at
from gateway.cli.loop import run
from gateway.cli.starting.options import add_config_option
from gateway.cli.stopping import stop_on_signals
from gateway.config import load_deployment
from gateway.config.console.passwords import hashed
from gateway.config.urls import private_listener
from gateway.console.phone.way import way_to_public
from gateway.errors import GatewayError, InputError
from gateway.logs import setup as logs


def add_console(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway console``."""
    add_config_option(parser)
    parser.add_argument("--listen", type=_listen, metavar="HOST:PORT", help="listen here instead of console.listen")
    parser.add_argument(
        "--hash-password", action="store_true", help="ask for a password and print its hash, for console.users"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if not options.hash_password:
        return run(_console(options))
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if sys.stdin.isatty() and getpass.getpass("Again: ") != password:
        raise InputError("the two passwords differ")
    try:
        print(hashed(password))
    except ValueError as error:
        raise InputError(f"the password {error}") from None
    return 0


def _listen(text: str) -> str:
    try:
        private_listener(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from None
    return text


async def _console(options: argparse.Namespace) -> int:
    stop = stop_on_signals()
    logs.configure(json=not logs.is_terminal(), level="info", private=False)
    deployment = load_deployment(options.config, os.environ)
    if options.listen:
        console = deployment.console.model_copy(update={"listen": options.listen})
        if problem := next(console.problems(), None):
            raise InputError(f"--listen: {options.listen} {problem[1]}")
        deployment = deployment.model_copy(update={"console": console})
    host, port = deployment.console.address
    try:
        async with console_at(deployment, host, port, way=way_to_public(deployment)) as address:
            print(f"Console: {address}  (Ctrl-C stops it)", flush=True)
            await stop.asked.wait()
    except OSError as error:
        raise GatewayError(f"console: cannot listen on {host}:{port}: {error.strerror or error}") from None
    return 0
