"""``gateway serve``: the command that runs until it is stopped."""

import argparse
import math
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack, asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from msgspec.structs import replace

from gateway.app import Gateway, serving
from gateway.cli.calling.fault_options import add_faults_and_seed
from gateway.cli.check import add_config_option
from gateway.cli.checking.capabilities import capability_warnings
from gateway.cli.console.beside import console_beside, console_of_workers, keyed, live_folder
from gateway.cli.loop import report_transports, run
from gateway.cli.processes.environ import Environment
from gateway.cli.processes.garbage import collected_in_parts
from gateway.cli.processes.options import add_log_options, address, configure_logs, port
from gateway.cli.processes.places import Service
from gateway.cli.stopping import Stop, stop_on_signals
from gateway.cli.tape import add_tape_options, wanted_tape
from gateway.cli.worker import (
    inherited_listeners,
    is_first_worker,
    is_worker,
    kept_configuration,
    on_duty,
    shared_board,
)
from gateway.cli.workers import MOST_WORKERS, run_workers
from gateway.config import ConfigErrors, Deployment, Line, Lines, load_deployment
from gateway.config.checks.dangers import weak_keys, weak_secrets
from gateway.config.checks.deployment_warnings import warnings
from gateway.config.kept import DEPLOYMENT, KeptLines
from gateway.config.secrets import secrets_within
from gateway.config.urls import private_listener
from gateway.errors import GatewayError, InputError
from gateway.logs import setup as logs
from gateway.network.descriptors import needed, raise_limit
from gateway.tracing.environment import Exports, exports_of, secrets_of
from gateway.tracing.starting import require_extra

if TYPE_CHECKING:
    from gateway.cli.calling.loopback import Loopback
    from gateway.cli.emulated_identity import EmulatedIdentity

log = structlog.get_logger()

DRAIN_S = 60.0
"""Seconds that calls may go on after a signal to stop, unless ``--drain`` says otherwise."""


def add_serve(commands: Any) -> None:
    """Add ``gateway serve`` to the commands."""
    parser = commands.add_parser("serve", help="run the gateway")
    add_config_option(parser)
    parser.add_argument("--host", type=address, help="listen here instead of listen.host")
    parser.add_argument("--port", type=port, help="listen here instead of listen.port; 0 takes a free one")
    parser.add_argument(
        "--emulator",
        action="store_true",
        help="start the bundled Voice Live emulator and use it; without --host it listens on this machine alone, makes "
        "the credentials that are missing, and prints the command that calls it",
    )
    parser.add_argument(
        "--private",
        type=_private,
        metavar="HOST:PORT",
        help="listen there for /healthz, /readyz and /metrics alone, instead of listen.private",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="worker processes, one core each, which SIGHUP replaces one by one (default: none, one process alone)",
    )
    parser.add_argument(
        "--no-spare",
        action="store_true",
        help="with --workers, keep no further process loaded that takes the place of a worker that dies",
    )
    parser.add_argument(
        "--drain",
        type=_seconds,
        default=DRAIN_S,
        metavar="S",
        help=f"seconds that calls may go on after the signal to stop (default {DRAIN_S:g})",
    )
    parser.add_argument(
        "--no-doctor", action="store_true", help="do not examine the first line in the background after the start"
    )
    add_faults_and_seed(parser, "what breaks in the sessions of --emulator, and when")
    add_tape_options(parser)
    add_log_options(parser)
    parser.set_defaults(run=_run_serve)


