"""The emulator that a command runs until it is stopped: for ``gateway emulator`` and ``gateway serve --emulator``."""

import argparse
from pathlib import Path

import structlog

from gateway.cli.calling.faults import drawn_from
from gateway.errors import InputError
from gateway.sim.emulator import Emulator, Script, load_script
from gateway.sim.emulator.dialect import DialectName
from gateway.sim.faults import load_faults

log = structlog.get_logger()

KEPT_SESSIONS = 100
"""Ended sessions that the emulator remembers; the number is bounded because it may run for months."""


def emulator_of(
    options: argparse.Namespace,
    host: str = "127.0.0.1",
    port: int = 0,
    script: Path | None = None,
    *,
    tls: bool = False,
    dialect: DialectName | None = None,
) -> Emulator:
    """Return the emulator with the faults that the options ask for.

    Connections count from its start, whichever calls they belong to. ``InputError`` for files that cannot be used.
    """
    said = load_script(script) if script else Script.for_anyone()
    if dialect is not None:
        said = said.model_copy(update={"dialect": dialect})
    emulator = Emulator(said, host, port, keep_sessions=KEPT_SESSIONS, tls=tls)
    if options.faults is None:
        if options.seed is not None:
            raise InputError("--seed: there is nothing to draw, expected it beside --faults")
        return emulator
    plan = load_faults(options.faults)
    if plan.phone:
        raise InputError(f"--faults: {options.faults} breaks a phone, and none is simulated here; take out phone:")
    faults = drawn_from(plan, options.seed)
    log.info("faults_drawn", file=str(options.faults), seed=faults.seed)
    emulator.faults = faults.service
    return emulator
