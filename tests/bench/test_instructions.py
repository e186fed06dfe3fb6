"""Counting the instructions of a call."""

import shutil
from pathlib import Path

import pytest

from bench import instructions
from bench.instructions import Counts
from bench.websocket import BusyError, LateError, PeerError

KEPT = Counts(frame=50_000, delta=200_000)


@pytest.mark.timeout(1200)
@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed: no instructions are counted")
def test_a_frame_and_a_delta_take_no_more_instructions_than_before() -> None:
    """Counted in user space, from one socket to the other: at most a twentieth more than what is kept."""
    before = instructions.kept_counts()
    if before is None:
        pytest.skip(
            f"no instructions are kept for {instructions.build()}: check the last good revision out and keep what it "
            f"takes, by `{instructions.RENEW}`"
        )
    counted = counts_or_skip()
    assert instructions.grown(counted, before) == [], counted


def counts_or_skip() -> Counts:
    """Count; on a machine that others keep busy nothing can be counted, and every other failure is one."""
    try:
        return instructions.counts()
    except BusyError as error:
        pytest.skip(f"no instructions are counted: {str(error).splitlines()[0]}")


@pytest.mark.parametrize("error", [BusyError, LateError, PeerError])
def test_a_busy_machine_alone_is_an_excuse(error: type[PeerError], monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is late on an idle machine, or ends, fails the test."""

    def fail() -> Counts:
        raise error("the machine is too busy: 80% of the time: nothing came\nThe program's last output:\n")

    monkeypatch.setattr(instructions, "counts", fail)
    expected = pytest.skip.Exception if error is BusyError else error
    with pytest.raises(expected, match=r"nothing came$" if error is BusyError else "nothing came"):
        counts_or_skip()


class ACall:
    """A call of which every ``disturbs``-th piece of work is disturbed, and a counter of it."""

    def __init__(self, disturbs: int) -> None:
        self.disturbed = self.pieces = self._counted = 0
        self._disturbs = disturbs

    def frames(self, count: int) -> None:
        """Settle, which is not counted."""
        self._counted += 1000 * count

    def zero(self) -> None:
        """Count from nothing."""
        self._counted = 0

    def work(self) -> None:
        """Do what takes a little more with each piece, and much less where it is disturbed."""
        self.pieces += 1
        is_disturbed = self.pieces % self._disturbs == 0
        self.disturbed += is_disturbed
        self._counted += 1 if is_disturbed else 100 + self.pieces

    def read(self) -> int:
        """Return what was counted."""
        return self._counted


def least_of(call: ACall) -> int:
    """Count a call's work."""
    return instructions.least(call.work, call, call)


def test_the_least_of_undisturbed_counts_is_taken() -> None:
    """One that is disturbed says nothing, and is made again; what settles before each is not counted."""
    call = ACall(disturbs=2)
    assert least_of(call) == 101
    assert call.pieces == 2 * instructions.COUNTS - 1
    with pytest.raises(LateError, match=f"all but 0 of {instructions.TRIES * instructions.COUNTS} counts"):
        least_of(ACall(disturbs=1))


def test_what_has_grown_is_named() -> None:
    """By its figures, with what to do; what grew by less, or has become cheaper, is let pass."""
    assert instructions.grown(Counts(frame=52_000, delta=100_000), KEPT) == []
    (complaint,) = instructions.grown(Counts(frame=53_000, delta=209_000), KEPT)
    assert complaint.startswith("a caller's frame takes 53,000 instructions, 6.0% more than the 50,000")
    assert instructions.RENEW in complaint
    (complaint,) = instructions.grown(Counts(frame=50_000, delta=211_000), KEPT)
    assert complaint.startswith("a delivered delta takes 211,000")


def test_figures_are_kept_for_each_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of Python or of a library has figures of its own; new ones replace those of the same build."""
    file = tmp_path / "instructions.json"
    assert instructions.kept_counts(file) is None
    instructions.keep(Counts(frame=60_000.4, delta=1), file)
    instructions.keep(KEPT, file)
    assert instructions.kept_counts(file) == KEPT
    monkeypatch.setattr(instructions, "LIBRARIES", ("aiohttp", "no-such-library"))
    assert instructions.build()["libraries"]["no-such-library"] == "none"
    assert instructions.kept_counts(file) is None
    instructions.keep(Counts(frame=1, delta=1), file)
    monkeypatch.undo()
    assert instructions.kept_counts(file) == KEPT


def test_the_table_compares_the_first_with_the_others() -> None:
    """The ratio stands behind the other's figure."""
    table = instructions.table({"this": KEPT, "v1": Counts(frame=100_000, delta=100_000)})
    assert table.splitlines()[0] == "| instructions | this | v1 |"
    assert table.splitlines()[2] == "| caller's frame | 50,000 | 100,000 (0.500) |"


def test_the_total_is_callgrind_s(tmp_path: Path) -> None:
    """The line that sums up its file; a file without one is told."""
    file = tmp_path / "callgrind"
    file.write_text("events: Ir\nsummary: 0\n\ntotals: 353945404\n")
    assert instructions.total(file) == 353_945_404
    file.write_text("events: Ir\n")
    with pytest.raises(PeerError, match="no total"):
        instructions.total(file)


def test_without_valgrind_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """And that is told before anything is started."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(PeerError, match="valgrind is not installed"):
        instructions.per_frame()
    with pytest.raises(PeerError, match="valgrind is not installed"):
        instructions.counts()
