"""Tests of the report on a long time under load."""

from dataclasses import replace

from bench import soak
from bench.result import Result
from tests.bench.test_trial import WELL


def waves(*resident_mb: float) -> list[Result]:
    """Results of waves that went well, with so much memory at the end of each."""
    return [replace(WELL, calls=300, resident_mb=mb) for mb in resident_mb]


def test_memory_may_grow_while_everything_is_new() -> None:
    """Only what it grows by after the first waves counts."""
    results = waves(100, 150, 160, 161, 160.8)
    assert soak.is_well(results)
    said = soak.verdict(results)
    assert said.startswith("1500 calls in 5 waves; memory after wave 3: +0.5% ")
    assert said.endswith("waves that went badly: none")


def test_memory_that_grows_with_each_wave_is_a_fault() -> None:
    """However slowly."""
    assert not soak.is_well(waves(100, 150, 160, 162, 164))


def test_a_wave_that_went_badly_is_named() -> None:
    """With its row in the table."""
    results = waves(100, 100, 100, 100)
    results[1] = replace(results[1], stale_frames=2)
    assert not soak.is_well(results)
    assert soak.verdict(results).endswith("waves that went badly: 2")
    assert soak.table(results).count("\n") == 1 + len(results)
    assert "0 / 0 / 2" in soak.table(results).splitlines()[3]
