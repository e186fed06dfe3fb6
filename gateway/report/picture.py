"""The picture of a call: both channels on one time axis, as the shapes of an SVG."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gateway.audio.g711 import Samples
from gateway.report.actions import Actions, duration_text, keys_shown, together
from gateway.report.heard import Heard
from gateway.report.turns import BargeIn, Latency, Turn

_WIDTHS_PX = (1036, 4800)
NARROW_PX = 332
"""Canvas for the screen of a telephone: the whole call, with the labels that have room."""
_PX_PER_S = 12
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300)
_SIDE_PX = 48
"""Room that the name of a side needs at the left edge."""
_LABEL_PX = 64
"""Room that a time label needs on the axis."""
_CHARACTER_PX = 6.2
_LONGEST_NAME = 24
_QUIETEST_FULL_SCALE = 4_000
"""A channel below this peak is drawn small, so that silence does not look like speech."""

CHANNEL_PX = 92
"""Height of one channel's waveform."""
CALLER_Y, GAP_Y, BOT_Y, BOTTOM_Y = 56, 148, 184, 276
"""Tops of the caller's waveform, of the gap with the answer times, of the bot's waveform, and what lies below it."""
ACTIONS_Y, ROW_PX = 314, 22
"""Top of what was done beside talking, below the bot's words, and the height of a row of it."""
_AXIS_PX = 16


@dataclass(frozen=True)
class Block:
    """A turn as a labelled block from ``x`` on; ``unheard`` is the width of what was generated and not heard.

    ``words`` are all of them, ``label`` as many as have room.
    """

    speaker: str
    x: float
    width: float
    label: str
    start_s: float
    words: str
    unheard: float = 0.0


@dataclass(frozen=True)
class Marker:
    """A marker at ``x``, reaching over ``width``, ``bad`` where it is bad news.

    Its label stands after ``x``, or ``before`` it.
    """

    x: float
    label: str
    width: float = 0.0
    before: bool = False
    bad: bool = False


@dataclass(frozen=True)
class Mark:
    """An act: a bar of ``width``, its label at ``label_x``, in the first ``row`` that has room for both."""

    kind: Literal["tool", "key", "transfer"]
    x: float
    width: float
    label: str
    label_x: float
    row: int
    start_s: float
    failed: bool = False


@dataclass(frozen=True)
class Picture:
    """All shapes of the picture; x in pixels of a canvas ``width`` wide."""

    width: int
    duration_s: float
    caller: str
    bot: str
    ticks: tuple[Marker, ...]
    blocks: tuple[Block, ...]
    answers: tuple[Marker, ...]
    barge_ins: tuple[Marker, ...]
    actions: tuple[Mark, ...] = ()

    @property
    def height(self) -> int:
        """The height of the canvas: as many rows as there are."""
        return ACTIONS_Y + ROW_PX * max((mark.row + 1 for mark in self.actions), default=0) + _AXIS_PX


def draw(heard: Heard, turns: Sequence[Turn], done: Actions, width: int | None = None) -> Picture:
    """Draw the picture of a call; without ``width`` as wide as its length needs it."""
    duration_s = max(heard.duration_ms, 20) / 1000
    width = width or width_of(heard.duration_ms)
    scale = width / (duration_s * 1000)
    caller, bot = waveforms(heard, width)
    return Picture(
        width=width,
        duration_s=duration_s,
        caller=caller,
        bot=bot,
        ticks=_ticks(duration_s, width),
        blocks=_blocks(turns, scale, width),
        answers=_answers(heard.latencies, scale, width),
        barge_ins=_barge_ins(heard.barge_ins, scale, width),
        actions=_in_rows(_actions(done, duration_s * 1000, scale), width),
    )


def width_of(duration_ms: int) -> int:
    """Return the width of the picture of a call that lasts so long."""
    return round(min(max(duration_ms / 1000 * _PX_PER_S, _WIDTHS_PX[0]), _WIDTHS_PX[1]))


