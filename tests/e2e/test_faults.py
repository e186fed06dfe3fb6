"""Each kind of fault, alone: what becomes of a call on which it strikes."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.sim.faults import FaultPlan, drawn
from gateway.sim.faults.plan import PHONE_KINDS, SERVICE_KINDS, kind_of
from tests.e2e.chaos import mended
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, NUMBER, instant, noise
from tests.virtual_time import virtual_time

EVERY = {"connection": "every"}
DELTA = {"when": {"reply": 1, "delta": 2}}
SERVICE: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "refused by a reset": ({"kind": "refuse"}, "caller_hung_up"),
    "401": ({"kind": "refuse", "status": 401}, "voice_refused"),
    "403": ({"kind": "refuse", "status": 403}, "voice_refused"),
    "429 once": ({"kind": "refuse", "status": 429, "retry_after_s": 1}, "caller_hung_up"),
    "503 once": ({"kind": "refuse", "status": 503}, "caller_hung_up"),
    "503 for ever": ({"kind": "refuse", "status": 503, **EVERY}, "voice_unavailable"),
    "no answer": ({"kind": "no_answer", **EVERY}, "voice_unavailable"),
    "cut in a reply": ({"kind": "cut", **DELTA}, "recovered"),
    "reset in a reply": ({"kind": "reset", **DELTA}, "recovered"),
    "half open": ({"kind": "half_open", "when": {"s": 1}}, "recovered"),
    "expired": ({"kind": "expire", "after_s": 2}, "rolled over"),
    "a burst of errors": ({"kind": "errors", "when": {"s": 1}, "count": 10}, "recovered"),
    "a few errors": ({"kind": "errors", "when": {"s": 1}, "count": 3}, "caller_hung_up"),
    "a frame that is no event": ({"kind": "malformed", "when": {"s": 1}}, "caller_hung_up"),
    "deltas after a cancellation": ({"kind": "late_deltas"}, "caller_hung_up"),
    "mute for a time": ({"kind": "mute", "for_s": 2}, "caller_hung_up"),
}
PHONE: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "loss": ({"kind": "loss", "share": 0.5}, "caller_hung_up"),
    "jitter": ({"kind": "jitter", "max_ms": 300}, "caller_hung_up"),
    "burst": ({"kind": "burst", "when": {"s": 1}, "for_s": 1}, "caller_hung_up"),
    "stalled for a time": ({"kind": "stalled_reader", "when": {"s": 1}, "for_s": 1}, "caller_hung_up"),
    "vanished": ({"kind": "vanish", "when": {"reply": 1, "heard_s": 0.2}}, "stream_lost"),
    "reset": ({"kind": "reset", "when": {"s": 1}}, "stream_lost"),
}


async def come_of(held: Exchange, side: str, fault: Mapping[str, Any]) -> str:
    """Make a call with one fault: the reason of its end, or how it got another session."""
    held.notes.clear()
    faults = drawn(FaultPlan.model_validate({side: [fault]}), 1)
    held.emulator.faults = faults.service
    async with held.call("twilio", NUMBER, faults=faults.phone, keep=False) as phone:
        stays_s = 25 if fault["kind"] == "half_open" or "connection" in fault else 4
        try:
            async with asyncio.timeout(stays_s):
                await phone.closed.wait()
        except TimeoutError:
            phone.hang_up()
        await phone.closed.wait()
    end = str((await held.told("support", "call_ended"))["reason"])
    mended(held)
    if end == "caller_hung_up":
        replaced = {"session_recovered": "recovered", "session_rolled_over": "rolled over"}
        end = next((told for note, told in replaced.items() if held.fields("support", note)), end)
    assert {one.kind for one in faults.struck} == ({fault["kind"]} if end != "rolled over" else set())
    return end


def test_what_comes_of_each_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No call ends because of a fault that another session or another moment does not have."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    line = LINE.replace("Hello.", "1500 ms")

    @virtual_time
    async def all_of_them() -> None:
        async with exchange(tmp_path, ["twilio"], {"support": line}, instant(), limit_s=900) as held:
            for side, table in (("service", SERVICE), ("phone", PHONE)):
                for name, (fault, expected) in table.items():
                    assert (name, await come_of(held, side, fault)) == (name, expected)

    all_of_them()


def test_every_kind_is_tried() -> None:
    """Of either side."""
    for kinds, table in ((SERVICE_KINDS, SERVICE), (PHONE_KINDS, PHONE)):
        assert {kind_of(kind) for kind in kinds} == {fault["kind"] for fault, _ in table.values()}