def _private(text: str) -> str:
    try:
        private_listener(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from None
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time, expected seconds from 0")
    return seconds


def _run_serve(options: argparse.Namespace) -> int:
    configure_logs(options)
    if not 0 <= options.workers <= MOST_WORKERS:
        raise InputError(f"--workers: {options.workers}, expected 1 to {MOST_WORKERS}")
    wanted_tape(options)  # an option that cannot be used is the command's fault, not a worker's
    if not options.emulator and (options.faults or options.seed is not None):
        raise InputError("--faults and --seed without --emulator: expected it too, because they break its sessions")
    _exports()
    report_transports()
    if not options.workers or is_worker():
        return run(_serve(options))
    if options.emulator:
        raise InputError("--workers with --emulator: each worker would have an emulator of its own; run one apart")
    deployment = _usable(load_deployment(options.config, os.environ))
    port = deployment.listen.port if options.port is None else options.port
    private = options.private or deployment.listen.private
    watched = private_listener(private) if private else None
    if port == 0 or (watched and watched[1] == 0):
        raise InputError("port 0 with --workers: expected one port for all of them")
    service = Service(
        arguments=options.arguments,
        config=options.config,
        host=_host(options, deployment),
        port=port,
        calls=deployment.limits.places,
        drain_s=options.drain,
        private=watched,
        spare=not options.no_spare,
        reread=partial(_reread, options, deployment),
        console=partial(console_of_workers, deployment, _host(options, deployment), port),
    )
    return run(run_workers(options.workers, service))


def _reread(options: argparse.Namespace, deployment: Deployment) -> None:
    """Read the environment and ``gateway.yaml`` anew, for the workers that are started from now on.

    Raises ``GatewayError`` where they cannot be used, or change what all workers share.
    """
    environment: Environment = options.environment
    before = dict(os.environ)
    environment.read()
    try:
        changed = _usable(load_deployment(options.config, os.environ))
        if _fixed(changed) != _fixed(deployment):
            raise GatewayError(
                f"{options.config}: limits.calls, listen and console need a restart of the whole service"
            )
    except GatewayError:
        environment.restore(before)
        raise


def _fixed(deployment: Deployment) -> tuple[object, ...]:
    """Return what all workers share; by ``console.key`` each shows its own calls."""
    return deployment.listen, deployment.limits.calls, deployment.console.model_copy(update={"key": None})


async def _serve(options: argparse.Namespace) -> int:
    stop = stop_on_signals(restarts=True)  # before anything that takes time: a signal may come during the start
    kept = kept_configuration()
    deployment = _usable(load_deployment(options.config, os.environ, copy=kept / DEPLOYMENT if kept else None))
    if options.private:
        listen = deployment.listen.model_copy(update={"private": options.private})
        deployment = deployment.model_copy(update={"listen": listen})
    lines = Lines(deployment, KeptLines(kept) if kept else None)
    board = shared_board(deployment.limits.places)
    logs.hide(secrets_within([deployment, *(line.settings for line in lines)]))
    logs.hide(secrets_of(os.environ))
    host = _host(options, deployment)
    port = deployment.listen.port if options.port is None else options.port
    async with _service(options, deployment) as (endpoint, api_key):
        try:
            with (
                ExitStack() as to_the_end,
                _test(options, deployment, host, port) as test,
                live_folder(kept, deployment) as live,
            ):
                served = keyed(test.deployment if test else deployment)
                _warn(served, lines, options, "" if test else host)
                _make_room(served, lines)
                async with serving(
                    served,
                    lines,
                    endpoint=endpoint,
                    api_key=api_key,
                    identity=_identity(options),
                    host=host,
                    port=port,
                    listener=test.listener if test else None,
                    board=board,
                    inherited=inherited_listeners(),
                    drain_s=options.drain,
                    tape=wanted_tape(options),
                    exports=_exports(),
                    keep_records=True,
                    live=live,
                ) as gateway:
                    if test:
                        print(test.told(lines), flush=True)
                    to_the_end.enter_context(collected_in_parts(gateway.metrics.gc_pause))  # calls drain in it too
                    refused = gateway.metrics.console_refused
                    async with (
                        nullcontext() if is_worker() else console_beside(served, gateway.url, endpoint, live, refused),
                        _examining(options, served, lines, gateway),
                        on_duty(board, stop, gateway.calls.take_news, gateway.go_on),
                    ):
                        await _until_it_ends(stop, gateway, options.drain)
                    stop.at_once(gateway.calls.end_now)
        except OSError as error:
            raise GatewayError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return 0


# What follows imports where it is used: a worker, whose start must not take long, has neither emulator nor examination.


def _test(
    options: argparse.Namespace, deployment: Deployment, host: str, port: int
) -> AbstractContextManager["Loopback | None"]:
    """Return what ``--emulator`` adds where this machine alone is served; else nothing."""
    if not options.emulator:
        return nullcontext()
    from gateway.cli.calling.loopback import is_loopback, loopback  # noqa: PLC0415 -- see above

    return loopback(deployment, host, port) if is_loopback(host) else nullcontext()


def _identity(options: argparse.Namespace) -> "EmulatedIdentity | None":
    if not options.emulator:
        return None
    from gateway.cli.emulated_identity import EmulatedIdentity  # noqa: PLC0415 -- see above

    return EmulatedIdentity()


def _examining(
    options: argparse.Namespace, deployment: Deployment, lines: Lines, gateway: Gateway
) -> AbstractAsyncContextManager[object]:
    """Examine the first line in the background, in the first process, unless told otherwise."""
    if not is_first_worker() or options.emulator or options.no_doctor:
        return nullcontext()
    from gateway.doctor.background import examining  # noqa: PLC0415 -- see above

    return examining(deployment, lines, gateway.voice_live.first)


async def _until_it_ends(stop: Stop, gateway: Gateway, drain_s: float) -> None:
    """Return when a stop is requested, or, in a worker, when another one takes the new calls."""
    await stop.wait()
    while not stop.asked.is_set() and not is_worker():
        log.warning("restart_ignored", detail="a process alone would lose its calls; --workers 1 replaces it in order")
        stop.restart.clear()
        await stop.wait()
    if not stop.asked.is_set():
        await gateway.retire()
        log.info("retiring", calls=len(gateway.calls), drain_s=drain_s)
        return
    log.info("stopping", signal=stop.signal, calls=len(gateway.calls), drain_s=drain_s)


def _exports() -> Exports:
    """Return what the environment wants exported. Raises ``InputError`` where that is not possible."""
    exports = exports_of(os.environ, str(os.getpid()) if is_worker() else "")
    if exports:
        require_extra()
    return replace(exports, is_global=True)


def _usable(deployment: Deployment) -> Deployment:
    """Return the deployment. Raises ConfigErrors if a key of the operator's own can be guessed."""
    if weak := weak_keys(deployment):
        raise ConfigErrors(weak)
    return deployment


def _host(options: argparse.Namespace, deployment: Deployment) -> str:
    """Return the host to listen on: with the emulator this machine alone, unless the command line names another."""
    if options.host:
        return str(options.host)
    configured = deployment.listen.host
    if not options.emulator:
        return configured
    from gateway.cli.calling.loopback import LOOPBACK, is_loopback  # noqa: PLC0415 -- with the emulator alone

    return configured if is_loopback(configured) else LOOPBACK


def _warn(deployment: Deployment, lines: Lines, options: argparse.Namespace, host: str) -> None:
    """Log the warnings. ``host`` is given if others may reach it, because then no test credentials were made."""
    found = [*map(str, lines.overlooked), *warnings(deployment, lines)]
    found += [*capability_warnings(deployment, lines), *weak_secrets(deployment)]
    if options.emulator:
        found = [warning for warning in found if not warning.startswith("voice_live.endpoint")]  # it is not used
        if host and any("refused" in warning for warning in found):
            found.append(f"--emulator: no test credentials are made, because others may reach {host}; leave out --host")
    for warning in found:
        log.warning("configuration", detail=warning)


def _make_room(deployment: Deployment, lines: Iterable[Line]) -> None:
    """Raise the limit of open files to what calls and connections need; log a warning if that is not possible."""
    calls, connections = deployment.limits.places, deployment.limits.connections
    wanted = needed(calls, connections, calls if any(line.settings.recording for line in lines) else 0)
    limit = raise_limit(wanted)
    if limit < wanted:
        log.warning("open_files_limited", limit=limit, needed=wanted, calls=calls, connections=connections)


@asynccontextmanager
async def _service(options: argparse.Namespace, deployment: Deployment) -> AsyncIterator[tuple[str, str]]:
    """Yield endpoint and API key of the emulator; empty where the deployment's endpoints are used."""
    if options.emulator:
        from gateway.cli.calling.emulated import emulator_of  # noqa: PLC0415 -- see above

        async with emulator_of(options) as emulator:
            log.info("emulator", endpoint=emulator.endpoint)
            yield emulator.endpoint, "emulator"
        return
    deployment.require_endpoint()
    yield "", ""