def waveforms(heard: Heard, width: int) -> tuple[str, str]:
    """Return the shapes of the caller's and the bot's sound, where the recording stands in the call."""
    stereo = heard.stereo
    full_scale = max(int(np.abs(stereo.astype(np.int32)).max(initial=0)), _QUIETEST_FULL_SCALE)
    scale = width / max(heard.duration_ms, 20)
    first = min(round(heard.sound_from_ms * scale), width - 1)
    columns = max(1, min(round(len(stereo) * 1000 / heard.rate_hz * scale), width - first))
    caller = _envelope(stereo[:, 0], first, columns, CALLER_Y + CHANNEL_PX / 2, full_scale)
    return caller, _envelope(stereo[:, 1], first, columns, BOT_Y + CHANNEL_PX / 2, full_scale)


def _envelope(samples: Samples, first: int, columns: int, middle: float, full_scale: int) -> str:
    """Return a closed path around the extreme samples of each pixel column; empty where there is no audio."""
    if not samples.size:
        return ""
    edges = np.linspace(0, samples.size, columns, endpoint=False).astype(int)
    reach = (CHANNEL_PX / 2 - 2) / full_scale
    tops = middle - np.maximum.reduceat(samples, edges) * reach - 0.4
    bottoms = middle - np.minimum.reduceat(samples, edges) * reach + 0.4
    forth = " ".join(f"{first + x},{top:.1f}" for x, top in enumerate(tops))
    back = " ".join(f"{first + x},{bottoms[x]:.1f}" for x in range(columns - 1, -1, -1))
    return f"M{forth} {back}Z"


def _answers(latencies: Sequence[Latency], scale: float, width: int) -> tuple[Marker, ...]:
    """Return the answer times; one whose label has no room has none."""
    spans = [(one.at_ms * scale, one.ms * scale) for one in latencies]
    labels = [(f"{one.ms} ms", f"{one.ms / 1000:.1f} s") for one in latencies]
    return _labelled(spans, labels, [False] * len(spans), width, left_px=0, margin=1)


def _barge_ins(barge_ins: Sequence[BargeIn], scale: float, width: int) -> tuple[Marker, ...]:
    """Return where the caller spoke over the bot; where a label has no room it is the figure alone, or nothing."""
    spans = [(one.at_ms * scale, (one.stopped_after_ms or 0) * scale) for one in barge_ins]
    labels = [
        ("barge-in · not stopped", "not stopped", "!")
        if one.stopped_after_ms is None
        else (f"barge-in · silent after {one.stopped_after_ms} ms", f"{one.stopped_after_ms} ms")
        for one in barge_ins
    ]
    return _labelled(spans, labels, [not one.good for one in barge_ins], width, left_px=_SIDE_PX, margin=3)


def _labelled(
    spans: Sequence[tuple[float, float]],
    labels: Sequence[Sequence[str]],
    bad: Sequence[bool],
    width: int,
    *,
    left_px: float,
    margin: int,
) -> tuple[Marker, ...]:
    """Give each span the first of its labels that has room: up to the next span, or back to the label before.

    ``margin`` is what stands around a label, in characters.
    """
    markers: list[Marker] = []
    free_x = left_px
    ends = [*(x for x, _ in spans[1:]), float(width)][: len(spans)]
    for (x, wide), choices, is_bad, end_x in zip(spans, labels, bad, ends, strict=True):
        found, before = "", False
        for label in choices:
            size = (len(label) + margin) * _CHARACTER_PX
            if x >= free_x and x + size <= end_x:
                found, before = label, False
                break
            if x - size >= free_x:
                found, before = label, True
                break
        if found:
            free_x = x + (0 if before else (len(found) + margin) * _CHARACTER_PX)
        markers.append(Marker(x, found, wide, before, is_bad))
    return tuple(markers)


