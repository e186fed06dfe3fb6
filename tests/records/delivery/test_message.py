"""The message of a delivery, of a record."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from gateway.config.records.deliver import Included
from gateway.records.delivery.events import Facts
from gateway.records.delivery.message import LONGEST, CallParts, message
from gateway.records.rows import CallRow, RecordingRow, TurnRow, UsageRow

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
ALL: tuple[Included, ...] = ("transcript", "usage", "recording_url")
CALL = CallRow(
    call_key="k1",
    call_id="CA1",
    provider="twilio",
    line="support",
    generation="g1",
    caller="+1425…11",
    called="+14255550100",
    caller_hash="secret-hash",
    started=START,
    answered=START + timedelta(seconds=1),
    ended=START + timedelta(seconds=61),
    state="ended",
    reason="caller_hung_up",
    by="caller",
    duration_s=61.0,
    turns=1,
    model="gpt-realtime",
    session_s=60.0,
    trace_id="t1",
    cost_nanos=12_345_678,
    currency="USD",
)
NAMES = ["key", "id", "provider", "line", "generation", "caller", "called", "started", "trace_id"]


def turn(n: int, who: Literal["caller", "bot"], words: str, unheard: str = "") -> TurnRow:
    """A turn, a second after the one before."""
    return TurnRow(
        call_key="k1",
        n=n,
        who=who,
        item_id=f"i{n}",
        started_ms=1000 * n,
        ended_ms=1000 * n + 500,
        words=words,
        unheard=unheard,
        interrupted=bool(unheard),
    )


TURNS = [turn(1, "bot", "Hello, how", "can I help?"), turn(0, "caller", "Hi."), turn(2, "bot", "")]
USAGE = [
    UsageRow(call_key="k1", n=n, at_ms=1000, response_id=f"r{n}", model="m", input_audio=100, output_text=n)
    for n in range(2)
]
RECORDING = RecordingRow(call_key="k1", url="az://calls/k1.wav", state="uploading")


def data_of(event: str = "call.ended", include: Sequence[Included] = ALL, *, words: bool = True, **parts: Any) -> Any:
    """The message of an event, read."""
    whole = {"turns": TURNS, "usage": USAGE, "recordings": [RECORDING], **parts}
    facts = Facts(START, {"target": "desk"} if event.startswith("transfer") else {})
    return json.loads(message(event, facts, CallParts(CALL, **whole), include, words=words))


def test_the_end_of_a_call_tells_all_that_is_asked_for() -> None:
    """The words in the order of time, of the bot those that were heard and those that were not."""
    assert data_of() == {
        "type": "call.ended",
        "timestamp": "2026-05-04T09:00:00Z",
        "version": 1,
        "data": {
            "call": {
                "key": "k1",
                "id": "CA1",
                "provider": "twilio",
                "line": "support",
                "generation": "g1",
                "caller": "+1425…11",
                "called": "+14255550100",
                "started": "2026-05-04T09:00:00Z",
                "trace_id": "t1",
                "state": "ended",
                "answered": "2026-05-04T09:00:01Z",
                "ended": "2026-05-04T09:01:01Z",
                "reason": "caller_hung_up",
                "by": "caller",
                "detail": "",
                "duration_s": 61.0,
                "turns": 1,
                "model": "gpt-realtime",
            },
            "usage": {
                "responses": 2,
                "tokens": {
                    **{f"{way}_{kind}": 0 for way in ("input", "cached") for kind in ("text", "audio", "image")},
                    "input_audio": 200,
                    "output_text": 1,
                    "output_audio": 0,
                },
                "session_s": 60.0,
                "caller_audio_s": None,
                "bot_audio_s": None,
            },
            "cost": {"amount": "0.012345678", "currency": "USD", "note": ""},
            "recording_url": "az://calls/k1.wav",
            "recording_state": "uploading",
            "transcript": [
                {
                    "who": "caller",
                    "started_ms": 0,
                    "ended_ms": 500,
                    "words": "Hi.",
                    "unheard": "",
                    "interrupted": False,
                },
                {
                    "who": "bot",
                    "started_ms": 1000,
                    "ended_ms": 1500,
                    "words": "Hello, how",
                    "unheard": "can I help?",
                    "interrupted": True,
                },
            ],
            "transcript_left_out": 0,
        },
    }


def test_what_is_not_asked_for_is_not_there() -> None:
    """Nor is a transcript where the records keep no words."""
    assert data_of(include=()).keys() == {"type", "timestamp", "version", "data"}
    assert data_of(include=())["data"].keys() == {"call"}
    assert "transcript" not in data_of(words=False)["data"]
    assert data_of(include=["recording_url"], recordings=[])["data"]["recording_url"] is None


@pytest.mark.parametrize("event", ["call.started", "transfer.started", "tool.failed", "recording.stored"])
def test_an_event_that_is_no_end_is_the_same_whenever_it_is_sent(event: str) -> None:
    """It tells nothing that was not known then, however late it is taken, and no words."""
    data = data_of(event)["data"]
    assert list(data["call"]) == NAMES
    assert data.keys() - {"event"} == {"call"}
    assert data_of("transfer.started")["data"]["event"] == {"target": "desk"}


def test_a_long_transcript_is_bounded() -> None:
    """The newest turns are kept, and those that are left out are counted."""
    turns = [turn(n, "caller", "Grüße und Küsse. " * 100) for n in range(1000)]
    facts = Facts(START)
    body = message("call.ended", facts, CallParts(CALL, turns), ["transcript"], words=True)
    assert LONGEST * 0.95 < len(body) <= LONGEST
    data = json.loads(body)["data"]
    assert data["transcript"][-1]["started_ms"] == 999_000
    assert 0 < len(data["transcript"]) == 1000 - data["transcript_left_out"]


def test_one_turn_that_is_too_long_is_left_out() -> None:
    """The message is bounded whatever a call consists of."""
    body = message("call.ended", Facts(START), CallParts(CALL, [turn(0, "bot", "x" * LONGEST)]), ALL, words=True)
    assert len(body) <= LONGEST
    assert json.loads(body)["data"]["transcript_left_out"] == 1


def test_a_cost_that_is_not_known_is_none() -> None:
    """It is not 0."""
    unknown = CallRow(call_key="k", call_id="c", provider="p", line="l", started=START)
    body = message("call.ended", Facts(START), CallParts(unknown), ["usage"], words=True)
    assert json.loads(body)["data"]["cost"] is None


def test_what_finds_a_number_is_not_told() -> None:
    """The keyed hash of a number stays in the database."""
    assert "secret-hash" not in json.dumps(data_of())
