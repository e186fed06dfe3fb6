"""The processor time of a log line of a call: ``python -m bench.log_lines [LINES]``.

Of each note the fastest of several rounds counts, which is what the line itself takes, whatever else the machine does.
"""

import os
import sys
import time
from collections.abc import Iterator

import structlog

from bench.beside_tools import markdown
from gateway.call import notes
from gateway.call.record import CallIdentity, TimedNote
from gateway.logs import setup as logs
from gateway.routes.noting.call_log import CallLog

LINES, ROUNDS = 300, 9
CALL = CallIdentity("CA1", "twilio", "support", "+14155550123", "+14255550100", "pcmu/8000", 0.0)
NOTES = (
    notes.CallerSaid("item_1", "Where is my order, please? It is number seventeen."),
    notes.ReplyStarted("item_2", 900),
    notes.ReplyHeard("item_2", 4000, 4000, "It is on its way to you, and comes tomorrow.", ""),
    notes.CallerSpoke("item_1", False),
)
"""Three of those that every turn has at level info, and one that is written at debug alone."""


def measured(lines: int) -> Iterator[tuple[str, float, float]]:
    """Yield each note with the microseconds of a line: of the thread that logs, and of the whole process."""
    for note in NOTES:
        timed = TimedNote(1.0, note)
        call_log, of_thread, of_process = CallLog(), list[float](), list[float]()
        for _ in range(ROUNDS):
            logs.flush()
            thread_s, process_s = time.thread_time(), time.process_time()
            for _ in range(lines):
                call_log.observe(CALL, timed)
            of_thread.append(time.thread_time() - thread_s)
            logs.flush()
            of_process.append(time.process_time() - process_s)
        yield note.event, min(of_thread) / lines * 1e6, min(of_process) / lines * 1e6


def main() -> None:
    """Measure lines as JSON and as text, written to nowhere, and print a table."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    structlog.contextvars.bind_contextvars(call=CALL.call_id, provider=CALL.provider, line=CALL.line)
    rows: list[tuple[str, ...]] = [("note", "as", "thread that logs, µs", "whole process, µs")]
    for form in ("JSON", "text"):
        logs.configure(json=form == "JSON")
        rows += [(event, form, f"{thread:.1f}", f"{process:.1f}") for event, thread, process in measured(lines)]
    print(markdown(rows))


if __name__ == "__main__":
    main()
