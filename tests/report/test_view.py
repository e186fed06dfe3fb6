"""What the pieces of a page show of a call."""

from gateway.report.actions import Actions, Happening
from gateway.report.explanation import Explanation, Finding, Silence
from gateway.report.heard import Heard
from gateway.report.shown import ShownCall
from gateway.report.turns import BargeIn, Turn
from gateway.report.view import TIMELINE_ROWS, marked, view


def call(**more: object) -> ShownCall:
    """A call of little."""
    known = {"caller": "+1", "called": "+2", "line": "support", "started": None, "outcome": "The caller hung up"}
    return ShownCall(**{**known, "heard": Heard(9000), "turns": (), "done": Actions(), **more})  # type: ignore[arg-type]  # by name


def test_the_player_jumps_to_interruptions_and_problems() -> None:
    """In the order of time; one moment is one jump, and the caller's own silence is no problem."""
    finding = Finding(kind="echo", title="An echo", advice="", page="", at_ms=[7000], score=1)
    silences = [
        Silence(start_ms=5000, end_ms=8000, whose="tool", why=""),
        Silence(start_ms=1, end_ms=9, whose="caller", why=""),
    ]
    told = Explanation(
        call="c", ended="e", about=[], findings=[finding], silences=silences, interruptions=[], figures=[]
    )
    shown = call(
        heard=Heard(9000, barge_ins=[BargeIn(2000, 80), BargeIn(3000, None), BargeIn(4000, 900)]),
        turns=[Turn("bot", 1000, 2080, "Hel", unheard="lo", interrupted=True)],
        done=Actions(happenings=(Happening(6000, "tool", "x: error", failed=True), Happening(6500, "tool", "x: ok"))),
        explanation=told,
    )
    assert [(one.at, one.what) for one in marked(shown)] == [
        (2.0, "interruption"),
        (3.0, "not stopped"),
        (4.0, "stopped late"),
        (5.0, "silence"),
        (6.0, "tool failed"),
        (7.0, "An echo"),
    ]
    assert marked(call()) == []


def test_a_long_timeline_is_cut() -> None:
    """And says by how much."""
    seen = view(call(rows=[None] * (TIMELINE_ROWS + 7)))
    assert len(seen["rows"]) == TIMELINE_ROWS
    assert seen["rows_left_out"] == 7
