"""Recordings as files: two hundred at once, a gateway that is killed, a full disk, the store."""

import asyncio
import logging
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import soundfile
import structlog

from gateway.audio.formats import PCMU
from gateway.records.recording.entries import HOLD_S
from gateway.records.recording.wav_file import header
from gateway.records.recording.writer import CYCLE_S
from tests.documents import ROOT
from tests.e2e.recorded import FRAME_S, GREETING, LINE, call, quiet_noise
from tests.e2e.rig import GATEWAY, Rig, configuration, instant, listening, noise, rig
from tests.twilio_phone import SimulatedTwilio
from tests.virtual_time import in_virtual_time


@pytest.fixture(autouse=True)
def speaks_in_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the emulator speak what is unlike in each place."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", quiet_noise)


MANY = 200


def test_two_hundred_at_once_are_all_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is its own caller's, byte for byte, and to a frame where it belongs; one thread writes them."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    folder = tmp_path / "recordings"
    calls = in_virtual_time(lambda: many_calls(tmp_path, folder))
    assert len(calls) == len(list(folder.glob("*.wav"))) == MANY
    for name, phone in calls.items():
        found = (folder / name).read_bytes()
        assert found == header(PCMU, 2, len(found) - 58) + found[58:]
        left, right = found[58::2], found[59::2]
        for side, truth in ((left, phone.caller_audio), (right, phone.bot_audio)):
            loud = bytes(truth).strip(b"\xff")[160:-160]
            assert len(loud) > 6000
            assert abs(side.index(loud) - truth.index(loud)) <= FRAME_S * 8000
        assert abs(len(left) - len(phone.caller_audio)) <= 2 * FRAME_S * 8000


async def many_calls(folder: Path, recordings: Path) -> dict[str, SimulatedTwilio]:
    """Callers who all speak for a second while they are greeted, by the names of their recordings."""
    gateway = GATEWAY + f"limits: {{calls: {MANY}, watched_calls: 1}}\n"
    lines = {"support": f"{LINE}greeting: 1003 ms of a greeting\nrecording: true\n"}
    opened = configuration(folder, lines, gateway)
    phones: dict[str, SimulatedTwilio] = {}

    async def one(held: Rig, number: int) -> None:
        async with SimulatedTwilio.connect(held.stream_url, to="+14255550100") as phone:
            await asyncio.sleep(0.5 + number / 400)
            phone.say(random.Random(number).randbytes(8000).replace(b"\xff", b"\x7f"))
            await asyncio.sleep(2.5)
        await held.end_of(phone.call_sid)
        phones[str(held.fields(phone.call_sid, "recording_stopped")[0]["file"])] = phone

    async with (
        rig(opened, instant(), limit_s=600, recordings=recordings) as held,
        asyncio.TaskGroup() as group,
    ):
        for number in range(MANY):
            group.create_task(one(held, number))
    return phones


def test_a_gateway_that_is_killed_leaves_what_it_has_written(tmp_path: Path) -> None:
    """A WAV file that plays, up to what may still change; that and the writer's cycle are less than a second."""
    assert HOLD_S + CYCLE_S < 1
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False, timeout=120)  # noqa: S603 -- ours
    assert child.returncode == -signal.SIGKILL
    (path,) = tmp_path.glob("*.wav")
    assert soundfile.info(path).frames >= (30 - HOLD_S - 0.02) * 8000
    assert set(path.read_bytes()[58::2]) == {0x22}


