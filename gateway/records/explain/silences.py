"""The silences of a call, and whose they were. Pure."""

import itertools
from collections import deque
from collections.abc import Sequence

from gateway.records.explain.events import EventLog
from gateway.records.explain.speech import Reply, Turn
from gateway.records.explain.waits import Wait
from gateway.report.explanation import Silence

SILENCE_MS = 2_000
"""A shorter silence is a pause between two people who talk."""
NOBODY = ("caller", "it was the caller's turn")


def silences_in(log: EventLog, replies: Sequence[Reply], turns: Sequence[Turn], waits: Sequence[Wait]) -> list[Silence]:
    """Return the times longer than ``SILENCE_MS`` in which neither side was heard, each with whose it was."""
    busy = [(reply.start_ms, reply.end_ms) for reply in replies if reply.heard_ms or reply.over_ms is None]
    busy += [(turn.start_ms, turn.end_ms) for turn in turns]
    busy += [(key.at_ms, key.at_ms) for key in log.all("digit_pressed")]
    found, quiet_ms = [], 0.0
    ahead = deque(sorted(waits, key=lambda wait: wait.start_ms))
    open_waits: list[Wait] = []
    for start_ms, end_ms in [*sorted(busy), (log.end_ms, log.end_ms)]:
        if start_ms - quiet_ms > SILENCE_MS:
            while ahead and ahead[0].start_ms < start_ms:
                open_waits.append(ahead.popleft())
            open_waits = [wait for wait in open_waits if wait.end_ms > quiet_ms]
            found.append(_silence(quiet_ms, start_ms, open_waits))
        quiet_ms = max(quiet_ms, end_ms)
    return found


def _silence(start_ms: float, end_ms: float, within: Sequence[Wait]) -> Silence:
    edges = {start_ms, end_ms}
    edges.update(edge for wait in within for edge in (wait.start_ms, wait.end_ms) if start_ms < edge < end_ms)
    times: dict[tuple[str, str], float] = {}
    ordered = sorted(edges)
    for begun, over in itertools.pairwise(ordered):
        over_it = [wait for wait in within if wait.start_ms <= begun and wait.end_ms >= over]
        first = min(over_it, key=lambda wait: (wait.rank, wait.start_ms), default=None)
        key = (first.whose, first.why) if first is not None else NOBODY
        times[key] = times.get(key, 0.0) + over - begun
    parts = sorted(times.items(), key=lambda part: -part[1])
    owners: dict[str, float] = {}
    for (whose, _), lasted in parts:
        owners[whose] = owners.get(whose, 0.0) + lasted
    owner = max(owners, key=lambda name: owners[name])
    why = next(why for (whose, why), _ in parts if whose == owner)
    return Silence(
        start_ms=round(start_ms),
        end_ms=round(end_ms),
        whose=owner,  # type: ignore[arg-type]  # of those in the waits
        why=why,
        parts=[(why, round(lasted)) for (_, why), lasted in parts],
    )
