"""A made-up call: twelve seconds, one barge-in, and the gateway's own account of it."""

from datetime import UTC, datetime

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import PCMU
from gateway.sim.caller.call import CallPlan, CallResult, Spoken
from gateway.sim.caller.measures import measure
from gateway.sim.caller.recording import Span
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.phone.observed import FrameClock, Received, Violation
from gateway.sim.phone.playout import Cleared

STARTED_AT = 5_000.0
LENGTH_MS = 12_000


def channel(*spans_ms: tuple[int, int]) -> bytes:
    """A side of the call: a tone in these spans."""
    samples = np.zeros(LENGTH_MS * 8)
    for start, end in spans_ms:
        samples[start * 8 : end * 8] = np.sin(np.arange((end - start) * 8) * 0.3) * 8_000
    return g711.encode(samples.astype(np.int16), PCMU)


def at(milliseconds: float) -> float:
    """``loop.time()`` so many milliseconds into the call."""
    return STARTED_AT + milliseconds / 1000


@pytest.fixture
def call() -> CallResult:
    """Greeting, question, a reply that is talked over after two seconds, another answer."""
    spoken = (
        Spoken("question.wav", 2_400, 3_600, (Span(2_500, 3_500),)),
        Spoken("wait.wav", 5_900, 7_000, (Span(6_000, 6_900),)),
    )
    caller_audio = channel((2_500, 3_500), (6_000, 6_900))
    bot_audio = channel((400, 1_600), (4_100, 6_100), (7_500, 9_500))
    clear = Received(at(6_095), "clear", 60_000, cleared=Cleared(16_000, 25_600, 34_400, ("r2-9",)))
    return CallResult(
        started=datetime(2026, 5, 4, 9, 30, 15, tzinfo=UTC),
        started_at=STARTED_AT,
        plan=CallPlan((), to="+14255550100", from_="+14255550199", url="ws://127.0.0.1:1/stream/twilio"),
        url="ws://127.0.0.1:1/stream/twilio",
        call_id="CA" + "1" * 32,
        stream_id="MZ" + "2" * 32,
        audio_format=PCMU,
        bot_format=PCMU,
        caller_audio=caller_audio,
        bot_audio=bot_audio,
        spoken=spoken,
        keys_ms=(1_250, 1_500, 1_750),
        messages=(Received(at(390), "media", 0, size=160), Received(at(391), "mark", 160, name="r1-1"), clear),
        violations=(Violation(at(1_000), 31951, "unknown field `track`"),),
        events=(
            TimelineEvent(at(400), "bot_started"),
            TimelineEvent(at(2_400), "caller_started", {"recording": "question.wav"}),
            TimelineEvent(at(391), "mark_set", {"name": "r1-1"}),
            TimelineEvent(at(6_095), "clear", {"played_ms": 2_000.0, "discarded_ms": 3_200.0, "marks": ["r2-9"]}),
        ),
        measures=measure(bot_audio, PCMU, [span for one in spoken for span in one.speech], [6_095]),
        clock=FrameClock(600, 1, 21.5),
        ended_by="caller",
        end_reason="the caller said everything",
        close_code=1000,
        unplayed_ms=0.0,
    )


CUT = {"text": "It is on its way", "unheard": "and comes tomorrow at noon."}
"""The words of a reply, more of them before the cut than its time would tell."""


@pytest.fixture
def notes() -> list[TimelineEvent]:
    """The gateway's account; transcripts come late, the reply's words come all at once."""
    return [
        TimelineEvent(at(20), "call_started", {"caller": "+14255550199", "called": "+14255550100"}),
        TimelineEvent(at(380), "reply_started", {"item_id": "r1", "latency_ms": None}),
        TimelineEvent(at(500), "reply_said", {"item_id": "r1", "text": "Hello, this is <Contoso> & Sons."}),
        TimelineEvent(at(1_610), "reply_heard", {"item_id": "r1", "heard_ms": 1_200, "received_ms": 1_200}),
        TimelineEvent(at(3_900), "caller_said", {"item_id": "c1", "text": "Where is my order?"}),
        TimelineEvent(at(4_050), "reply_started", {"item_id": "r2", "latency_ms": 300}),
        TimelineEvent(
            at(4_300), "reply_said", {"item_id": "r2", "text": "It is on its way and comes tomorrow at noon."}
        ),
        TimelineEvent(at(6_090), "reply_heard", {"item_id": "r2", "heard_ms": 2_000, "received_ms": 5_200, **CUT}),
        TimelineEvent(at(6_091), "barge_in", {"replies": [{"item_id": "r2", "heard_ms": 2_000, "received_ms": 5_200}]}),
        TimelineEvent(at(7_100), "caller_said", {"item_id": "c2", "text": "Wait, not tomorrow."}),
        TimelineEvent(at(7_450), "reply_started", {"item_id": "r3"}),
        TimelineEvent(at(7_600), "reply_said", {"item_id": "r3", "text": "Of course."}),
        TimelineEvent(at(12_010), "call_ended", {"reason": "caller_hung_up", "by": "caller", "detail": ""}),
    ]


@pytest.fixture
def acting_notes(notes: list[TimelineEvent]) -> list[TimelineEvent]:
    """The same account with keys, three tools and two transfers; of the phone's three keys one is not told."""
    acting = [
        TimelineEvent(at(1_255), "digit_pressed", {"digit": "1"}),
        TimelineEvent(at(1_505), "digit_pressed", {"digit": "2"}),
        TimelineEvent(at(1_900), "digits_entered", {"digits": "12"}),
        TimelineEvent(at(3_700), "tool_called", {"tool": "order_status", "call_id": "c1"}),
        TimelineEvent(at(3_800), "mcp_called", {"server": "crm", "tool": "get_customer", "item_id": "i1"}),
        TimelineEvent(at(4_110), "tool_returned", {**TOOL, "outcome": "ok", "took_ms": 410}),
        TimelineEvent(at(4_600), "mcp_returned", {**MCP, "outcome": "error", "took_ms": 800}),
        TimelineEvent(at(4_601), "mcp_returned", {**MCP, "outcome": "error", "took_ms": 801}),
        TimelineEvent(at(5_000), "tool_called", {"tool": "slow", "call_id": "c2"}),
        TimelineEvent(at(8_000), "transfer_started", {"target": "desk"}),
        TimelineEvent(at(9_000), "transfer_failed", {"target": "desk", "detail": "503"}),
        TimelineEvent(at(10_000), "transfer_started", {"target": "desk"}),
        TimelineEvent(at(11_000), "transferred", {"target": "desk"}),
    ]
    return sorted([*notes, *acting], key=lambda note: note.at)


TOOL = {"tool": "order_status", "call_id": "c1"}
MCP = {"server": "crm", "tool": "get_customer", "item_id": "i1"}
