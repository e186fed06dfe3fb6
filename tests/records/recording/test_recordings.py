import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import soundfile
from prometheus_client import CollectorRegistry

from gateway.audio.formats import PCMU
from gateway.call import notes
from gateway.call.record import CallIdentity, CallRecord, TimedNote
from gateway.call.settings import CallSettings, Consent, RecordingRule
from gateway.config import Line
from gateway.config.records.recording import Recording
from gateway.phone.events import CallStarted, Playout
from gateway.records.recording.places import FolderAlone, Keeping
from gateway.records.recording.recordings import FinishedRecording, Recordings, recorded
from gateway.voice.commands import SayText
from tests.e2e.rig import listening
from tests.records.recording.test_tap import Phone

IDENTITY = CallIdentity("CA/1 ../é", "twilio", "support", "", "", "pcmu/8000", 0.0)
STARTED = CallStarted(IDENTITY.call_id, "MZ1", PCMU, Playout())
AT_ONCE = CallSettings(recording=RecordingRule())
ASKED = CallSettings(recording=RecordingRule(None, Consent(SayText("May we?"))))


def line(rule: Recording | None) -> Line:
    """A line, as far as its recording is concerned."""
    return cast("Line", SimpleNamespace(name="support", settings=SimpleNamespace(recording=rule)))


def files(folder: Path) -> list[Path]:
    """What is in a folder."""
    return list(folder.iterdir())


class Held:
    """Recordings in a folder, and what has ended."""

    def __init__(self, folder: Path) -> None:
        self.now = 100.0
        self.registry = CollectorRegistry()
        self.finished: list[FinishedRecording] = []
        self.all = Recordings(Keeping(FolderAlone(folder)), self.registry, self.finished.append, clock=lambda: self.now)
        self.noted: list[Any] = []
        self.record = CallRecord(IDENTITY, (self._observe,))

    def _observe(self, identity: CallIdentity, timed: TimedNote) -> None:
        self.noted.append(timed.note)

    def count(self, outcome: str) -> float | None:
        """Recordings with this outcome."""
        return self.registry.get_sample_value("gateway_recordings_total", {"outcome": outcome})


async def test_a_recorded_call_leaves_a_file_and_a_note(tmp_path: Path) -> None:
    """Under the key of the call, not under a number; whoever wants it is told of it."""
    held = Held(tmp_path)
    async with held.all:
        with recorded(held.all, Phone(), held.record, STARTED, line(Recording(keep_days=7)), AT_ONCE) as (phone, _):
            assert not isinstance(phone, Phone)
            held.now += 2
    (finished,) = held.finished
    assert finished.path.parent == tmp_path
    assert (finished.identity, finished.channels, finished.seconds) == (IDENTITY, "stereo", 2.0)
    assert (finished.audio_format, finished.lost_s, finished.failure) == ("pcmu/8000", 0.0, "")
    assert soundfile.info(finished.path).frames == 16_000
    assert held.noted == [notes.RecordingStopped(finished.path.name, 2.0, 0.0)]
    assert held.count("whole") == 1


async def test_a_call_that_is_not_recorded_has_its_phone_and_record(tmp_path: Path) -> None:
    """Nothing stands before them."""
    held, phone = Held(tmp_path), Phone()
    cases = (
        (None, line(Recording()), AT_ONCE),
        (held.all, line(None), AT_ONCE),
        (held.all, line(Recording()), CallSettings()),
    )
    async with held.all:
        for recordings, of_line, settings in cases:
            with recorded(recordings, phone, held.record, STARTED, of_line, settings) as made:
                assert made[0] is phone
                assert made[1] is held.record
    assert held.noted == []
    assert files(tmp_path) == []


async def test_without_consent_nothing_is_written(tmp_path: Path) -> None:
    """Not even an empty file."""
    held = Held(tmp_path)
    async with held.all:
        with recorded(held.all, Phone(), held.record, STARTED, line(Recording()), ASKED) as (_, record):
            held.now += 2
            record.add(held.now, notes.RecordingDeclined("no answer"))
    assert held.noted == [notes.RecordingDeclined("no answer")]
    assert files(tmp_path) == []
    assert held.finished == []


async def test_with_consent_it_begins_then(tmp_path: Path) -> None:
    """What was before is not on it."""
    held = Held(tmp_path)
    async with held.all:
        with recorded(held.all, Phone(), held.record, STARTED, line(Recording()), ASKED) as (_, record):
            held.now += 2
            record.add(held.now, notes.RecordingStarted(consented=True))
            held.now += 1
    assert [one.seconds for one in held.finished] == [1.0]


async def test_a_discarded_recording_is_counted(tmp_path: Path) -> None:
    """And gone."""
    held = Held(tmp_path)
    async with held.all:
        with recorded(held.all, Phone(), held.record, STARTED, line(Recording()), AT_ONCE) as (_, record):
            held.now += 2
            record.add(held.now, notes.RecordingDiscarded("not announced"))
    assert held.count("discarded") == 1
    assert held.finished == []
    assert files(tmp_path) == []


@pytest.mark.parametrize("is_lost", [True, False])
async def test_what_is_missing_is_told(tmp_path: Path, is_lost: bool) -> None:
    """A folder that cannot be made, or audio for which there was no room."""
    (tmp_path / "file").write_bytes(b"")
    held = Held(tmp_path / "file" if is_lost else tmp_path / "folder")
    with listening() as log:
        async with held.all:
            with recorded(held.all, Phone(), held.record, STARTED, line(Recording()), AT_ONCE) as (phone, _):
                held.now += 2
                if not is_lost:
                    phone._tap._queue.lost = 4000  # type: ignore[attr-defined]  # as if memory had been full
            await asyncio.sleep(0)
        (told,) = log.of("recording_incomplete")
    assert told["lost_s"] == (2.0 if is_lost else 0.5)
    assert [one.failure for one in held.finished] == ([] if is_lost else ["the disk was too slow"])
    assert held.count("failed" if is_lost else "incomplete") == 1
