"""The results of trials that keep records and recordings, and of those that keep nothing."""

import dataclasses
from pathlib import Path

import pytest

from bench import keeping
from bench.__main__ import arguments
from bench.result import Result, Spread
from bench.target import Kept
from gateway.config import Lines, load_deployment
from tests.bench.test_beside_tools import WITHOUT

NOTHING, RECORDS, RECORDING = Kept


def result(cpu_percent: float, p99_ms: float = 1.0, frames_lost: int = 0) -> Result:
    """A trial with these figures."""
    spread = Spread(0.1, p99_ms, 5.0, 1000)
    return dataclasses.replace(
        WITHOUT, cpu_percent=cpu_percent, to_voice=spread, to_phone=spread, frames_lost=frames_lost
    )


def test_turns_are_fair() -> None:
    """Each comes first, and last, as often as the others."""
    found = list(keeping.order((NOTHING, RECORDS, RECORDING), 4))
    assert [turns[0] for turns in found] == [NOTHING, RECORDS, RECORDING, NOTHING]
    assert [turns[-1] for turns in found] == [RECORDING, NOTHING, RECORDS, RECORDING]
    assert all(set(turns) == set(Kept) for turns in found)


def test_the_verdict_is_the_middle_of_the_ratios_within_each_round() -> None:
    """A machine that grows busier makes both slower."""
    rounds = [
        {NOTHING: result(10.0, 1.0), RECORDS: result(10.5, 1.05)},
        {NOTHING: result(20.0, 2.0), RECORDS: result(21.6, 2.0)},
        {NOTHING: result(10.0, 1.0), RECORDS: result(13.0, 3.0, frames_lost=1)},
    ]
    assert keeping.verdict(rounds) == (
        "records over nothing: CPU per call 1.080 (1.050 to 1.300), wanted 1.10; "
        "p99 1.050 (1.000 to 3.000), wanted 1.10; trials that went badly: 1 of 3"
    )
    assert keeping.is_well(rounds)
    row = keeping.table(rounds).splitlines()[-1]
    assert row == "| 3 | records | 0.255 | 1.300 | 3.00 | 3.000 | 0 | 80 |"


@pytest.mark.parametrize(
    ("records", "recording", "is_well"),
    [
        (result(10.9), result(11.9), True),
        (result(11.1), result(11.9), False),
        (result(10.9), result(12.1), False),
        (result(10.0, 1.2), result(10.0), False),
        (result(10.0), result(10.0, 1.2), False),
    ],
)
def test_what_is_wanted(records: Result, recording: Result, is_well: bool) -> None:
    """Processor time within 10 % with records and 20 % with recordings, and the p99 within 10 %."""
    assert keeping.is_well([{NOTHING: result(10.0), RECORDS: records, RECORDING: recording}]) is is_well


def test_times_that_no_clock_can_tell_apart_are_equal() -> None:
    """0.04 over 0.02 ms is no ratio of two."""
    assert keeping.is_well([{NOTHING: result(10.0, 0.02), RECORDS: result(10.0, 0.04)}])


@pytest.mark.parametrize("kept", list(Kept))
def test_the_gateway_keeps_what_is_measured(tmp_path: Path, kept: Kept) -> None:
    """The keys are the configuration's own."""
    (tmp_path / "lines").mkdir()
    (tmp_path / "gateway.yaml").write_text(f"lines: lines/*.yaml\n{kept.gateway_yaml}", "utf-8")
    line_yaml = f'numbers: ["*"]\ninstructions: Answer.\n{kept.line_yaml}'
    (tmp_path / "lines" / "bench.yaml").write_text(line_yaml, "utf-8")
    deployment = load_deployment(tmp_path / "gateway.yaml", {})
    (line,) = Lines(deployment)
    assert deployment.records.enabled is (kept is not NOTHING)
    assert (line.settings.recording is not None) is (kept is RECORDING)


def test_the_options_name_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """One or both; not beside another revision, nor for the plain bridge."""
    assert arguments([]).kept is None
    assert arguments(["--records"]).kept == [RECORDS]
    assert arguments(["--recording", "--records"]).kept == [RECORDING, RECORDS]
    for words in (["--records", "--vs", "HEAD"], ["--recording", "--only", "plain"]):
        with pytest.raises(SystemExit):
            arguments(words)
        assert "--records and --recording: this gateway alone" in capsys.readouterr().err
