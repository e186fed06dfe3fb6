"""A call as it is told on the terminal."""

import io
import sys
from pathlib import Path
from typing import get_args

import pytest

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.record import CallIdentity, TimedNote
from gateway.cli.calling.narrator import BY_PHONE, Narrator
from gateway.sim.caller.call import Progress, ProgressKind
from gateway.sim.caller.recording import Span

CALL = CallIdentity("CA1", "twilio", "support", "+1", "+2", "pcmu/8000", 100.0)


def told(narrator: Narrator, *made: TimedNote) -> None:
    for note in made:
        narrator.note(CALL, note)


STORY = (
    TimedNote(100.0, notes.CallStarted("+1", "+2", "")),
    TimedNote(100.5, notes.ReplySaid("r", "Hello.")),
    TimedNote(102.0, notes.BargeIn([notes.CutReply("r", 1500, 4200)], response_cancelled=False)),
    TimedNote(102.1, notes.ReplyHeard("r", 1500, 4200)),
    TimedNote(103.25, notes.CallerSaid("u", "Stop.")),
    TimedNote(104.0, notes.CallEnded(EndReason.CALLER_HUNG_UP, "caller", "", "twilio", 4.0, turns=1)),
)


def test_what_was_not_heard_of_a_reply(capsys: pytest.CaptureFixture[str]) -> None:
    """The words behind the cut; nothing of a reply that was heard to its end, or of which no word was heard."""
    narrator = Narrator()
    for words in (("Hello.", "How are you?"), ("Hello.", ""), ("", "Hello.")):
        told(narrator, TimedNote(102.1, notes.ReplyHeard("r", 1500, 4200, *words)))
    assert capsys.readouterr().out.splitlines() == ["   0.0 s  bot     (not heard: How are you?)"]


def test_words_as_they_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Seconds from the start, who, what; no colour where it is not a terminal."""
    narrator = Narrator()
    told(narrator, *STORY)
    assert capsys.readouterr().out.splitlines() == [
        "   0.0 s  call    +1 calls +2, line support",
        "   0.5 s  bot     Hello.",
        "   2.0 s  caller  speaks over the bot, who was heard for 1.5 s of 4.2 s so far",
        "   3.2 s  caller  Stop.",
        "   4.0 s  call    ended: caller_hung_up, by caller",
    ]
    assert narrator.line == "support"


def test_what_is_done_beside_talking(capsys: pytest.CaptureFixture[str]) -> None:
    """Tools when they return, keys, transfers; what is no act is left out."""
    narrator = Narrator()
    made = (
        TimedNote(101.0, notes.ToolCalled("order_status", "c1")),
        TimedNote(101.4, notes.ToolReturned("order_status", "c1", "ok", 412)),
        TimedNote(102.0, notes.DigitPressed("5")),
        TimedNote(103.0, notes.Transferred("desk")),
        TimedNote(104.0, notes.ServiceWarning("slow", "")),
    )
    told(narrator, STORY[0], *made)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "   1.4 s  tool    order_status: ok after 0.4 s",
        "   2.0 s  key     5",
        "   3.0 s  call    transferred to desk",
    ]


def test_a_key_is_told_by_the_phone_where_nobody_else_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    """That it was pressed, and not which."""
    narrator = Narrator()
    narrator.progress(Progress(2500, "key_pressed"))
    told(narrator, STORY[0])
    narrator.progress(Progress(2750, "key_pressed"))
    assert capsys.readouterr().out.splitlines()[:1] == ["   2.5 s  key     pressed"]


def test_the_phone_tells_where_the_gateway_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a gateway elsewhere only sounds are known; each step is a sentence whose subject is who does it."""
    narrator = Narrator()
    narrator.progress(Progress(0, "connected"))
    narrator.progress(Progress(540, "bot_started"))
    narrator.progress(Progress(1200, "caller_started", "question {1}.wav"))
    narrator.progress(Progress(1400, "bot_cleared"))
    narrator.progress(Progress(2000, "caller_stopped", "question {1}.wav"))
    narrator.progress(Progress(2500, "bot_started"))
    narrator.progress(Progress(3000, "bot_stopped"))
    narrator.progress(Progress(3020, "note", "no reply within 20 s"))
    narrator.progress(Progress(3040, "ended", "the caller said everything"))
    assert capsys.readouterr().out.splitlines() == [
        "   0.0 s  call    connected",
        "   0.5 s  bot     speaks",
        "   1.2 s  caller  says question {1}.wav",
        "   1.4 s  bot     is stopped before its end",
        "   2.0 s  caller  falls silent",
        "   2.5 s  bot     speaks",
        "   3.0 s  bot     falls silent",
        "   3.0 s  call    no reply within 20 s",
        "   3.0 s  call    ended: the caller said everything",
    ]


