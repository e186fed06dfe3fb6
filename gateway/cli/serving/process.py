"""Serves calls until a signal stops the process, or another process takes the new calls."""

import argparse
import os
from collections.abc import Iterable
from contextlib import ExitStack

import structlog

from gateway.addresses import load_countries
from gateway.app import Gateway, serving
from gateway.cli.checking.capabilities import capability_warnings
from gateway.cli.console.beside import keyed, live_folder
from gateway.cli.processes.garbage import collected_in_parts
from gateway.cli.processes.gathering import gathering
from gateway.cli.processes.given import is_worker, kept_configuration
from gateway.cli.serving.beside import console, examination, identity_of, service, test_of
from gateway.cli.serving.wanted import exports_wanted, host_of, usable
from gateway.cli.stopping import Stop, stop_on_signals
from gateway.cli.tape import wanted_tape
from gateway.cli.worker import inherited_listeners, on_duty, shared_board
from gateway.config import Deployment, Line, Lines, load_deployment
from gateway.config.checks.dangers import weak_secrets
from gateway.config.checks.deployment_warnings import warnings
from gateway.config.kept import DEPLOYMENT, KeptLines
from gateway.config.secrets import secrets_within
from gateway.errors import GatewayError
from gateway.logs import setup as logs
from gateway.network.descriptors import needed, raise_limit
from gateway.tracing.environment import secrets_of

log = structlog.get_logger()


async def serve(options: argparse.Namespace) -> int:
    """Serve as the options say, and return the exit code."""
    stop = stop_on_signals(restarts=True)  # before anything that takes time: a signal may come during the start
    kept = kept_configuration()
    deployment = usable(load_deployment(options.config, os.environ, copy=kept / DEPLOYMENT if kept else None))
    if options.private:
        listen = deployment.listen.model_copy(update={"private": options.private})
        deployment = deployment.model_copy(update={"listen": listen})
    lines = Lines(deployment, KeptLines(kept) if kept else None)
    board = shared_board(deployment.limits.places)
    logs.hide(secrets_within([deployment, *(line.settings for line in lines)]))
    logs.hide(secrets_of(os.environ))
    host = host_of(options, deployment)
    port = deployment.listen.port if options.port is None else options.port
    async with service(options, deployment) as (endpoint, api_key):
        try:
            with (
                ExitStack() as to_the_end,
                test_of(options, deployment, host, port) as test,
                live_folder(kept, deployment) as live,
            ):
                served = keyed(test.deployment if test else deployment)
                _warn(served, lines, options, "" if test else host)
                _make_room(served, lines)
                load_countries()
                examined, console_of = examination(options), console(served, live)
                async with serving(
                    served,
                    lines,
                    endpoint=endpoint,
                    api_key=api_key,
                    identity=identity_of(options),
                    host=host,
                    port=port,
                    listener=test.listener if test else None,
                    board=board,
                    inherited=inherited_listeners(),
                    drain_s=options.drain,
                    tape=wanted_tape(options),
                    exports=exports_wanted(),
                    keep_records=True,
                    live=live,
                ) as gateway:
                    if test:
                        print(test.told(lines), flush=True)
                    calls = gateway.calls  # they drain in these two, too
                    to_the_end.enter_context(collected_in_parts(gateway.metrics.gc_pause, calls))
                    to_the_end.enter_context(gathering(calls, served.gather_ms / 1000))
                    async with (
                        console_of(gateway, endpoint),
                        examined(served, lines, gateway.voice_live.first),
                        on_duty(board, stop, gateway.calls.take_news, gateway.go_on),
                    ):
                        await _until_it_ends(stop, gateway, options.drain)
                    stop.at_once(gateway.calls.end_now)
        except OSError as error:
            raise GatewayError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return 0


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
