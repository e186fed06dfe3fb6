"""Taped calls at every provider, with planted secrets, numbers and words in all that is said and sent."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from gateway.audio.formats import AudioFormat
from gateway.sim.emulator import Script, Session
from gateway.sim.emulator.script import Latency
from gateway.sim.phone.observed import Tick
from gateway.sim.phone.phone import SimulatedPhone
from gateway.tape.tapes import Wanted
from tests.e2e.exchange import CALLER, Exchange, exchange
from tests.e2e.rig import noise
from tests.e2e.tool_server import tool_server
from tests.kinds import PROVEN_BY_START, STREAM_ONLY

WORDS = {
    "caller": "Marzipanhändler Okonkwo orders nineteen zeppelins",
    "bot": "Certainly Okonkwo, zeppelins are sold in Quellenburg",
    "greeting": "Welcome to Quirkwood Fishmongers",
    "instructions": "Never reveal the haddock discount of Quirkwood",
    "order": "marmalade-harpsichord",
    "output": "kumquat-warehouse",
    "email": "okonkwo@quirkwood.test",
}
"""Words that must be nowhere."""
NUMBERS = {"called": "+14255550100", "caller": CALLER, "transfer": "+12065550188", "said": "206 555 0147"}
KEYS = "4929130088167354#"


@dataclass
class TapedCall:
    """A call that was taped, and what must not be on its tape."""

    provider: str
    file: Path
    end: Mapping[str, object]
    secrets: dict[str, str]
    session: Session
    tokens: list[str] = field(default_factory=list)


def line(tool_url: str) -> str:
    """A line that says, calls and instructs what is planted."""
    tool = {
        "name": "order_status",
        "description": f"Looks up {WORDS['order']}.",
        "parameters": {"order": "string", "phone": "string"},
        "http": {"url": f"{tool_url}/ok"},
    }
    return (
        f"numbers: ['{NUMBERS['called']}']\ninstructions: {WORDS['instructions']}\n"
        f"greeting: {WORDS['greeting']}\nmodel: gpt-4.1\nvoice: en-US-AvaNeural\n"
        f"transfers: {{desk: {{to: '{NUMBERS['transfer']}', description: Quirkwood desk}}}}\n"
        f"on_failure: {{transfer: desk}}\ntools: {json.dumps(['end_call', 'transfer_call', tool])}\n"
    )


def script() -> Script:
    """A turn, a story that is talked over, a call of a tool, goodbye."""
    arguments = {"order": WORDS["order"], "phone": NUMBERS["said"], "mail": WORDS["email"]}
    return Script.model_validate(
        {
            "turns": [
                {"heard": WORDS["caller"], "say": WORDS["bot"]},
                {"heard": f"My number is {NUMBERS['said']}.", "say": "4000 ms of a story of Okonkwo"},
                {
                    "heard": WORDS["email"],
                    "call": {"name": "order_status", "arguments": arguments},
                    "after_call": "It is in the " + WORDS["output"],
                },
                {"call": {"name": "end_call"}, "after_call": "Goodbye Okonkwo"},
            ],
            "latency_ms": Latency.none().model_dump() | {"create": 40, "first_audio": 60},
            "vad": "scripted",
            "pace": 8,
        }
    )


async def taped_calls(
    folder: Path, providers: Iterable[str], *, audio: bool = False, formats: Mapping[str, AudioFormat] | None = None
) -> dict[str, TapedCall]:
    """Make one call at each provider; returns them by provider, once the tapes are on the disk."""
    names = list(providers)
    made: dict[str, TapedCall] = {}
    wanted = Wanted(folder / "tapes", CALLER, calls=len(names), audio=audio)
    wanted.folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        async with tool_server() as tools:
            patch.setattr(tools, "_answer", _planted)
            for name in names:
                async with exchange(folder / name, [name], {"support": line(tools.url)}, script(), tape=wanted) as held:
                    made[name] = await _call(held, name, (formats or {}).get(name))
    for name, call in made.items():
        (call.file,) = wanted.folder.glob(f"tape-{name}-*.jsonl")
    return made


async def _planted(how: str) -> object:
    return web.json_response({"state": WORDS["output"], "contact": WORDS["email"]})


async def _call(held: Exchange, provider: str, audio_format: AudioFormat | None) -> TapedCall:
    ticked = asyncio.Event()

    def tick(_: Tick) -> None:
        ticked.set()

    async def quiet(phone: SimulatedPhone) -> None:
        while not phone.playout.idle:
            ticked.clear()
            await ticked.wait()

    url = held.stream_url(provider) if provider in STREAM_ONLY else ""
    async with held.call(provider, NUMBERS["called"], url=url, audio_format=audio_format, on_tick=tick) as phone:
        phone.say(bytes(range(256)) * (phone.audio_format.bytes_for(20_000) // 256))
        session = await held.session_of("support")
        for turn in range(3):
            await held.told("support", "reply_heard", turn + 1)
            await quiet(phone)
            await session.speech_started()
            await asyncio.sleep(0.3)
            if turn == 0:
                for key in KEYS:
                    phone.key(key)
                await asyncio.sleep(1)
            await session.speech_stopped()
            if turn == 1:
                await held.told("support", "reply_started", 3)
                await asyncio.sleep(1)
                await session.speech_started()
                await asyncio.sleep(0.3)
                await session.speech_stopped()
                break
        await held.told("support", "tool_returned")
        await asyncio.sleep(1)
        await quiet(phone)
        await session.speech_started()
        await session.speech_stopped()
        await phone.closed.wait()
        end = await held.told("support", "call_ended")
        opened = phone.url
    account = held.accounts[provider]
    secrets = {name: value for name, value in {**account.settings, **account.secrets}.items() if "url" not in name}
    tokens = [] if url else [opened.rpartition("/")[2]]
    if provider in PROVEN_BY_START:  # the token is in the first message, and the address is the same for all
        tokens = [max(phone.wire.stream.parameters.values(), key=len)]
    return TapedCall(provider, Path(), end, secrets, session, tokens)
