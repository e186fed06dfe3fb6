"""The companions of a process alone: the emulator, the examination, the console.

What is not wanted is not loaded: a worker, whose start must not take long, has none of it.
"""

import argparse
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from gateway.app import Gateway
from gateway.cli.console.beside import console_beside, load_pages
from gateway.cli.processes.given import is_first_worker, is_worker
from gateway.config import Deployment, Lines
from gateway.voice.service import VoiceLive

if TYPE_CHECKING:
    from gateway.cli.calling.loopback import Loopback
    from gateway.cli.emulated_identity import EmulatedIdentity

log = structlog.get_logger()

Examination = Callable[[Deployment, Lines, VoiceLive], AbstractAsyncContextManager[object]]
Console = Callable[[Gateway, str], AbstractAsyncContextManager[object]]
"""Serves the console of a gateway, for whose calls the emulator at this address answers, if one does."""


@asynccontextmanager
async def service(options: argparse.Namespace, deployment: Deployment) -> AsyncIterator[tuple[str, str]]:
    """Yield endpoint and API key of the emulator; empty where the deployment's endpoints are used."""
    if options.emulator:
        from gateway.cli.calling.emulated import emulator_of  # noqa: PLC0415 -- see the module

        async with emulator_of(options) as emulator:
            log.info("emulator", endpoint=emulator.endpoint)
            yield emulator.endpoint, "emulator"
        return
    deployment.require_endpoint()
    yield "", ""


def test_of(
    options: argparse.Namespace, deployment: Deployment, host: str, port: int
) -> AbstractContextManager["Loopback | None"]:
    """Return what ``--emulator`` adds where this machine alone is served; else nothing."""
    if not options.emulator:
        return nullcontext()
    from gateway.cli.calling.loopback import is_loopback, loopback  # noqa: PLC0415 -- see above

    return loopback(deployment, host, port) if is_loopback(host) else nullcontext()


def identity_of(options: argparse.Namespace) -> "EmulatedIdentity | None":
    if not options.emulator:
        return None
    from gateway.cli.emulated_identity import EmulatedIdentity  # noqa: PLC0415 -- see above

    return EmulatedIdentity()


def examination(options: argparse.Namespace) -> Examination:
    """Return what examines the first line in the background, in the first process, unless told otherwise.

    It is loaded now: once calls are taken, nothing is loaded on their loop.
    """
    if not is_first_worker() or options.emulator or options.no_doctor:
        return lambda *_: nullcontext()
    from gateway.doctor.background import examining  # noqa: PLC0415 -- see above

    return examining


def console(deployment: Deployment, live: Path | None) -> Console:
    """Return what serves the console beside a process alone; the workers' console is their supervisor's.

    It is loaded now: a thread that loads it later would hold up the loop of the calls.
    """
    if is_worker() or not deployment.console.enabled:
        return lambda *_: nullcontext()
    load_pages()

    def beside(gateway: Gateway, emulator: str) -> AbstractAsyncContextManager[object]:
        return console_beside(deployment, gateway.url, emulator, live, gateway.metrics.console_refused)

    return beside
