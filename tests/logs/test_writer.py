"""Log lines on their way to standard error, which may be slow, full, or gone."""

import errno
import io
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest

from gateway.logs import writer as log_writer
from gateway.logs.writer import LogWriter


def told(count: int) -> str:
    """The line that tells of a gap."""
    return f"lost {count}"


def writer_to(stream: TextIO | None) -> LogWriter:
    """A writer that changes nothing."""
    return LogWriter(stream, str, told)


@contextmanager
def pipe() -> Iterator[tuple[int, TextIO]]:
    """Its end to read from, and the other; what stays in it is let go."""
    reader, write_end = os.pipe()
    with os.fdopen(write_end, "w", encoding="utf-8") as stream:
        try:
            yield reader, stream
        finally:
            os.close(reader)


class Stuck(io.StringIO):
    """A stream that takes a line when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.let = threading.Semaphore(0)

    def write(self, text: str) -> int:
        """Wait, and write."""
        self.entered.set()
        assert self.let.acquire(timeout=30)
        return super().write(text)


class Failing(io.StringIO):
    """A disk that has no room, until it has."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = True

    def write(self, text: str) -> int:
        """Write, or not."""
        if self.is_full:
            raise OSError(errno.ENOSPC, "no room")
        return super().write(text)


def test_lines_are_written_in_order() -> None:
    """Of several threads each in its own order, and whole."""
    stream = io.StringIO()
    writer = writer_to(stream)

    def write(name: str) -> None:
        for number in range(500):
            writer.write(f"{name} {number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.close()
    lines = stream.getvalue().splitlines()
    for name in "ab":
        assert [line for line in lines if line[0] == name] == [f"{name} {number}" for number in range(500)]
    assert writer.lost == 0


@pytest.mark.parametrize("end", [LogWriter.flush, LogWriter.close])
def test_whoever_waits_for_lines_does_not_wait_for_more(
    monkeypatch: pytest.MonkeyPatch, end: Callable[[LogWriter], bool]
) -> None:
    """Lines gather for a while before they are written, but not at the end."""
    monkeypatch.setattr(log_writer, "GATHER_S", 60.0)
    stream = io.StringIO()
    writer = writer_to(stream)
    writer.write("a")
    writer.write("b")
    assert end(writer)
    assert stream.getvalue() == "a\nb\n"


def test_a_pipe_that_nobody_reads_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has no room for is lost, counted, and told where it is missing once somebody reads."""
    monkeypatch.setattr(log_writer, "LIMIT", 100_000)
    monkeypatch.setattr(log_writer, "GO_ON_BELOW", 50_000)
    with pipe() as (reader, stream):
        writer = writer_to(stream)
        numbered = itertools.count()
        while writer.flush(0.01):
            writer.write(f"{next(numbered):05} {'x' * 94}")
        while writer.lost < 5_000:
            writer.write(f"{next(numbered):05} {'x' * 94}")
        read = bytearray()
        while b"lost" not in read:
            read += os.read(reader, 65_536)
        writer.write("at last")
        while not read.endswith(b"at last\n"):
            read += os.read(reader, 65_536)
        assert writer.close()
    lines = read.decode().splitlines()
    numbers = [int(line[:5]) for line in lines[:-2]]
    assert numbers == list(range(len(numbers)))
    assert lines[-2:] == [told(5_000), "at last"]
    assert writer.lost == 5_000 == next(numbered) - len(numbers)


def test_a_gap_stands_where_lines_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first line that is taken again, also while the queue never runs empty, and once for the whole gap."""
    monkeypatch.setattr(log_writer, "LIMIT", 4 * (1 + log_writer.LINE_COST))
    monkeypatch.setattr(log_writer, "GO_ON_BELOW", 2 * (1 + log_writer.LINE_COST))
    stream = Stuck()
    writer = writer_to(stream)
    writer.write("0")
    assert stream.entered.wait(30)
    for line in "1234567":
        writer.write(line)
    lost = writer.lost
    assert lost > 1
    stream.let.release(4)
    while stream.getvalue().count("\n") < 4:
        stream.entered.wait(0.001)
    writer.write("8")
    stream.let.release(100)
    assert writer.close()
    kept = "".join(str(number) for number in range(8 - lost))
    assert stream.getvalue().split("\n") == [*kept, told(lost), "8", ""]


def test_a_full_disk_costs_the_lines_that_it_has_no_room_for() -> None:
    """They are counted, and told with the next line that goes well."""
    stream = Failing()
    writer = writer_to(stream)
    writer.write("one")
    writer.write("two")
    assert writer.flush()
    stream.is_full = False
    writer.write("three")
    assert writer.close()
    assert stream.getvalue() == f"three\n{told(2)}\n"
    assert writer.lost == 2


def test_a_reader_that_is_gone_costs_every_line() -> None:
    """Nothing is raised, and the count goes on."""
    reader, write_end = os.pipe()
    with os.fdopen(write_end, "w", encoding="utf-8") as stream:
        os.close(reader)
        writer = writer_to(stream)
        for _ in range(3):
            writer.write("a line")
        assert writer.close()
        assert writer.lost == 3


def test_a_named_pipe_may_get_another_reader(tmp_path: Path) -> None:
    """The lines between two readers are lost, and the second is told how many."""
    os.mkfifo(tmp_path / "log")
    first = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        writer = writer_to(stream)
        writer.write("one")
        assert writer.flush()
        assert os.read(first, 100) == b"one\n"
        os.close(first)
        writer.write("two")
        assert writer.flush()
        second = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
        writer.write("three")
        assert writer.close()
        assert os.read(second, 100) == f"three\n{told(1)}\n".encode()
        os.close(second)


def test_a_pipe_that_does_not_block_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who shares a terminal may have made it so: nothing is lost by it."""
    monkeypatch.setattr(log_writer, "LIMIT", 10_000_000)
    with pipe() as (reader, stream):
        os.set_blocking(stream.fileno(), False)
        writer = writer_to(stream)
        for _ in range(2_000):
            writer.write("x" * 99)
        read = 0
        while read < 200_000:
            read += len(os.read(reader, 65_536))
        assert writer.close()
        assert writer.lost == 0


def test_a_line_that_was_torn_does_not_spoil_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk took half of one and no more: the next begins on a line of its own."""
    with pipe() as (reader, stream):
        real, sizes = os.write, [3]

        def write(fd: int, data: bytes) -> int:
            if not sizes:
                raise OSError(errno.ENOSPC, "no room")
            return real(fd, data[: sizes.pop()])

        monkeypatch.setattr("gateway.logs.writer.os.write", write)
        writer = writer_to(stream)
        writer.write("first")
        assert writer.flush()
        monkeypatch.undo()
        writer.write("second")
        assert writer.close()
        assert os.read(reader, 100) == f"fir\nsecond\n{told(1)}\n".encode()


def test_whoever_logs_within_a_log_line_waits_for_nobody() -> None:
    """A finalizer may run anywhere, and log."""
    stream = io.StringIO()
    writer = writer_to(stream)
    with writer._changed:
        writer.write("from within")
    assert writer.close()
    assert stream.getvalue() == "from within\n"


def test_a_line_that_cannot_be_finished_is_lost_alone() -> None:
    """The next one is written."""
    stream = io.StringIO()

    def finish(line: str) -> str:
        return {"two": "2"}[line]

    writer = LogWriter(stream, finish, told)
    writer.write("one")
    writer.write("two")
    assert writer.close()
    assert stream.getvalue() == f"2\n{told(1)}\n"


@pytest.mark.parametrize("is_closed", [True, False])
def test_where_there_is_no_stream_lines_are_lost(is_closed: bool) -> None:
    """As in ``gateway serve 2>&-``, or one that was closed meanwhile."""
    stream = io.StringIO()
    stream.close()
    writer = writer_to(stream if is_closed else None)
    writer.write("a line")
    assert writer.close()
    writer.write("after its end")
    assert writer.lost == 2


def test_an_encoding_that_does_not_know_a_sign_escapes_it() -> None:
    """As Python does on standard error."""
    with pipe() as (reader, _), os.fdopen(os.dup(_.fileno()), "w", encoding="ascii") as stream:
        writer = writer_to(stream)
        writer.write("café \ud83d")
        assert writer.close()
        assert os.read(reader, 100) == b"caf\\xe9 \\ud83d\n"
