"""The figures of a call: how soon it was answered, what ran, what it used. Pure."""

import statistics
from collections.abc import Iterator

from gateway.records.explain.case import Case, counted, seconds
from gateway.records.explain.waits import tool_runs

NEARLY_ALL = 0.95
_INPUT, _OUTPUT = ("input_text", "input_audio", "input_image"), ("output_text", "output_audio")


def figures_of(case: Case) -> list[tuple[str, str]]:
    """Return the figures, each with its name; those of which nothing is known are left out."""
    return [*_speech(case), *_tools(case), *_sessions(case), *_audio(case)]


def _speech(case: Case) -> Iterator[tuple[str, str]]:
    yield "Turns", f"{counted(len(case.turns), 'turn')} of the caller, {counted(len(case.replies), 'reply')} of the bot"
    ready = case.log.first("session_ready")
    if ready is not None:
        yield "Session ready", f"after {seconds(ready.at_ms)}"
    if case.greeting is not None:
        heard = f", heard after {seconds(case.greeting.start_ms)}" if case.greeting.heard_ms else ", not heard"
        yield "Greeting", f"came after {seconds(case.greeting.came_ms)}{heard}"
    waited = sorted(reply.latency_ms for reply in case.replies if reply.latency_ms is not None)
    if waited:
        nearly = waited[min(len(waited) - 1, int(len(waited) * NEARLY_ALL))]
        yield "Answers", f"median {statistics.median(waited):.0f} ms, p95 {nearly} ms, slowest {waited[-1]} ms"
    stopped = [event.number("after_ms") or 0.0 for event in case.log.all("playback_stopped")]
    if stopped:
        yield "Fell silent", f"at most {max(stopped):.0f} ms after speech was reported"


def _tools(case: Case) -> Iterator[tuple[str, str]]:
    for _, returned, name in tool_runs(case.log):
        if returned is None:
            yield f"Tool {name}", "had not returned when the call ended"
        else:
            yield f"Tool {name}", f"{returned.text('outcome')} after {returned.ms('took_ms')} ms"


def _sessions(case: Case) -> Iterator[tuple[str, str]]:
    log = case.log
    rolled = log.all("session_rolled_over")
    lost, back = log.all("session_lost"), log.all("session_recovered")
    if lost:
        tries = sum(event.ms("tries") for event in log.all("session_recovered", "session_not_recovered"))
        yield "Lost sessions", f"{len(lost)}, {len(back)} recovered, {counted(tries, 'try')}"
    if rolled:
        forced = sum(event.fields.get("forced") is True for event in rolled)
        yield "Roll-overs", f"{len(rolled)}, {forced} of them forced"
    asked_again = [event for event in log.all("response_cut_short") if event.text("status") == "given_up"]
    if asked_again:
        yield "Responses given up", str(len(asked_again))
    used = log.all("tokens_used")
    if used:
        taken, made = (sum(event.ms(name) for event in used for name in names) for names in (_INPUT, _OUTPUT))
        yield "Tokens", f"{taken} in, {made} out, in {counted(len(used), 'response')}"


def _audio(case: Case) -> Iterator[tuple[str, str]]:
    end = case.log.end
    if end is not None and end.number("late_frames") is not None:
        yield "Late frames", str(end.ms("late_frames"))
        yield "Marks lost", str(end.ms("marks_lost"))
