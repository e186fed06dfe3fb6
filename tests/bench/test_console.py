"""The bench of the console's pages."""

import subprocess
import sys

from tests.documents import ROOT


def test_each_page_is_measured() -> None:
    """With a few calls, each page answers; the figures are printed."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.console", "30"],  # our own words
        cwd=ROOT,
        check=True,
        timeout=100,
        capture_output=True,
        text=True,
    )
    assert [line.split()[-1].partition("?")[0] for line in done.stdout.splitlines()].count("/figures") == 3
    assert " ms of a core," in done.stdout