def _actions(done: Actions, duration_ms: float, scale: float) -> list[Mark]:
    """Return all acts, not yet in rows; a tool that never returned runs to the call's end."""
    found: list[Mark] = []

    def add(kind: Literal["tool", "key", "transfer"], at_ms: float, width: float, label: str, *, failed: bool) -> None:
        at_ms = min(max(at_ms, 0), duration_ms)
        found.append(Mark(kind, at_ms * scale, width, label, 0, 0, at_ms / 1000, failed))

    for run in done.tools:
        lasted_ms = run.took_ms if run.took_ms is not None else max(duration_ms - run.at_ms, 0)
        told = duration_text(run.took_ms) if run.took_ms is not None else "no return"
        bad = run.outcome != "ok"
        outcome = f" · {run.outcome}" if bad and run.outcome else ""
        add("tool", run.at_ms, max(lasted_ms * scale, 3), f"{_cut(run.name)} {told}{outcome}", failed=bad)
    for group in together(done.keys):
        label = keys_shown(group)
        add("key", group[0].at_ms, len(label) * _CHARACTER_PX * 1.2 + 10, label, failed=False)
    for transfer in done.transfers:
        failed = transfer.outcome == "failed"
        add("transfer", transfer.at_ms, 0, f"→ {_cut(transfer.target)}{' · failed' if failed else ''}", failed=failed)
    return sorted(found, key=lambda mark: mark.x)


def _cut(name: str) -> str:
    """Return a name that leaves room for others; the conversation has all of it."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _in_rows(found: Sequence[Mark], width: float) -> tuple[Mark, ...]:
    """Put each act in the first row that is free there; a label without room after its bar stands before it."""
    free_x: list[float] = []
    placed = []
    for mark in found:
        text_px = len(mark.label) * _CHARACTER_PX
        bar_px = min(mark.width, max(width - mark.x, 3))
        start, label_x, end = mark.x, mark.x + 5, mark.x + bar_px
        if mark.kind != "key":
            label_x, end = end + 5, end + 5 + text_px
            if end > width:
                start = label_x = max(mark.x - 5 - text_px, 0)
                end = mark.x + bar_px
        row = next((number for number, x in enumerate(free_x) if x <= start), len(free_x))
        free_x[row:] = [end + 10, *free_x[row + 1 :]]
        placed.append(replace(mark, width=bar_px, label_x=label_x, row=row))
    return tuple(placed)


def _ticks(duration_s: float, width: int) -> tuple[Marker, ...]:
    """Return as many time labels as have room."""
    step = next((s for s in _STEPS_S if s * width / duration_s >= _LABEL_PX), _STEPS_S[-1])
    seconds = range(0, int(duration_s) + 1, step)
    ticks = [Marker(second * width / duration_s, f"{second // 60}:{second % 60:02}") for second in seconds]
    return tuple(replace(tick, before=tick.x + 3 + len(tick.label) * _CHARACTER_PX > width) for tick in ticks)


def _blocks(turns: Sequence[Turn], scale: float, width: int) -> tuple[Block, ...]:
    blocks = []
    for index, turn in enumerate(turns):
        x, size = turn.start_ms * scale, max((turn.end_ms - turn.start_ms) * scale, 3)
        unheard_ms = (turn.generated_ms or 0) - (turn.heard_ms or 0) if turn.interrupted else 0
        following = next((t.start_ms * scale for t in turns[index + 1 :] if t.speaker == turn.speaker), width)
        unheard = max(0.0, min(unheard_ms * scale, following - x - size - 2))
        words = turn.text or turn.recording or f"{(turn.end_ms - turn.start_ms) / 1000:.1f} s"
        blocks.append(Block(turn.speaker, x, size, _fit(words, size), turn.start_ms / 1000, words, unheard))
    return tuple(blocks)


def _fit(text: str, width_px: float) -> str:
    """Return as much of the text as has room, or nothing."""
    room = int((width_px - 12) / _CHARACTER_PX)
    if len(text) <= room:
        return text
    return f"{text[: room - 1].rstrip()}…" if room >= 4 else ""
