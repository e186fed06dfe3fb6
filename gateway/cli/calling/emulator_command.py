"""``gateway emulator``: the Voice Live emulator alone, until it is stopped."""

import argparse
from pathlib import Path

from gateway.cli.calling.fault_options import add_faults_and_seed
from gateway.cli.loop import run
from gateway.cli.starting.options import add_log_options, address, configure_logs, port
from gateway.cli.stopping import stop_on_signals
from gateway.errors import GatewayError

EMULATOR_PORT = 8090


def add_emulator(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway emulator``."""
    parser.add_argument("--host", type=address, default="127.0.0.1", help="listen here (default 127.0.0.1)")
    parser.add_argument("--port", type=port, default=EMULATOR_PORT, help=f"default {EMULATOR_PORT}; 0 takes a free one")
    parser.add_argument("--script", type=Path, metavar="FILE", help="what it says and does (default: a short dialogue)")
    parser.add_argument(
        "--tls",
        action="store_true",
        help="serve wss, with a certificate made at the start; prints what clients have to trust",
    )
    parser.add_argument(
        "--dialect",
        choices=["voice_live", "ga"],
        help="the names of its events: voice_live, or ga, OpenAI's newer ones (default: those of the client's version)",
    )
    parser.add_argument("--facts", action="store_true", help="print what it does, its sources, and how certain it is")
    add_faults_and_seed(parser, "what breaks in its sessions, and when")
    add_log_options(parser)
    parser.set_defaults(run=lambda options: _facts() if options.facts else run(_emulator(options)))


def _facts() -> int:
    from gateway.sim.emulator.facts.reading import lines_of, load_facts  # noqa: PLC0415 -- no other command has to load it

    print("\n".join(lines_of(load_facts())))
    return 0


async def _emulator(options: argparse.Namespace) -> int:
    from gateway.cli.calling.emulated import emulator_of  # noqa: PLC0415 -- no other command has to load it

    stop = stop_on_signals()
    configure_logs(options)
    try:
        async with emulator_of(
            options, options.host, options.port, options.script, tls=options.tls, dialect=options.dialect
        ) as emulator:
            print(f"Voice Live emulator: {emulator.endpoint}  (any API key; Ctrl-C stops it)", flush=True)
            if emulator.ca_file is not None:
                print(f"Its clients trust:   {emulator.ca_file}  (SSL_CERT_FILE, NODE_EXTRA_CA_CERTS)", flush=True)
            await stop.asked.wait()
    except OSError as error:
        raise GatewayError(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}") from None
    return 0
