"""``gateway serve``: the command that runs until it is stopped."""

import argparse
import math
import os
from functools import partial

from gateway.cli.calling.fault_options import add_faults_and_seed
from gateway.cli.console.beside import console_of_workers
from gateway.cli.loop import report_transports, run
from gateway.cli.processes.given import is_worker
from gateway.cli.processes.places import Service
from gateway.cli.serving.wanted import exports_wanted, host_of, usable
from gateway.cli.starting.commands import loading
from gateway.cli.starting.environ import Environment
from gateway.cli.starting.options import add_config_option, add_log_options, address, configure_logs, port
from gateway.cli.tape import add_tape_options, wanted_tape
from gateway.cli.workers import MOST_WORKERS, run_workers
from gateway.config import Deployment, load_deployment
from gateway.config.urls import private_listener
from gateway.errors import GatewayError, InputError

DRAIN_S = 60.0
"""Seconds that calls may go on after a signal to stop, unless ``--drain`` says otherwise."""


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway serve``."""
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
    exports_wanted()
    report_transports()
    if not options.workers or is_worker():
        with loading():
            from gateway.cli.serving.process import serve  # noqa: PLC0415 -- a supervisor takes no calls
        return run(serve(options))
    if options.emulator:
        raise InputError("--workers with --emulator: each worker would have an emulator of its own; run one apart")
    deployment = usable(load_deployment(options.config, os.environ))
    port = deployment.listen.port if options.port is None else options.port
    private = options.private or deployment.listen.private
    watched = private_listener(private) if private else None
    if port == 0 or (watched and watched[1] == 0):
        raise InputError("port 0 with --workers: expected one port for all of them")
    service = Service(
        arguments=options.arguments,
        config=options.config,
        host=host_of(options, deployment),
        port=port,
        calls=deployment.limits.places,
        drain_s=options.drain,
        private=watched,
        spare=not options.no_spare,
        reread=partial(_reread, options, deployment),
        console=partial(console_of_workers, deployment, host_of(options, deployment), port),
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
        changed = usable(load_deployment(options.config, os.environ))
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
