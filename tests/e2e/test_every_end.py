"""What follows a call for each reason of its end, at providers of each kind: who was served is not rescued."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.call.conversation import Conversation
from gateway.call.messages import Commands, Event
from gateway.sim.phone.phone import SimulatedPhone
from gateway.voice.events import CallerPaused
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, instant, noise
from tests.e2e.test_following import RESCUE, calling, told
from tests.e2e.test_outlived_streams import COMMANDED, NUMBERS, line_of
from tests.virtual_time import virtual_time

CASES = ("twilio", "telnyx", COMMANDED, "vonage", "acs")
"""One that asks for what follows, one that has it in its first answer, and three whose calls outlive their streams."""
KEYS = f"""
tools: [end_call]
transfers: {{sales: "+14255550188"}}
silence: {{after_s: 2, times: 1, say: 100 ms}}
after: {{say: Thank you.}}
on_failure: {{say: Sorry., transfer: "{RESCUE}"}}
on_trouble: {{tries: 0}}
"""
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "voice_refused": {"handshake": {"status": 401}},
    "voice_unavailable": {"handshake": {"status": 503}},
    "voice_lost": {"cut": {"at": "response.done"}},
}
SERVED = ("bot_hung_up", "silence", "time_limit")
FAILED = (*FAULTS, "stream_lost", "shut_down", "fault")


handle = Conversation.handle


def failing(conversation: Conversation, event: Event, now: float) -> Commands:
    """Fail by a bug where the caller has spoken."""
    if isinstance(event, CallerPaused):
        raise ZeroDivisionError
    return handle(conversation, event, now)


async def bring_about(reason: str, held: Exchange, case: str, phone: SimulatedPhone) -> None:
    """Do what ends the call by that reason."""
    if reason in FAULTS:
        return
    await held.told(line_of(case), "reply_heard")
    if reason == "caller_hung_up":
        phone.hang_up()
    elif reason == "stream_lost":
        phone.ended_by, phone.end_reason = "gateway", "the stream was lost on the way"
        await phone._session.close()
    elif reason == "shut_down":
        held.gateway.calls.end_now()  # without a word of the bot's
        await held.gateway.calls.drain(0, 60)
    elif reason != "silence":
        session = await held.session_of(line_of(case))
        await session.speech_started()
        if reason != "time_limit":
            await session.speech_stopped()


@pytest.mark.parametrize("reason", [*SERVED, "caller_hung_up", *FAILED])
def test_what_follows_each_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    """The farewell after an end in order, the rescue after a failure, nothing where the caller has gone."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    if reason == "fault":
        monkeypatch.setattr(Conversation, "handle", failing)
    text = LINE.partition("\n")[2].replace("Hello.", "200 ms")
    keys = KEYS + ("limits: {duration_s: 20}\n" if reason == "time_limit" else "")
    lines = {line_of(case): f'numbers: ["{NUMBERS[case]}"]\n{text}{keys}' for case in CASES}
    script = instant({"say": "100 ms", "call": {"name": "end_call"}}, faults=dict(FAULTS.get(reason, {})))

    @virtual_time
    async def ended() -> None:
        providers = {case.partition(" ")[0] for case in CASES}
        async with exchange(tmp_path, providers, lines, script, limit_s=600) as held:

            async def one(case: str) -> SimulatedPhone:
                async with calling(held, case) as phone:
                    await bring_about(reason, held, case, phone)
                    await phone.closed.wait()
                return phone

            phones = await asyncio.gather(*(one(case) for case in CASES))
            for case, phone in zip(CASES, phones, strict=True):
                assert (case, (await held.told(line_of(case), "call_ended"))["reason"]) == (case, reason)
                said, reached = told(phone)
                words = {SERVED: ["Thank you."], FAILED: ["Sorry."]}
                wanted = next((text for reasons, text in words.items() if reason in reasons), [])
                assert (case, said) == (case, [] if case == "acs" else wanted)
                assert (case, reached) == (case, [RESCUE] if reason in FAILED else [])

    ended()
