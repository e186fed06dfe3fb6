"""The deployment that is wanted, where it listens, and what it exports."""

import argparse
import os

from msgspec.structs import replace

from gateway.cli.processes.given import is_worker
from gateway.config import ConfigErrors, Deployment
from gateway.config.checks.dangers import weak_keys
from gateway.tracing.environment import Exports, exports_of
from gateway.tracing.starting import require_extra


def usable(deployment: Deployment) -> Deployment:
    """Return the deployment. Raises ConfigErrors if a key of the operator's own can be guessed."""
    if weak := weak_keys(deployment):
        raise ConfigErrors(weak)
    return deployment


def host_of(options: argparse.Namespace, deployment: Deployment) -> str:
    """Return the host to listen on: with the emulator this machine alone, unless the command line names another."""
    if options.host:
        return str(options.host)
    configured = deployment.listen.host
    if not options.emulator:
        return configured
    from gateway.cli.calling.loopback import LOOPBACK, is_loopback  # noqa: PLC0415 -- with the emulator alone

    return configured if is_loopback(configured) else LOOPBACK


def exports_wanted() -> Exports:
    """Return what the environment wants exported. Raises ``InputError`` where that is not possible."""
    exports = exports_of(os.environ, str(os.getpid()) if is_worker() else "")
    if exports:
        require_extra()
    return replace(exports, is_global=True)
