"""A call told as it happens, a line for each thing that is said or done."""

import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.call.record import CallIdentity, TimedNote
from gateway.sim.actions import action_told
from gateway.sim.call import Progress

BOLD, DIM, RED, RESET = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"


class Narrator:
    """Prints a call: the words as the gateway knows them, the rest as the phone hears it."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.line = ""
        self._quiet = quiet
        self._colour = sys.stdout.isatty()
        self._began: float | None = None
        self._words_known = False

    def note(self, identity: CallIdentity, note: TimedNote) -> None:
        """The gateway's account, where the gateway is ours."""
        fields = note.fields
        match note.kind:
            case "call_started":
                self.line, self._began, self._words_known = identity.line, note.at, True
                self._print(note.at, "call", f"{identity.caller} calls {identity.called}, line {identity.line}", DIM)
            case "caller_said":
                self._print(note.at, "caller", str(fields["text"]), BOLD)
            case "reply_said":
                self._print(note.at, "bot", str(fields["text"]))
            case "barge_in":
                replies = fields["replies"]
                for reply in replies if isinstance(replies, list) else []:
                    heard, received = reply["heard_ms"] / 1000, reply["received_ms"] / 1000
                    told = f"speaks over the bot, who was heard for {heard:.1f} s of {received:.1f} s so far"
                    self._print(note.at, "caller", told, RED)
            case "call_ended":
                self._print(note.at, "call", f"ended: {fields['reason']}, by {fields['by']}", DIM)
            case _ if act := action_told(note.kind, fields):
                self._print(note.at, *act, DIM)

    def progress(self, step: Progress) -> None:
        """The phone's account, which is all there is where the gateway runs elsewhere."""
        if step.kind == "note" or not self._words_known:
            who = next((who for who in ("caller", "bot", "key") if step.kind.startswith(who)), "call")
            self._write(step.at_ms / 1000, who, f"{step.kind.replace('_', ' ')} {step.text}".rstrip(), DIM)

    def done(self, folder: Path, complaints: Sequence[str]) -> None:
        """Where the call is kept, and what was wrong with it."""
        for complaint in complaints:
            print(complaint, file=sys.stderr)
        if not self._quiet:
            print(f"\n{folder}/  call.wav (caller left, bot right), report.html, call.json, events.jsonl")

    def _print(self, at: float, who: str, text: str, style: str = "") -> None:
        self._write(at - (self._began or at), who, text, style)

    def _write(self, at_s: float, who: str, text: str, style: str) -> None:
        if self._quiet:
            return
        styled = f"{style}{text}{RESET}" if style and self._colour else text
        print(f"{at_s:6.1f} s  {who:<6}  {styled}", flush=True)
