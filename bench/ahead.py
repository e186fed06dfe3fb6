"""How soon the caller hears the greeting, with and without a session that is opened at the call's webhook.

Emulator, gateway and simulated phones of Twilio in one process, in virtual time: what is measured is waiting, which the
machine does not change. The provider takes its time between our answer and the stream.
"""

import asyncio
import random
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.app import serving
from gateway.config import Lines, load_deployment
from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Emulator, Script
from gateway.sim.phone.observed import Tick
from gateway.sim.phone.playout import FRAME_MS
from gateway.sim.virtual_time import VirtualTimeLoop

SEED, CALLS = 13, 40
CONNECT_MS = 400
SETUPS_S = ((0.1, 0.3), (0.3, 0.8), (0.8, 2.0))
"""The bounds of the time from the answer to the stream."""
NUMBER, CALLER, SECRET = "+14255550100", "+14155550123", "0123456789abcdef"
GREETING = "Thank you for calling Contoso. How can I help?"
"""One of the recorded prompts, which an Azure voice says word for word."""
LINE = f'numbers: ["{NUMBER}"]\ninstructions: Answer the phone.\nmodel: gpt-4.1\ngreeting: {GREETING}\n'


@dataclass(frozen=True)
class Row:
    """From the stream's start to the first audible frame, in milliseconds, for each way and each call."""

    setup_s: tuple[float, float]
    without: Sequence[int]
    ahead: Sequence[int]


def measure(calls: int = CALLS, setups_s: Sequence[tuple[float, float]] = SETUPS_S) -> list[Row]:
    """Make ``calls`` calls, one after the other, for each time that the provider takes and each way."""
    return [Row(bounds, _calls(0, bounds, calls), _calls(1, bounds, calls)) for bounds in setups_s]


def table(rows: Sequence[Row]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "| answer → stream, s | stream → first audible frame, ms p50 / p95 | the same, opened ahead |",
        "|---|---|---|",
    ]
    for row in rows:
        shortest, longest = row.setup_s
        lines.append(f"| {shortest:g} to {longest:g} | {_spread(row.without)} | {_spread(row.ahead)} |")
    return "\n".join(lines)


def _spread(times_ms: Sequence[int]) -> str:
    ordered = sorted(times_ms)
    p50, p95 = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95))
    return f"{p50} / {p95}"


def _calls(open_ahead: int, setup_s: tuple[float, float], calls: int) -> list[int]:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return runner.run(_all(Path(folder), open_ahead, setup_s, calls))


async def _all(folder: Path, open_ahead: int, setup_s: tuple[float, float], calls: int) -> list[int]:
    chance = random.Random(SEED)
    script = Script.model_validate({"turns": [{"say": "Yes."}], "latency_ms": {"handshake": CONNECT_MS}})
    (folder / "lines").mkdir()
    (folder / "lines" / "support.yaml").write_text(LINE, "utf-8")
    (folder / "gateway.yaml").write_text(f"voice_live: {{open_ahead: {open_ahead}}}\nproviders: {{twilio: {{}}}}\n")
    deployment = load_deployment(folder / "gateway.yaml", {"TWILIO_AUTH_TOKEN": SECRET})
    clock = asyncio.get_running_loop().time
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        deployment = deployment.model_copy(update={"public_url": url})
        async with Emulator(script) as service:
            lines, endpoint = Lines(deployment), service.endpoint
            async with serving(deployment, lines, endpoint=endpoint, api_key="any", listener=listener, clock=clock):
                return [await _heard_after_ms(url, chance.uniform(*setup_s)) for _ in range(calls)]


async def _heard_after_ms(url: str, setup_s: float) -> int:
    heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def tick(tick: Tick) -> None:
        if tick.heard.size and not heard.done():
            heard.set_result(tick.number * FRAME_MS)

    async with dial(
        "twilio",
        answer_url=f"{url}/answer/twilio",
        to=NUMBER,
        from_=CALLER,
        secrets={"auth_token": SECRET},
        on_tick=tick,
        setup_s=setup_s,
    ):
        return await heard
