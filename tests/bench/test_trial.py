"""The bench measures what it says: a small trial of the plain bridge, and the arithmetic under it."""

import contextlib
import dataclasses
import math
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from bench import report, tags, trial
from bench.conditions import Conditions
from bench.plain_bridge import session
from bench.result import Result, Spread
from bench.target import Program, Target
from bench.websocket import frame, frames_in, unmask

FINE = Spread(0.2, 2.0, 5.0, 1000)
WELL = Result(
    target="gateway", calls=1, window_s=8.0, cpu_percent=0.4, memory_kb=80.0,
    to_voice=FINE, to_phone=FINE, barge_in=FINE, barge_ins_missed=0,
    frames_sent=1000, frames_lost=0, replies=10, frames_heard=2000, late_frames=0, reply_frames_lost=0, stale_frames=0,
    garbled=0, calls_failed=0, sessions_left=0, load_percent=20.0, load_lateness=FINE, load_reading=FINE,
    others_percent=0.0,
)  # fmt: skip


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("name", "is_plain"), [("plain", False), ("relay", False), ("relay", True)])
def test_a_trial_sees_every_call_whole(monkeypatch: pytest.MonkeyPatch, name: str, *, is_plain: bool) -> None:
    """Frames arrive in both directions, unharmed and in order, and when the calls end so do their sessions."""
    monkeypatch.setattr(trial, "SETTLE_S", 0.2)
    result = trial.run(Program(name), calls=2, seconds=2.0, conditions=Conditions(is_plain=is_plain))
    assert result.conditions.is_plain is is_plain
    assert result.started_in_s > 0
    assert result.calls_failed == 0
    assert result.frames_sent > 0
    assert result.to_voice.count > 0
    assert result.to_phone.count > 0
    assert result.garbled == 0
    assert result.unexpected == {}
    assert result.sessions_left == 0
    assert result.cpu_percent > 0


@pytest.mark.parametrize(
    ("changes", "is_well"),
    [
        ({}, True),
        ({"late_frames": 1}, True),
        ({"late_frames": 2}, False),
        ({"frames_lost": 1}, False),
        ({"reply_frames_lost": 1}, False),
        ({"stale_frames": 1}, False),
        ({"garbled": 1}, False),
        ({"barge_ins_missed": 1}, False),
        ({"calls_failed": 1}, False),
        ({"to_voice": Spread(1.0, 20.0, 30.0, 1000)}, False),
        ({"to_phone": Spread.of([])}, False),
    ],
)
def test_a_trial_goes_well_where_a_caller_notices_nothing(changes: dict[str, Any], is_well: bool) -> None:
    """Whatever a caller would notice makes it not well."""
    assert dataclasses.replace(WELL, **changes).is_well is is_well


@pytest.mark.timeout(180)
def test_calls_that_never_open_have_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that takes connections and answers none of them carries no calls, and a remark says so."""
    monkeypatch.setattr(trial, "OPEN_S", 0.2)
    monkeypatch.setattr(trial, "SETTLE_S", 0.1)
    monkeypatch.setattr(trial, "GRACE_S", 0.1)
    monkeypatch.setattr(trial, "HANG_UP_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        target = Target("plain", deaf.getsockname()[1], os.getpid(), is_profiled=False)
        monkeypatch.setattr(trial, "running", lambda *_, **__: contextlib.nullcontext(target))
        result = trial.run(Program("plain"), calls=2, seconds=0.2)
    assert result.calls_failed == 2
    assert not result.is_well
    assert "plain at 2 calls: 2 calls failed or never opened." in report.remarks([result])


def test_time_of_threads_and_children_that_ended_is_counted() -> None:
    """Else a program that gives its work to short-lived threads would cost nothing."""
    target = Target("plain", 0, os.getpid(), is_profiled=False)
    before = target.cpu_s()

    def work() -> None:
        until = time.thread_time() + 0.1
        while time.thread_time() < until:
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    after_thread = target.cpu_s()
    assert after_thread - before >= 0.1
    code = "import time\nwhile time.process_time() < 0.2: pass"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 -- a fixed command
    assert target.cpu_s() - after_thread >= 0.15


def test_the_plain_bridge_asks_for_the_phones_own_codec() -> None:
    """The yardstick transcodes nothing, so that it is no straw man."""
    asked = session()
    assert asked["input_audio_format"] == asked["output_audio_format"] == "g711_ulaw"
    assert asked["turn_detection"]["type"] == "azure_semantic_vad"


def test_frames_are_found_whole_and_the_rest_is_kept() -> None:
    """RFC 6455 §5.2: three lengths of payload, and a frame of which the last byte is still to come."""
    payloads = [b"a" * 5, b"b" * 300, b"c" * 70_000]
    data = b"".join(frame(payload, masked=False) for payload in payloads)
    found, rest = frames_in(data + frame(b"d" * 9, masked=False)[:-1])
    assert [data[start:end] for _, _, start, end in found] == payloads
    assert rest == len(data)


def test_a_masked_payload_is_read() -> None:
    """RFC 6455 §5.7: the masked "Hello" of the examples."""
    data = bytes.fromhex("818537fa213d7f9f4d5158")
    (_, key, start, end), *_ = frames_in(data)[0]
    assert unmask(data, key, start, end) == b"Hello"


def test_a_caller_frame_is_known_by_its_first_twelve_characters() -> None:
    """What a phone sends is 160 bytes, of which the text names the call and the number."""
    text = tags.caller_text(7) + tags.NUMBERS[300] + tags.FILL_TEXT
    assert len(text) == tags.FRAME_CHARS
    assert tags.NUMBER_OF[text[8 : tags.TAG_CHARS]] == 300


def test_a_spread_is_by_nearest_rank() -> None:
    """The 99th percentile of 200 values is the 198th; of none there is none."""
    spread = Spread.of(n / 1000 for n in range(1, 201))
    assert (spread.p50, spread.p99, spread.worst, spread.count) == (100, 198, 200, 200)
    assert math.isnan(Spread.of([]).p99)
