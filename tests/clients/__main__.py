"""The command ``python -m tests.clients``."""

import argparse
import sys
from collections.abc import Callable, Mapping

from tests.clients import table
from tests.clients.conversations import Client
from tests.clients.voicelive_sdk import live_tests, samples

CLIENTS: Mapping[str, Callable[[], table.Row]] = {
    "voicelive-sdk": live_tests.run,
    "voicelive-samples": samples.run,
    "livekit": Client(
        "LiveKit's plug-in for Azure",
        "livekit-plugins-azure",
        ["livekit-plugins-azure[realtime]", "livekit-agents"],
        "livekit_agent",
    ).run,
    "pipecat": Client("Pipecat", "pipecat-ai", ["pipecat-ai[azure,websocket]"], "pipecat_bot", tls=True).run,
    "pydantic-ai": Client(
        "pydantic-ai", "pydantic-ai-slim", ["pydantic-ai-slim[openai,realtime]"], "pydantic_ai_session", tls=True
    ).run,
    "javascript-sdk": Client(
        "`@azure/ai-voicelive` (JavaScript SDK)",
        "@azure/ai-voicelive",
        ["@azure/ai-voicelive", "@azure/core-auth"],
        "javascript_sdk.mjs",
    ).run,
}


def main() -> int:
    """Run the clients that were asked for; return 1 where one of them found a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description="Foreign clients on the emulator.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CLIENTS)}; all if left out")
    parser.add_argument("--write", action="store_true", help="write the rows into docs/emulator.md")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in CLIENTS]:
        parser.error(f"{unknown[0]}: expected one of {', '.join(CLIENTS)}")
    rows = []
    for name in options.names or CLIENTS:
        rows.append(CLIENTS[name]())
        print(rows[-1], flush=True)  # noqa: T201 -- a command prints
    if options.write:
        table.PAGE.write_text(table.written(table.PAGE.read_text("utf-8"), rows), "utf-8")
    return 0 if all(row.good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
