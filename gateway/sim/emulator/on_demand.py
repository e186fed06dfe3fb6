"""Faults on demand, as the emulator carries them out: what they make of the script, and what they do at a moment."""

import asyncio
import math
from typing import TYPE_CHECKING

from gateway.sim.emulator.faults import HandshakeFault
from gateway.sim.emulator.script import Script
from gateway.sim.faults.plan import Cut, Errors, Fault, HalfOpen, Malformed, NoAnswer, Refuse, Reset
from gateway.sim.faults.service import ConnectionFaults

if TYPE_CHECKING:
    from gateway.sim.emulator.outgoing import Outgoing


def handshake_fault(fault: Refuse | NoAnswer | None) -> HandshakeFault | None:
    """Return the failure of a handshake as the server carries it out."""
    match fault:
        case None:
            return None
        case NoAnswer():
            return HandshakeFault(never=True)
        case Refuse(status=None):
            return HandshakeFault(reset=True)
        case Refuse(status=status, retry_after_s=retry_after_s):
            return HandshakeFault(status=status, retry_after_s=retry_after_s)


def with_faults(script: Script, faults: ConnectionFaults) -> Script:
    """Return the script of a connection with these faults: its lifetime, and what follows a cancellation."""
    changes: dict[str, object] = {}
    if faults.late_deltas is not None:
        changes["late_deltas"] = faults.late_deltas
    if faults.lifetime_s is not None:
        changes["faults"] = script.faults.model_copy(update={"expire_after_s": faults.lifetime_s})
    return script.model_copy(update=changes) if changes else script


async def strike_in_time(out: "Outgoing", faults: ConnectionFaults) -> None:
    """Carry out what strikes at a time, until nothing is left."""
    loop = asyncio.get_running_loop()
    while (at := faults.next_at()) < math.inf:
        await asyncio.sleep(at - loop.time())
        if out.over:
            return
        for fault in faults.due(loop.time()):
            await strike(out, fault)


async def strike(out: "Outgoing", fault: Fault) -> None:
    """Carry out one fault now."""
    match fault:
        case Cut(code=code, reason=reason):
            out.cut("close", code, reason)
        case Reset():
            out.cut("reset", 1006, "")
        case HalfOpen():
            out.cut("freeze", 1006, "")
            await out.abandoned()
        case Errors(count=count, code=code):
            for _ in range(count):
                await out.emit("error", error=server_error(code))
        case Malformed(frame=frame):
            await out.raw(frame)


def server_error(code: str) -> dict[str, object]:
    """Return the body of an error event for trouble of the service's own."""
    message = "The server had an error while processing your request. Sorry about that!"
    return {"type": "server_error", "code": code, "message": message, "param": None, "event_id": None}
