"""The picture of a call."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.report import picture as pictures
from gateway.report.actions import Actions, Key, ToolRun, TransferRun
from gateway.report.picture import ACTIONS_Y, BOT_Y, CALLER_Y, CHANNEL_PX, NARROW_PX, ROW_PX, Picture
from gateway.report.turns import BargeIn, Latency, Turn
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.phone.observed import FrameClock
from gateway.sim.report.actions import actions
from gateway.sim.report.dialogue import dialogue
from gateway.sim.report.page import heard_in


def draw(call: CallResult, turns: Sequence[Turn], done: Actions, width: int | None = None) -> Picture:
    """The picture of a simulated call."""
    return pictures.draw(heard_in(call), turns, done, width)


def heights(path: str, width: int) -> list[float]:
    """Thickness of the envelope in each pixel column."""
    points = [tuple(map(float, point.split(","))) for point in path.strip("MZ").split()]
    tops, bottoms = points[:width], points[width:][::-1]
    return [bottom[1] - top[1] for top, bottom in zip(tops, bottoms, strict=True)]


def test_both_channels_lie_on_one_time_axis(call: CallResult) -> None:
    """Sound is drawn where it was heard, silence is a line, and nothing leaves its channel."""
    picture = draw(call, [], Actions())
    scale = picture.width / 12_000
    for path, spans in (
        (picture.caller, [(2_500, 3_500), (6_000, 6_900)]),
        (picture.bot, [(400, 1_600), (4_100, 6_100), (7_500, 9_500)]),
    ):
        loud = [x for x, height in enumerate(heights(path, picture.width)) if height > 20]
        assert min(loud) == pytest.approx(spans[0][0] * scale, abs=1.5)
        assert max(loud) == pytest.approx(spans[-1][1] * scale, abs=1.5)
        assert len(loud) == pytest.approx(sum(end - start for start, end in spans) * scale, abs=6)
    for path, top in ((picture.caller, CALLER_Y), (picture.bot, BOT_Y)):
        assert all(top <= float(point.split(",")[1]) <= top + CHANNEL_PX for point in path.strip("MZ").split())


def test_turns_barge_ins_and_answers_are_marked(call: CallResult, notes: list[TimelineEvent]) -> None:
    """A block for each turn, what was never heard behind the interrupted one, and both kinds of figures."""
    picture = draw(call, dialogue(call, notes), Actions())
    scale = picture.width / 12_000
    assert [block.x for block in picture.blocks] == pytest.approx(
        [t * scale for t in (400, 2_500, 4_100, 6_000, 7_500)]
    )
    cut = picture.blocks[2]
    assert cut.label.startswith("It is on its way")
    assert cut.unheard == pytest.approx((7_500 - 6_100) * scale, abs=3)  # up to where the bot speaks again
    (barge_in,) = picture.barge_ins
    assert barge_in.x == pytest.approx(6_000 * scale)
    assert barge_in.label == "barge-in · silent after 100 ms"
    assert [answer.label for answer in picture.answers] == ["600 ms", "600 ms"]


def test_barge_ins_close_together_keep_their_figures_readable(call: CallResult) -> None:
    """A label that would reach into the next one is the figure alone."""
    barge_ins = (BargeIn(1_000, 80), BargeIn(2_000, 120), BargeIn(9_000, None))
    labels = [marker.label for marker in draw(with_barge_ins(call, barge_ins), [], Actions()).barge_ins]
    assert labels == ["80 ms", "barge-in · silent after 120 ms", "barge-in · not stopped"]


def with_barge_ins(call: CallResult, barge_ins: tuple[BargeIn, ...]) -> CallResult:
    """The same call with these."""
    return replace(call, measures=replace(call.measures, barge_ins=barge_ins))


def test_labels_are_cut_to_their_block(call: CallResult) -> None:
    """A short turn has a short label or none."""
    greeting, question, *_ = dialogue(call, [])
    for end_ms, label in ((4_000, "question.wav"), (3_200, "questi…"), (2_700, "")):
        assert draw(call, [replace(question, end_ms=end_ms)], Actions()).blocks[0].label == label
    assert draw(call, [greeting], Actions()).blocks[0].label == "1.2 s"


@pytest.mark.parametrize(("minutes", "labels"), [(0.2, "0:01"), (2, "0:10"), (60, "1:00")])
def test_time_labels_have_room(call: CallResult, minutes: float, labels: str) -> None:
    """Their distance grows with the call."""
    frames = round(minutes * 60 * 50)
    audio = b"\xff" * frames * 160
    long = replace(call, caller_audio=audio, bot_audio=audio, clock=FrameClock(frames))
    picture = draw(long, [], Actions())
    gaps = {round(b.x - a.x) for a, b in zip(picture.ticks, picture.ticks[1:], strict=False)}
    assert min(gaps) >= 64
    assert picture.ticks[0].label == "0:00"
    assert picture.ticks[1].label == labels


def test_a_call_that_ended_before_its_first_frame_is_an_empty_picture(call: CallResult) -> None:
    """Nothing to draw is no failure."""
    empty = replace(call, caller_audio=b"", bot_audio=b"", clock=FrameClock(0))
    assert draw(empty, [], Actions()).bot == ""


def test_what_was_done_is_drawn_below_in_rows(call: CallResult, acting_notes: list[TimelineEvent]) -> None:
    """Tools as bars as long as they ran, keys as one cap, transfers where they began; nothing covers anything."""
    picture = draw(call, [], actions(call, acting_notes))
    scale = picture.width / 12_000
    shown = {act.label: act for act in picture.actions}
    assert list(shown) == [
        "12•",
        "order_status 0.4 s",
        "get_customer 0.8 s · error",
        "slow no return",
        "→ desk · failed",
        "→ desk",
    ]
    tool = shown["order_status 0.4 s"]
    assert (tool.x, tool.width) == pytest.approx((3_700 * scale, 410 * scale))
    assert shown["get_customer 0.8 s · error"].row == tool.row + 1
    slow = shown["slow no return"]
    assert slow.x + slow.width == pytest.approx(picture.width)
    assert slow.label_x < slow.x
    assert [act.failed for act in picture.actions] == [False, False, True, True, True, False]
    rows = max(act.row for act in picture.actions) + 1
    assert picture.height == draw(call, [], Actions()).height + rows * ROW_PX
    for row in range(rows):
        inside = [act for act in picture.actions if act.row == row]
        for before, after in itertools.pairwise(sorted(inside, key=lambda act: act.x)):
            assert max(before.x + before.width, before.label_x) < min(after.x, after.label_x)


def test_without_actions_the_picture_is_no_higher(call: CallResult) -> None:
    """There is room for the axis alone."""
    assert draw(call, [], Actions()).height == ACTIONS_Y + 16


def test_what_lies_outside_of_the_call_is_drawn_at_its_edge(call: CallResult) -> None:
    """A note before the first frame or behind the last is inside the picture."""
    done = Actions((ToolRun("a", None, None, -20), ToolRun("b", "ok", 500, 13_000)), (Key(12_500, "1"),))
    picture = draw(call, [], replace(done, transfers=(TransferRun("desk", "started", 12_020),)))
    assert picture.actions[0].x == 0
    assert [act.x for act in picture.actions[1:]] == [picture.width] * 3


@pytest.mark.parametrize("length_s", [3, 7, 12, 27, 65, 119, 121, 300, 900])
@pytest.mark.parametrize("width", [None, NARROW_PX])
def test_every_label_has_room(call: CallResult, length_s: int, width: int | None) -> None:
    """On the screen of a telephone too: none on the axis or at an answer leaves the picture or covers another."""
    audio = b"\xff" * 8_000 * length_s
    answers = tuple(Latency(at_ms, 1_160) for at_ms in range(500, length_s * 1_000, 4_000))
    barge_ins = tuple(BargeIn(at_ms, 80) for at_ms in range(900, length_s * 1_000, 7_000))
    measures = replace(call.measures, latencies=answers, barge_ins=barge_ins)
    clock = FrameClock(length_s * 50)
    picture = draw(
        replace(call, caller_audio=audio, bot_audio=audio, clock=clock, measures=measures), [], Actions(), width
    )
    assert width is None or picture.width == width
    for markers, signs in ((picture.ticks, 0), (picture.answers, 0), (picture.barge_ins, 2)):
        free_x = 0.0
        for marker in markers:
            if marker.label:
                size = (len(marker.label) + signs) * 6.2
                start = marker.x - size if marker.before else marker.x
                assert free_x <= start
                assert start + size <= picture.width
                free_x = start + size


def test_the_narrow_picture_shows_the_whole_call(call: CallResult, notes: list[TimelineEvent]) -> None:
    """All turns, to the end."""
    wide, narrow = (draw(call, dialogue(call, notes), Actions(), width) for width in (None, NARROW_PX))
    assert len(narrow.blocks) == len(wide.blocks)
    assert [block.words for block in narrow.blocks] == [block.words for block in wide.blocks]
    last = narrow.blocks[-1]
    assert last.x + last.width == pytest.approx(NARROW_PX * 9_500 / 12_000)


@pytest.mark.parametrize(("stopped_after_ms", "bad"), [(80, False), (500, False), (520, True), (None, True)])
def test_a_barge_in_is_bad_where_the_bot_was_not_stopped_or_late(
    call: CallResult, stopped_after_ms: int | None, bad: bool
) -> None:
    """Half a second is what a person needs."""
    (marker,) = draw(with_barge_ins(call, (BargeIn(6_000, stopped_after_ms),)), [], Actions()).barge_ins
    assert marker.bad == bad
