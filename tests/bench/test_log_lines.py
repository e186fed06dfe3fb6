"""The cost of a log line of a call."""

import subprocess
import sys

from bench.log_lines import NOTES


def test_every_note_is_measured_in_both_forms() -> None:
    """A line that is written takes longer than one that is not, and the writer's part is in the whole."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.log_lines", "30"],  # our own words
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in done.stdout.splitlines()[2:]]
    assert [row[:2] for row in rows] == [[note.event, form] for form in ("JSON", "text") for note in NOTES]
    *written, unwritten = ([float(cell) for cell in row[2:]] for row in rows[: len(NOTES)])
    assert all(thread > unwritten[0] for thread, _ in written)
    assert all(process > thread for thread, process in written)
