"""Plays a tape: both ends of the call come from it, and the gateway stands between them."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from gateway.app import serving
from gateway.call.record import CallIdentity, TimedNote
from gateway.sim.emulator import Emulator, Script
from gateway.tape.form import Tape
from tests.e2e.rig import configuration, load
from tests.e2e.tool_server import tool_server
from tests.tapes.peer import play_phone, voice_of

END_LIMIT_S = 30.0


async def replayed(
    tape: Tape, folder: Path, line: Callable[[str], str], *, emulated: Script | None = None
) -> dict[str, object]:
    """Return how the call ends; ``line`` makes the line's file for the address of a server of tools.

    With ``emulated`` the emulator is the service, and only the provider's end is the tape's.
    """
    ends: list[dict[str, object]] = []

    def observe(identity: CallIdentity, note: TimedNote) -> None:
        if note.note.event == "call_ended":
            ends.append(note.note.fields())

    provider = tape.header.provider
    gateway = f'providers: {{{provider}: {{}}}}\nstreams: {{auth: "off"}}\n'
    async with AsyncExitStack() as stack:
        tools = await stack.enter_async_context(tool_server())
        if emulated is not None:
            endpoint = (await stack.enter_async_context(Emulator(emulated))).endpoint
        else:
            endpoint = await stack.enter_async_context(voice_of(tape))
        deployment, lines = load(configuration(folder, {"support": line(tools.url)}, gateway))
        served = await stack.enter_async_context(
            serving(
                deployment,
                lines,
                endpoint=endpoint,
                api_key="any",
                host="127.0.0.1",
                observers=(observe,),
                clock=asyncio.get_running_loop().time,
            )
        )
        await play_phone(tape, f"{served.url.replace('http', 'ws', 1)}/stream/{provider}/support")
        async with asyncio.timeout(END_LIMIT_S):
            while not ends:  # noqa: ASYNC110 -- the note comes when both sockets are closed
                await asyncio.sleep(0.1)
    return ends[0]


def end_on(tape: Tape) -> dict[str, object]:
    """Return how the call on a tape ended."""
    notes = [record.facts or {} for _, record in tape.of("gateway", kind="note")]
    return next(note for note in notes if note.get("kind") == "call_ended")
