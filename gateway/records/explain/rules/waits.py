"""Findings about who kept the caller waiting, and about audio that came late or not at all. Pure."""

from collections.abc import Iterator

from gateway.records.explain.case import Case, counted, seconds
from gateway.records.explain.kinds import made
from gateway.records.explain.silences import SILENCE_MS
from gateway.records.explain.waits import FRAME_MS, MOVING
from gateway.report.explanation import Finding, Silence

SLOW_TRANSFER_MS = 5_000
"""A request to a provider's REST API and its answer take a second or two."""
LATE_FRAMES = 10
"""So many frames of 20 ms are heard as a gap."""
MARKS_LOST = 5
PAUSED_MS = 2_000


def silences(case: Case) -> Iterator[Finding]:
    """Find the silences of the service and of tools, each kind in one finding."""
    slow = [one for one in case.silences if one.whose == "tool"]
    if slow:
        names = sorted({one.why.removesuffix(" was running") for one in slow})
        yield made("slow_tool", 62 + _longest(slow) / 1000, f"{', '.join(names)}: {_told(slow)}", _starts(slow))
    dead = [one for one in case.silences if one.whose == "service"]
    opening = [one for one in dead if one.start_ms == 0 and _is_opening(case)]
    dead = [one for one in dead if one not in opening]
    if dead:
        yield made("dead_air", 62 + _longest(dead) / 1000, f"{dead[0].why}: {_told(dead)}", _starts(dead))
    if opening and not case.reason.startswith("voice_"):
        ready = case.log.first("session_ready")
        detail = f"the caller heard nothing for the first {seconds(opening[0].length_ms)}"
        detail += f", the session was there after {seconds(ready.at_ms)}" if ready else ""
        yield made("slow_session", 45 + opening[0].length_ms / 1000, detail, [0])
    moved = [one for one in case.silences if one.why == MOVING and one.length_ms >= SLOW_TRANSFER_MS]
    if moved:
        yield made("slow_transfer", 35, _told(moved), _starts(moved))


def _is_opening(case: Case) -> bool:
    ready = case.log.first("session_ready")
    return ready is None or ready.at_ms >= SILENCE_MS


def late_audio(case: Case) -> Iterator[Finding]:
    """Find audio that the gateway sent late."""
    end = case.log.end
    late = end.ms("late_frames") if end is not None else sum(reply.late_frames for reply in case.replies)
    if late >= LATE_FRAMES:
        where = [reply.start_ms for reply in case.replies if reply.late_frames]
        detail = f"{counted(late, 'frame')} of {FRAME_MS} ms came after their moment"
        yield made("late_frames", 58 + min(late * FRAME_MS / 1000, 20), detail, where)


def unconfirmed_audio(case: Case) -> Iterator[Finding]:
    """Find audio that the provider did not confirm, and phones that sent none."""
    end = case.log.end
    lost = end.ms("marks_lost") if end is not None else 0
    if lost >= MARKS_LOST:
        yield made("marks_lost", 25, f"{counted(lost, 'mark')} did not come back")
    paused = [event for event in case.log.all("stream_paused") if event.ms("paused_ms") >= PAUSED_MS]
    if paused:
        total = seconds(sum(event.ms("paused_ms") for event in paused))
        begun = [event.at_ms - event.ms("paused_ms") for event in paused]
        yield made("phone_paused", 35, f"{counted(len(paused), 'pause')}, {total} in all", begun)


def _longest(found: list[Silence]) -> float:
    return min(max(one.length_ms for one in found), 25_000)


def _starts(found: list[Silence]) -> list[float]:
    return [one.start_ms for one in found]


def _told(found: list[Silence]) -> str:
    longest = max(one.length_ms for one in found)
    if len(found) == 1:
        return f"{seconds(longest)} of silence"
    return f"{len(found)} silences, the longest of {seconds(longest)}"
