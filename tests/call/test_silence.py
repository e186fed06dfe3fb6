"""How long nobody may speak."""

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.settings import CallSettings, Silence
from gateway.call.silence import SilenceTimer
from gateway.voice.commands import SayText

SETTINGS = CallSettings(silence=Silence(10, SayText("Still there?"), 1))


def test_a_line_without_the_rule_waits_for_ever() -> None:
    """No silence block, no deadline."""
    silence_timer = SilenceTimer(CallSettings())
    silence_timer.quiet(0.0)
    assert silence_timer.next_deadline() is None
    assert silence_timer.on_deadline(1e6) == []


def test_silence_counts_from_its_beginning() -> None:
    """Being told again that it is quiet does not start the time anew."""
    silence_timer = SilenceTimer(SETTINGS)
    assert silence_timer.quiet(5.0)
    assert not silence_timer.quiet(9.0)
    assert silence_timer.next_deadline() == 15.0
    assert silence_timer.on_deadline(14.9) == []


def test_prompts_then_the_end() -> None:
    """The prompt, as often as the line says, then the end; an interruption starts the time again, not the count."""
    silence_timer = SilenceTimer(SETTINGS)
    silence_timer.quiet(0.0)
    assert silence_timer.on_deadline(10.0) == [notes.SilencePrompt(1), SayText("Still there?")]
    silence_timer.interrupted()
    silence_timer.quiet(20.0)
    assert silence_timer.on_deadline(29.0) == []
    assert silence_timer.on_deadline(30.0) == [EndCall(EndReason.SILENCE, "caller")]


def test_a_caller_who_is_there_has_all_the_time_again() -> None:
    """Speech or a key forgets the prompts."""
    silence_timer = SilenceTimer(SETTINGS)
    silence_timer.quiet(0.0)
    assert silence_timer.on_deadline(10.0) == [notes.SilencePrompt(1), SayText("Still there?")]
    silence_timer.caller_spoke("u", 12.0)
    silence_timer.quiet(20.0)
    assert silence_timer.on_deadline(30.0)[0] == notes.SilencePrompt(1)


def test_a_reminder_starts_no_time_by_itself() -> None:
    """What is said is followed by silence, and that has its own beginning; the second reminder is the second."""
    silence_timer = SilenceTimer(CallSettings(silence=Silence(10, SayText("Still there?"), 3)))
    for count in (1, 2, 3):
        silence_timer.quiet(100.0 * count)
        assert silence_timer.on_deadline(100.0 * count + 10)[0] == notes.SilencePrompt(count)
        assert silence_timer.next_deadline() is None
