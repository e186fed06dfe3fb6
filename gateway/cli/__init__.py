"""The ``gateway`` command. Exit codes: 0 fine, 1 what was run failed, 2 wrong input.

starting/          the start of a command: which there are, and what all of them have in common
serve              ``gateway serve``
serving/           one process that takes calls
loop               the event loop
stopping           stops a long command by signals
workers            ``serve --workers N``: the supervisor
processes/         the sockets and the starts of the processes of ``serve --workers N``
worker             ``serve --workers N``: one worker
check              ``gateway check`` and ``gateway schema``
doctor             ``gateway doctor``: tries what a call needs
checking/          checks a configuration without a network
call               ``gateway demo`` and ``gateway call``
calling/           places a simulated call and reports it
emulated_identity  the identity for the emulator
init               ``gateway init``: writes a configuration that works
point              ``gateway point``: sets a number's webhook
accounts           finds an account by its name
providers          ``gateway providers``: what each provider can do
console/           ``gateway console``, ``gateway try``, and the console that ``serve`` brings
tape               ``gateway tape``: what is left on a tape, and what it shows; the options of ``serve`` that make one
records/           reads and keeps the records of calls
completion         ``gateway completion``: completes commands in a shell
tables             tables for a terminal

May import every package. Only ``gateway.__main__`` may import it.
"""

import sys
from collections.abc import Sequence

from gateway.cli.processes.given import has_place, is_spare
from gateway.cli.starting.commands import command_line, loading
from gateway.cli.starting.exits import FAILED
from gateway.logs.outlet import outlets


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Print a failure as a few lines on standard error, never as a traceback.

    A reader that closes the pipe early (``gateway schema | head``) is no failure.
    """
    if is_spare():
        with loading():
            from gateway.cli import serve  # noqa: F401, PLC0415 -- what a worker needs, and no other command
            from gateway.cli.serving import process  # noqa: F401, PLC0415 -- the same
        if not has_place():
            return 0
    with outlets() as written:
        code = _run(arguments)
        for outlet in written:
            outlet.flush()
        failures = [outlet.failure for outlet in written if outlet.failure]
        if failures:
            print(f"the output cannot be written: {failures[0]}", file=sys.stderr)
    return FAILED if failures and not code else code


def _run(arguments: Sequence[str] | None) -> int:
    options = command_line().parse_args(arguments)
    options.arguments = sys.argv[1:] if arguments is None else arguments
    from gateway.cli.starting.running import run_command  # noqa: PLC0415 -- loads more than ``--help`` needs

    return run_command(options)
