"""A call's folder."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.audio_file import read_audio
from gateway.errors import InputError
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.phone.continuation import Step
from gateway.sim.report.folder import folder_name, write_folder
from gateway.text import UNPRINTABLE


def test_the_folder_holds_the_call(tmp_path: Path, call: CallResult, notes: list[TimelineEvent]) -> None:
    """Four files, in a folder that is made on the way."""
    out = write_folder(tmp_path / "calls" / "one", call, notes=notes, header={"line": "support"})
    assert sorted(path.name for path in out.iterdir()) == ["call.json", "call.wav", "events.jsonl", "report.html"]


def test_the_folder_is_for_its_owner_alone(tmp_path: Path, call: CallResult) -> None:
    """What people said is in it: nobody else on the machine can read it, whatever the process's umask and its files."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not a call", "utf-8")
    out = tmp_path / "calls" / "one"
    before = os.umask(0)
    try:
        write_folder(out, call)
        (out / "call.json").unlink()
        (out / "call.json").symlink_to(elsewhere)
        (out / "call.wav").chmod(0o644)
        write_folder(out, call)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (out, out.parent)} == {0o700}
    assert {stat.S_IMODE(file.stat().st_mode) for file in out.iterdir()} == {0o600}
    assert elsewhere.read_text("utf-8") == "not a call"


def test_the_wav_has_the_caller_left_and_the_bot_right(tmp_path: Path, call: CallResult) -> None:
    """16 bits, 8 kHz, each side where it was heard."""
    wav = read_audio(write_folder(tmp_path, call) / "call.wav")
    assert (wav.rate_hz, wav.channels, len(wav.samples)) == (8_000, 2, 96_000)
    loud = np.abs(wav.samples.astype(int)) > 5_000
    assert loud[2_500 * 8 : 3_500 * 8].any(axis=0).tolist() == [True, False]
    assert loud[4_200 * 8 : 5_900 * 8].any(axis=0).tolist() == [False, True]


def test_the_summary_is_for_scripts(tmp_path: Path, call: CallResult, notes: list[TimelineEvent]) -> None:
    """Who, when, line, end reason, turns, barge-ins, latencies, what was heard of each reply."""
    out = write_folder(tmp_path, call, notes=notes, header={"line": "support", "call_id": "call-7"})
    summary = json.loads((out / "call.json").read_text("utf-8"))
    assert (summary["call_id"], summary["line"]) == ("call-7", "support")
    assert (summary["caller"], summary["called"]) == ("+14255550199", "+14255550100")
    assert summary["started"] == "2026-05-04T09:30:15.000+00:00"
    assert summary["duration_ms"] == 12_000
    assert summary["ended"]["gateway"]["reason"] == "caller_hung_up"
    assert summary["answers"] == [{"at_ms": 3_500, "ms": 600}, {"at_ms": 6_900, "ms": 600}]
    assert summary["barge_ins"] == [{"at_ms": 6_000, "stopped_after_ms": 100}]
    heard = [(turn["heard_ms"], turn["generated_ms"]) for turn in summary["turns"] if turn["speaker"] == "bot"]
    assert heard == [(1_200, 1_200), (2_000, 5_200), (None, None)]
    assert summary["phone"]["late_frames"] == 1


def test_the_summary_tells_what_was_done(tmp_path: Path, call: CallResult, acting_notes: list[TimelineEvent]) -> None:
    """Tools, keys and transfers; a key that the gateway did not tell has no digit."""
    summary = json.loads((write_folder(tmp_path, call, notes=acting_notes) / "call.json").read_text("utf-8"))
    assert summary["tools"] == [
        {"name": "order_status", "outcome": "ok", "took_ms": 410, "at_ms": 3_700, "server": ""},
        {"name": "get_customer", "outcome": "error", "took_ms": 800, "at_ms": 3_800, "server": "crm"},
        {"name": "slow", "outcome": None, "took_ms": None, "at_ms": 5_000, "server": ""},
    ]
    assert summary["keys"] == [
        {"at_ms": 1_250, "digit": "1"},
        {"at_ms": 1_500, "digit": "2"},
        {"at_ms": 1_750, "digit": None},
    ]
    assert summary["transfers"] == [
        {"target": "desk", "outcome": "failed", "at_ms": 8_000, "detail": "503"},
        {"target": "desk", "outcome": "transferred", "at_ms": 10_000, "detail": ""},
    ]


def test_the_events_are_both_accounts_in_the_order_of_time(
    tmp_path: Path, call: CallResult, notes: list[TimelineEvent]
) -> None:
    """One JSON object a line, milliseconds from the start of the stream."""
    out = write_folder(tmp_path, call, notes=list(reversed(notes)))
    events = [json.loads(line) for line in (out / "events.jsonl").read_text("utf-8").splitlines()]
    assert [event["at_ms"] for event in events] == sorted(event["at_ms"] for event in events)
    assert {event["source"] for event in events} == {"phone", "gateway"}
    clear = next(event for event in events if event["kind"] == "clear")
    assert (clear["at_ms"], clear["played_ms"], clear["discarded_ms"]) == (6_095.0, 2_000.0, 3_200.0)


def test_the_summary_tells_what_followed(tmp_path: Path, call: CallResult) -> None:
    """What the caller met when the stream had ended."""
    followed = (Step("say", "Sorry."), Step("transfer", "+14255550177"), Step("hang_up"))
    out = write_folder(tmp_path, replace(call, continuation=followed))
    assert json.loads((out / "call.json").read_text("utf-8"))["continuation"] == [
        {"kind": "say", "text": "Sorry."},
        {"kind": "transfer", "text": "+14255550177"},
        {"kind": "hang_up", "text": ""},
    ]


def test_the_name_sorts_by_time(call: CallResult) -> None:
    """Start in UTC, then the call's id."""
    assert folder_name(call) == f"20260504T093015Z-CA{'1' * 32}"


def test_a_place_that_cannot_be_written_is_the_operator_s_mistake(tmp_path: Path, call: CallResult) -> None:
    """One line with the path."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"file: the call's folder cannot be written: File exists"):
        write_folder(tmp_path / "file", call)


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "\x7f", "\u202eback", "\ud83d"])
def test_no_file_of_a_call_acts_on_a_terminal(
    tmp_path: Path, call: CallResult, notes: list[TimelineEvent], text: str
) -> None:
    """What a peer said may be read with ``cat``; the JSON has it still, as an escape."""
    said = [*notes, TimelineEvent(notes[-1].at, "caller_said", {"item_id": "c9", "text": text})]
    out = write_folder(tmp_path / "one", call, notes=said, header={"line": text})
    for name in ("call.json", "events.jsonl", "report.html"):
        assert not UNPRINTABLE.search((out / name).read_text("utf-8"))
    rows = [json.loads(row) for row in (out / "events.jsonl").read_text("utf-8").splitlines()]
    assert text in [row.get("text") for row in rows]
    assert json.loads((out / "call.json").read_text("utf-8"))["line"] == text
