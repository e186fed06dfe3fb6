# ruff: noqa: T201 -- an example that prints what happens
"""Plays a simulated call to one of the shipped lines with its tools, without an account and a network.

    python examples/play.py support
    python examples/play.py restaurant

Starts `booking_server.py` on 127.0.0.1:8081, where the lines expect it, and calls the line with `gateway call`. The
exit code is that of the call.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
RECORDINGS = ROOT / "gateway" / "sim" / "prompts" / "caller"
CARD = "4111111111111111"
"""A number that card companies give out for tests."""
CALLS = {
    "support": ["order_17.wav", "yes_please.wav", "somebody.wav", "--to", "+14255550100", "--press", f"{CARD}@24"],
    "restaurant": ["table.wav", "yes_please.wav", "somebody.wav", "--to", "+14255550101"],
}
"""What the caller says and keys; the card once the bot has asked for it and waits."""


@contextmanager
def back_end() -> Iterator[None]:
    """The server of the tools. The shipped lines do not sign, so that it must not ask for a signature."""
    unsigned = {name: value for name, value in os.environ.items() if name != "TOOL_SECRET"}
    command = [sys.executable, HERE / "booking_server.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=unsigned) as server:  # noqa: S603 -- our own server
        try:
            if server.stdout is None or not server.stdout.readline():
                sys.exit("the server of the tools did not start: is something else on port 8081?")
            yield
        finally:
            server.terminate()
            told = server.stdout.read().decode() if server.stdout else ""
    print("\nThe server was asked:", *told.splitlines(), sep="\n  ")


def play(name: str) -> int:
    """One call from its start to its end."""
    words = [str(RECORDINGS / word) if word.endswith(".wav") else word for word in CALLS[name]]
    command = [sys.executable, "-m", "gateway", "call", *words, "--script", str(HERE / f"{name}.script.yaml")]
    with back_end():
        return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 -- our own command


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("line", choices=list(CALLS))
    sys.exit(play(parser.parse_args().line))
