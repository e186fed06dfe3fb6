"""The recordings of a process: where they are, and what became of them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import structlog
from msgspec import Struct
from prometheus_client import CollectorRegistry

from gateway.call.call import Phone
from gateway.call.record import CallIdentity, CallRecord
from gateway.call.settings import CallSettings
from gateway.config import Line
from gateway.phone.events import CallStarted
from gateway.records.recording.metrics import RecordingMetrics
from gateway.records.recording.places import Keeping
from gateway.records.recording.tap import Tap
from gateway.records.recording.writer import RecordingQueue, Writer

log = structlog.get_logger()


class FinishedRecording(Struct, frozen=True, kw_only=True):
    """A recording that has ended, as it lies on this machine; whoever keeps recordings takes it from here."""

    identity: CallIdentity
    path: Path
    audio_format: str
    channels: str
    seconds: float
    lost_s: float
    """Seconds that could not be written; silence stands in their place."""
    failure: str
    """The reason for what is lost; empty where nothing is."""


class Recordings:
    """Records the calls of this process. Use as an async context manager.

    ``finished`` is called in the event loop with each recording that has ended, and of which something is there.
    ``clock`` is that of calls.
    """

    def __init__(
        self,
        keeping: Keeping,
        registry: CollectorRegistry,
        finished: Callable[[FinishedRecording], None] = lambda _: None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keeping = keeping
        self._finished = finished
        self.clock = clock
        self._metrics = RecordingMetrics(registry)
        self._writer = Writer(clock, self._written, self._metrics.lost_seconds.inc)
        self._loop = asyncio.get_running_loop()

    @property
    def has_room(self) -> bool:
        """``True`` if a call more may be recorded."""
        return self._keeping.places.has_room

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await asyncio.to_thread(self._writer.close)
        await asyncio.sleep(0)  # what the thread has finished is taken

    def tap(self, identity: CallIdentity, started: CallStarted, line: Line, settings: CallSettings) -> Tap | None:
        """Return the tap of a call that is to be recorded, or that may be once the caller agrees; else ``None``.

        Its file is made once the recording begins.
        """
        rule, asked = line.settings.recording, settings.recording
        if rule is None or asked is None:
            return None
        keeping = self._keeping
        about = keeping.about(identity, line)
        queue = RecordingQueue(keeping.places, about, identity, started.audio_format, rule.channels)
        tap = Tap(self._writer, queue, started.playout, self.clock, keeping.put)
        if asked.consent is None:
            tap.begin(self.clock())
        return tap

    def _written(self, queue: RecordingQueue) -> None:
        """Take a recording that the thread has finished."""
        self._loop.call_soon_threadsafe(self._end, queue)

    def _end(self, queue: RecordingQueue) -> None:
        file, lost_s = queue.file, queue.lost_s
        is_kept = queue.end is not None and queue.end.keeps
        outcome = "incomplete" if lost_s or file.failure else "whole"
        outcome = outcome if file.seconds else "failed"
        self._metrics.ended.labels(outcome if is_kept else "discarded").inc()
        if is_kept and outcome != "whole":
            log.error(
                "recording_incomplete",
                file=queue.name,
                call=queue.identity.call_id,
                line=queue.identity.line,
                seconds=round(file.seconds, 1),
                lost_s=round(lost_s, 1),
            )
        if is_kept and file.seconds and queue.place is not None:
            self._finished(
                FinishedRecording(
                    identity=queue.identity,
                    path=queue.place.path,
                    audio_format=str(queue.audio_format),
                    channels=queue.channels,
                    seconds=round(file.seconds, 3),
                    lost_s=round(lost_s, 3),
                    failure=file.failure or ("the disk was too slow" if queue.lost else ""),
                )
            )


@contextmanager
def recorded(
    recordings: Recordings | None,
    phone: Phone,
    record: CallRecord,
    started: CallStarted,
    line: Line,
    settings: CallSettings,
) -> Iterator[tuple[Phone, CallRecord]]:
    """Yield phone and record with which a call is to run, and note afterwards that its recording has stopped."""
    tap = recordings.tap(record.identity, started, line, settings) if recordings is not None else None
    if recordings is None or tap is None:
        yield phone, record
        return
    try:
        yield tap.phone(phone), CallRecord(record.identity, (*record.observers, tap.observe))
    finally:
        for note in tap.over():
            record.add(recordings.clock(), note)