KILLED = """
import os, signal, sys, time
from pathlib import Path
from gateway.audio.formats import PCMU
from gateway.call.record import CallIdentity
from gateway.phone.events import Playout
from datetime import UTC, datetime
from gateway.records.recording.places import FolderAlone
from gateway.records.recording.timeline import Timeline
from gateway.records.recording.writer import RecordingQueue, Writer
from gateway.records.storing.pending import Waiting

now = [0.0]
writer = Writer(lambda: now[0], print)
about = Waiting("a", "support", datetime.now(UTC))
identity = CallIdentity("CA1", "twilio", "support", "", "", "pcmu/8000", 0.0)
queue = RecordingQueue(FolderAlone(Path(sys.argv[1])), about, identity, PCMU)
queue.timeline = Timeline(PCMU, Playout(), "stereo", 0.0)
writer.open(queue)
for number in range(1500):
    now[0] = number / 50
    queue.heard.audio.extend(b"\\x22" * 160)
    queue.heard.sizes.append(160)
    queue.heard.at.append(now[0])
while queue.file.seconds < 29.4:
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_disk_that_is_full_costs_no_call(tmp_path: Path) -> None:
    """The call goes on as it would; the loss is in the log and in the metrics."""
    (tmp_path / "recordings").write_bytes(b"a file where the folder should be")
    with listening_in_virtual_time() as told:
        made = in_virtual_time(lambda: call(tmp_path, line=f"{GREETING}recording: true\n"))
    assert made.result.ended_by == "caller"
    assert len(made.result.measures.latencies) >= 2
    assert made.path is None
    assert {entry["event"] for entry in told} == {"recording_failed", "recording_incomplete"}


@contextmanager
def listening_in_virtual_time() -> Iterator[list[MutableMapping[str, Any]]]:
    """Hear what is logged in place of printing it."""
    entries: list[MutableMapping[str, Any]] = []

    def hear(logger: object, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        entries.append({**entry})
        raise structlog.DropEvent

    processors = structlog.get_config()["processors"]
    before = list(processors)
    processors[:] = [hear]
    try:
        yield entries
    finally:
        processors[:] = before


async def test_a_served_call_goes_to_its_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under day, line and key, with a row that says where it is and how long."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    opened = configuration(tmp_path, {"support": f"{LINE}{GREETING}recording: true\n"})
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with listening() as log:
        async with rig(opened, instant(), limit_s=120, keep_records=True) as held:
            async with SimulatedTwilio.connect(held.stream_url, to="+14255550100") as phone:
                await held.until(lambda: held.fields(phone.call_sid, "reply_started"))
            await held.end_of(phone.call_sid)
            await log.until("recording_stored")
        (stopped,) = held.fields(phone.call_sid, "recording_stopped")
    key = str(stopped["file"]).removesuffix(".wav")
    with sqlite3.connect(tmp_path / "data" / "calls.db") as database:
        (row,) = database.execute("select call_key, url, format, seconds, state from recordings").fetchall()
    assert row[0] == key
    assert row[2:] == ("pcmu/8000 stereo", stopped["seconds"], "stored")
    (path,) = (tmp_path / "data" / "recordings").rglob("*.wav")
    assert path.name == f"{key}.wav"
    assert path.parent.name == "support"
    assert row[1].endswith(path.name)
    assert soundfile.info(path).frames == pytest.approx(float(str(stopped["seconds"])) * 8000, abs=160)


async def test_a_caller_who_has_not_heard_the_announcement_leaves_no_recording(tmp_path: Path) -> None:
    """They hang up while it is said: what was recorded so far is deleted, and its row says so."""
    opened = configuration(tmp_path, {"support": f"{LINE}{GREETING}recording: {{announce: 5000 ms of a notice}}\n"})
    async with rig(opened, instant(), limit_s=120, keep_records=True) as held:
        async with SimulatedTwilio.connect(held.stream_url, to="+14255550100") as phone:
            await held.until(lambda: held.fields(phone.call_sid, "reply_started"))
        await held.end_of(phone.call_sid)
        assert held.fields(phone.call_sid, "recording_discarded")
        assert not held.fields(phone.call_sid, "recording_stopped")
    assert list((tmp_path / "data").rglob("*.wav")) == []
    with sqlite3.connect(tmp_path / "data" / "calls.db") as database:
        assert database.execute("select state, url from recordings").fetchall() == [("deleted", "")]
