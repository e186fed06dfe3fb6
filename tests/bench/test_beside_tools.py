"""What is made of trials with and without tools, and that the call which uses them is in no figure."""

import dataclasses
import math
from typing import Any

import pytest
from ruamel.yaml import YAML

from bench import __main__ as command
from bench import beside_tools, trial
from bench.result import Result, Spread, ToolsUsed
from bench.target import line_yaml
from bench.tool_server import TOOLS

FINE = Spread(0.2, 2.0, 5.0, 1000)
UNUSED = ToolsUsed(are_used=False, requests=0, outputs=0, most_at_once=0, at_work=0.0)
USED = ToolsUsed(are_used=True, requests=6, outputs=4, most_at_once=2, at_work=1.2)
WITHOUT = Result(
    target="gateway", calls=51, window_s=15.0, cpu_percent=20.0, memory_kb=80.0,
    to_voice=FINE, to_phone=FINE, barge_in=FINE, barge_ins_missed=0,
    frames_sent=1000, frames_lost=0, replies=10, frames_heard=2000, late_frames=0, reply_frames_lost=0,
    stale_frames=0, garbled=0, calls_failed=0, sessions_left=0, load_percent=20.0, load_lateness=FINE,
    load_reading=FINE, others_percent=0.0, tools=UNUSED,
)  # fmt: skip


def with_tools(**changes: Any) -> Result:
    """A trial in which they were used."""
    return dataclasses.replace(WITHOUT, tools=USED, **changes)


def test_ratios_are_of_the_means_of_each_kind() -> None:
    """Beside each stands what the same trial without tools came to when it was made again."""
    slower = dataclasses.replace(WITHOUT, to_voice=Spread(0.4, 4.0, 5.0, 1000))
    found = beside_tools.ratios([WITHOUT, with_tools(), slower, with_tools(to_voice=Spread(0.7, 7.0, 9.0, 1000))])
    assert found["caller → Voice Live, p50"].used == pytest.approx(1.5)
    assert found["caller → Voice Live, p50"].again == pytest.approx(2.0)
    assert found["Voice Live → caller, p99"] == beside_tools.Ratio(1.0, 1.0)


def test_late_frames_where_there_were_none_before_are_not_hidden() -> None:
    """Nothing over nothing is no ratio; something over nothing is infinitely more."""
    none = beside_tools.ratios([WITHOUT, with_tools(), WITHOUT, with_tools()])["late share"]
    assert math.isnan(none.used)
    some = beside_tools.ratios([WITHOUT, with_tools(), WITHOUT, with_tools(late_frames=3)])["late share"]
    assert some.used == math.inf
    assert "both 0" in beside_tools.ratio_table({"late share": none})
    assert "| inf |" in beside_tools.ratio_table({"late share": some})


def test_a_row_says_how_many_tools_were_done_and_ran_at_once() -> None:
    """The proof that there was something to be disturbed by."""
    assert beside_tools.table([with_tools()]).splitlines()[-1] == (
        "| used | 0.20 / 2.00 | 0.20 / 2.00 | 0 of 2000 | 0 / 0 | 4 | 2 / 1.2 |"
    )


def test_trials_without_tools_are_not_compared() -> None:
    """A line without tools is another experiment."""
    with pytest.raises(ValueError, match="no tools"):
        beside_tools.ratios([dataclasses.replace(WITHOUT, tools=None)])


def test_the_line_has_both_tools() -> None:
    """In trials with and without their use, so that the use alone is the difference."""
    line = YAML(typ="safe").load(line_yaml(8123))
    assert [tool["http"]["url"] for tool in line["tools"]] == [f"http://127.0.0.1:8123/{name}" for name in TOOLS]
    assert line["parallel_tool_calls"] is True
    assert "tools" not in YAML(typ="safe").load(line_yaml(None))


def test_only_the_gateway_has_tools(capsys: pytest.CaptureFixture[str]) -> None:
    """The other programs are no measure of them."""
    with pytest.raises(SystemExit):
        command.arguments(["--tools", "--only", "plain"])
    assert "only the gateway has tools" in capsys.readouterr().err


@pytest.mark.timeout(180)
@pytest.mark.parametrize("used", [False, True])
def test_the_call_that_uses_tools_is_in_no_figure(monkeypatch: pytest.MonkeyPatch, used: bool) -> None:
    """Where it is the only one, nothing is counted, whether the tools are used or not."""
    monkeypatch.setattr(trial, "SETTLE_S", 0.2)
    result = trial.run_beside_tools(calls=1, seconds=1.0, used=used)
    assert result.calls_failed == 0
    assert result.cpu_percent > 0
    assert (result.frames_sent, result.replies, result.to_voice.count, result.to_phone.count) == (0, 0, 0, 0)
    assert result.tools == ToolsUsed(are_used=used, requests=0, outputs=0, most_at_once=0, at_work=0.0)


@pytest.mark.timeout(180)
def test_the_other_calls_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two calls one is counted."""
    monkeypatch.setattr(trial, "SETTLE_S", 0.2)
    result = trial.run_beside_tools(calls=2, seconds=1.0, used=True)
    assert result.frames_sent > 0
    assert result.replies == 1
