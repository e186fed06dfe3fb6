"""``gateway try``: opens a phone in the browser, to talk to a line, with whatever that needs."""

import argparse
import asyncio
import os
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.app import serving
from gateway.cli.calling.emulated import emulator_of
from gateway.cli.completion import completes_files
from gateway.cli.console.beside import console_beside, keyed, live_folder
from gateway.cli.emulated_identity import EmulatedIdentity
from gateway.cli.loop import run
from gateway.cli.starting.options import add_config_option
from gateway.cli.stopping import stop_on_signals
from gateway.config import Deployment, Lines, load_deployment
from gateway.config.secrets import secrets_within
from gateway.errors import ConfigError, InputError
from gateway.logs import setup as logs
from gateway.path_segment import segment

ANY_PORT = "127.0.0.1:0"
"""The address of the console if its usual one is taken."""
SCRIPTED = "No Voice Live endpoint is used: an emulator answers from a script, and understands no word."


def add_try(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway try``."""
    parser.add_argument("line", nargs="?", metavar="LINE", help="the name of a line's file (default: the only one)")
    add_config_option(parser)
    parser.add_argument("--no-open", action="store_true", help="print the address, and open no browser")
    parser.add_argument("--emulator", action="store_true", help="let the emulator answer even if an endpoint is set")
    completes_files(parser.add_argument("--script", type=Path, metavar="FILE", help="what the emulator says and does"))
    parser.set_defaults(run=lambda options: run(_try(options)), faults=None, seed=None)


async def _try(options: argparse.Namespace) -> int:
    stop = stop_on_signals()
    logs.configure(json=False, level="warning", private=False)
    deployment = keyed(_with_console(load_deployment(options.config, os.environ)))
    lines = Lines(deployment)
    path = _path(options.line, lines)
    logs.hide(secrets_within([deployment, *(line.settings for line in lines)]))
    with live_folder(None, deployment) as live:
        async with (
            _answering(options, deployment) as endpoint,
            serving(
                deployment,
                lines,
                endpoint=endpoint,
                api_key="emulator" if endpoint else "",
                identity=EmulatedIdentity() if endpoint else None,
                host="127.0.0.1",
                keep_records=True,
                live=live,
            ) as gateway,
            _console(deployment, live, gateway.url, endpoint) as console,
        ):
            await _show(f"{console}{path}", opens=not options.no_open, is_emulated=bool(endpoint))
            await stop.asked.wait()
    return 0


async def _show(url: str, *, opens: bool, is_emulated: bool) -> None:
    print(f"Talk here: {url}  (Ctrl-C stops it)", flush=True)
    if is_emulated:
        print(SCRIPTED, flush=True)
    if opens and not await asyncio.to_thread(webbrowser.open, url):
        print("No browser can be opened here: open that address yourself.", flush=True)


@asynccontextmanager
async def _answering(options: argparse.Namespace, deployment: Deployment) -> AsyncIterator[str]:
    """Yield the endpoint of the emulator; empty where the deployment's own is used."""
    if not options.emulator and options.script is None and _has_endpoint(deployment):
        yield ""
        return
    async with emulator_of(options, script=options.script) as emulator:
        yield emulator.endpoint


def _has_endpoint(deployment: Deployment) -> bool:
    try:
        return bool(deployment.reached)
    except ConfigError:
        return False


@asynccontextmanager
async def _console(deployment: Deployment, live: Path | None, gateway_url: str, emulator: str) -> AsyncIterator[str]:
    """Yield the address of the console: its own, or any other of this machine where that is taken."""
    async with console_beside(deployment, gateway_url, emulator, live) as address:
        if address:
            yield address
            return
    console = deployment.console.model_copy(update={"listen": ANY_PORT})
    elsewhere = deployment.model_copy(update={"console": console})
    async with console_beside(elsewhere, gateway_url, emulator, live) as address:
        yield address


def _with_console(deployment: Deployment) -> Deployment:
    if not deployment.console.enabled:
        raise InputError(f"{deployment.file}: console: false, expected a console, because the phone is a page of it")
    return deployment


def _path(line: str | None, lines: Lines) -> str:
    """Return the page of a line; without a name that of the only one, or the choice. ``InputError`` for no line."""
    names = sorted(one.name for one in lines)
    if line is None and len(names) > 1:
        return "/phone"
    name = names[0] if line is None and names else line or ""
    if name not in names:
        raise InputError(f"{name}: no line has this name, expected {', '.join(names)}")
    return f"/phone/{segment(name)}"