def test_every_step_of_the_phone_has_words() -> None:
    """A step that is added later must be told too."""
    assert set(BY_PHONE) == set(get_args(ProgressKind))


def test_what_the_gateway_tells_is_not_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """Once words are known, the phone's account is left out, but for what is out of the ordinary."""
    narrator = Narrator()
    told(narrator, STORY[0])
    narrator.progress(Progress(540, "bot_started"))
    narrator.progress(Progress(900, "note", "no reply within 20 s"))
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["support", "s"]


def test_quiet_is_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--json`` nothing else goes to standard output; complaints go to standard error."""
    narrator = Narrator(quiet=True)
    told(narrator, *STORY)
    narrator.done(Path("out"), ["it went wrong"], ["call.json"])
    assert capsys.readouterr() == ("", "it went wrong\n")


def test_where_the_call_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line names the folder and what is in it."""
    Narrator().done(Path("calls/1"), [], ["call.wav", "call.json"])
    assert capsys.readouterr().out == "\ncalls/1/  call.wav (caller left, bot right), call.json\n"


def test_times_are_those_of_the_speech(capsys: pytest.CaptureFixture[str]) -> None:
    """A transcript and a reply's text come at moments of their own; what is shown is when the words were spoken."""
    narrator = Narrator()
    told(narrator, STORY[0], TimedNote(100.1, notes.ReplyStarted("r1", None)))
    told(narrator, TimedNote(100.2, notes.ReplySaid("r1", "Hello.")))
    narrator.progress(Progress(500, "bot_started"))
    narrator.progress(Progress(2000, "bot_stopped"))
    narrator.progress(Progress(2700, "caller_started", "mine.wav", (Span(2900, 4000),)))
    narrator.progress(Progress(4100, "caller_stopped", "mine.wav"))
    told(narrator, TimedNote(104.5, notes.CallerPaused("u")), TimedNote(105.0, notes.CallerSaid("u", "Stop.")))
    assert capsys.readouterr().out.splitlines()[1:] == ["   0.5 s  bot     Hello.", "   2.9 s  caller  Stop."]


def test_a_recording_stands_for_words_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the emulator cannot know what is said, the line of the caller names the recording."""
    narrator = Narrator(words=False)
    told(narrator, STORY[0])
    narrator.progress(Progress(2700, "caller_started", "mine.wav", (Span(2900, 4000),)))
    assert capsys.readouterr().out.splitlines()[1:] == ["   2.7 s  caller  says mine.wav"]


def test_a_reply_that_was_never_heard_is_not_told_as_spoken(capsys: pytest.CaptureFixture[str]) -> None:
    """Its text is there, and the call ended before its first sound."""
    narrator = Narrator()
    told(narrator, STORY[0], TimedNote(100.1, notes.ReplyStarted("r1", None)))
    told(narrator, TimedNote(100.2, notes.ReplySaid("r1", "Hello.")), STORY[-1])
    assert capsys.readouterr().out.splitlines()[1] == "   4.0 s  bot     Hello. (not heard)"


class Terminal(io.StringIO):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_that_the_call_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who speaks, and for how long the call lasts; it is gone at the end, and NO_COLOR is honoured."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    with Narrator() as narrator:
        told(narrator, *STORY)
        narrator.progress(Progress(500, "bot_started"))
    shown = terminal.getvalue()
    assert "0:00:0" in shown
    assert "the bot speaks" in shown
    assert shown.endswith("\x1b[2K")  # the line was erased
    assert "\x1b[3" not in shown


def test_a_pipe_gets_the_call_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Plain lines, nothing that is drawn again."""
    with Narrator() as narrator:
        told(narrator, *STORY)
        narrator.progress(Progress(500, "bot_started"))
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 5
    assert "\x1b" not in out


@pytest.mark.parametrize("text", ["\x1b[31mred", "\x9b2J", "one\n   9.9 s  bot     forged", "a\rb", "\u202eback"])
def test_words_of_a_peer_act_on_no_terminal(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """A transcript can neither colour, nor overwrite, nor begin a line of its own; nor can numbers and complaints."""
    narrator = Narrator()
    caller = CallIdentity("CA1", "twilio", "support", text, text, "pcmu/8000", 100.0)
    narrator.note(caller, TimedNote(100.0, notes.CallStarted(text, text, "")))
    told(narrator, TimedNote(101.0, notes.CallerSaid("u", text)), TimedNote(101.0, notes.ReplySaid("r", text)))
    told(narrator, TimedNote(102.0, notes.CallEnded(EndReason.FAULT, text, text, "twilio", 2.0, turns=1)))
    narrator.done(Path("calls"), [text], [])
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 6
    assert said.out.replace("\n", "").isprintable()
    assert len(said.err.splitlines()) == 1
    assert said.err[:-1].isprintable()
