"""Prints a call as it happens: a line with its time for each thing that is said or done."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from gateway.call import notes
from gateway.call.record import CallIdentity, TimedNote
from gateway.cli.calling.spoken import SpokenTimes
from gateway.logs.outlet import styled_output
from gateway.report.actions import action_text
from gateway.sim.caller.call import Progress
from gateway.text import one_line

BOLD, DIM, RED = "bold", "dim", "red"
REFRESHES_PER_S = 4
STATES = {
    "connected": "connected",
    "bot_started": "the bot speaks",
    "bot_stopped": "waiting",
    "bot_cleared": "waiting",
    "caller_started": "the caller speaks",
    "caller_stopped": "waiting for the bot",
    "ended": "the call has ended",
}
BY_PHONE = {
    "connected": ("call", "connected"),
    "bot_started": ("bot", "speaks"),
    "bot_stopped": ("bot", "falls silent"),
    "bot_cleared": ("bot", "is stopped before its end"),
    "caller_started": ("caller", "says {}"),
    "caller_stopped": ("caller", "falls silent"),
    "key_pressed": ("key", "pressed"),
    "note": ("call", "{}"),
    "ended": ("call", "ended: {}"),
}
"""The actor and the action in each event that the phone reports."""


class Narrator:
    """Prints a call: the words from the gateway's notes, everything else from what the phone reports.

    As a context manager it shows on a terminal that the call goes on. ``words`` is false if the caller's words are not
    known; then the recordings are named.
    """

    def __init__(self, *, quiet: bool = False, words: bool = True) -> None:
        self.line = ""
        self.generation = ""
        self._quiet = quiet
        self._words = words
        self._console = Console(file=styled_output(), highlight=False, markup=False, emoji=False, quiet=quiet)
        self._bar = Bar(
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            transient=True,
            refresh_per_second=REFRESHES_PER_S,
            disable=quiet or not sys.stdout.isatty(),
        )
        self._task: TaskID | None = None
        self._began: float | None = None
        self._spoken = SpokenTimes()
        self._words_known = False

    def __enter__(self) -> Self:
        self._task = self._bar.add_task("calling", total=None)
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def answered_by(self, who: str) -> None:
        """Print who will answer."""
        self._write(0.0, "call", who, DIM)

    def note(self, identity: CallIdentity, note: TimedNote) -> None:
        """Print a note of the gateway; there are notes only if the gateway is ours."""
        if self._began is None:
            self._began = note.at
        at_s = note.at - self._began
        match note.note:
            case notes.CallStarted(generation=generation):
                self.line, self._words_known = identity.line, True
                self.generation = generation
                self._write(
                    at_s, "call", f"{identity.caller or 'somebody'} calls {identity.called}, line {identity.line}", DIM
                )
            case notes.CallerSaid(text=text):
                self._write(self._spoken.caller_at(at_s), "caller", text, BOLD)
            case notes.ReplySaid(item_id=item_id, text=text):
                self._spoken.reply_said(item_id, text, at_s)
            case notes.ReplyHeard(text=text, unheard=unheard) if text and unheard:
                self._write(at_s, "bot", f"(not heard: {unheard})", DIM)
            case notes.BargeIn(replies=replies):
                for reply in replies:
                    heard, received = reply.heard_ms / 1000, reply.received_ms / 1000
                    text = f"speaks over the bot, who was heard for {heard:.1f} s of {received:.1f} s so far"
                    self._write(self._spoken.interrupted_at(at_s), "caller", text, RED)
            case notes.CallEnded(reason=reason, by=by):
                self._tell_replies()
                for text in self._spoken.unheard():
                    self._write(at_s, "bot", f"{text} (not heard)", DIM)
                self._write(at_s, "call", f"ended: {reason}, by {by}", DIM)
            case made if act := action_text(made.event, made.fields()):
                self._write(at_s, *act, DIM)
        self._spoken.note(note.note, at_s)
        self._tell_replies()

    def progress(self, step: Progress) -> None:
        """Print an event of the phone, the only source if the gateway runs elsewhere."""
        if self._task is not None and step.kind in STATES:
            self._bar.update(self._task, description=STATES[step.kind])
        self._spoken.progress(step)
        self._tell_replies()
        names_recording = step.kind == "caller_started" and not self._words
        if names_recording and self._words_known:
            self._write(self._spoken.interrupted_at(step.at_ms / 1000), "caller", f"says {step.text}", BOLD)
        elif step.kind == "note" or not self._words_known:
            who, text = BY_PHONE[step.kind]
            self._write(step.at_ms / 1000, who, text.format(step.text), DIM)

    def done(self, folder: Path, complaints: Sequence[str], names: Sequence[str]) -> None:
        """Print the folder and the files in which the call is kept, and what was wrong with it."""
        self._bar.stop()
        for complaint in complaints:
            print(one_line(complaint), file=sys.stderr)
        text = ", ".join("call.wav (caller left, bot right)" if name == "call.wav" else name for name in names)
        self._print(f"\n{folder}/  {text}", "")

    def _tell_replies(self) -> None:
        for at_s, text in self._spoken.replies():
            self._write(at_s, "bot", text)

    def _write(self, at_s: float, who: str, text: str, style: str = "") -> None:
        self._print(f"{max(at_s, 0.0):6.1f} s  {who:<6}  ", text, style)

    def _print(self, before: str, text: str, style: str = "") -> None:
        self._console.print(Text(before).append(one_line(text), style or None), soft_wrap=True)
