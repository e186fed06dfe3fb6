"""The echo gate: which speech it takes for an echo, and what becomes of that."""

from gateway.call.barge_in.echo_gate import EchoGate
from gateway.call.barge_in.hearing import Hearing
from gateway.call.notes import SpeechIgnored
from gateway.voice.commands import DeleteItem


class Verdict(Hearing):
    """Hearing whose verdict a test decides."""

    def __init__(self) -> None:
        self.echo = True
        self.loud = True

    def is_echo(self) -> bool:
        """As the test says."""
        return self.echo

    def is_loud(self) -> bool:
        """As the test says."""
        return self.loud


def test_an_echo_is_followed_to_its_end() -> None:
    """Until the service reports a pause; then it is noted."""
    gate = EchoGate(Verdict())
    assert gate.next_deadline() is None
    assert gate.begin("a", 1.0)
    assert gate.is_echo("a")
    assert not gate.is_echo("b")
    assert gate.next_deadline() == 1.2
    assert gate.on_deadline(1.1) is None
    assert gate.on_deadline(1.2) is None
    assert gate.next_deadline() == 1.4
    assert gate.paused("b") == ()
    assert gate.paused("a") == (SpeechIgnored("a", "echo"),)
    assert gate.paused("a") == ()
    assert gate.next_deadline() is None
    assert gate.on_deadline(9.0) is None
    assert gate.is_echo("a")


def test_other_speech_is_let_through() -> None:
    """And is no echo later."""
    hearing = Verdict()
    gate = EchoGate(hearing)
    hearing.echo = False
    assert not gate.begin("a", 1.0)
    assert not gate.is_echo("a")
    assert gate.next_deadline() is None


def test_a_caller_who_begins_during_an_echo_is_heard() -> None:
    """At the next comparison, if there is a sound at all."""
    hearing = Verdict()
    gate = EchoGate(hearing)
    gate.begin("a", 1.0)
    hearing.echo = hearing.loud = False
    assert gate.on_deadline(1.2) is None
    hearing.loud = True
    assert gate.on_deadline(1.4) == "a"
    assert not gate.is_echo("a")
    assert gate.next_deadline() is None


def test_the_answer_to_an_echo_is_not_wanted() -> None:
    """One for each, for five seconds, and none once the caller has had a turn."""
    gate = EchoGate(Verdict())
    assert gate.answered(1.0) == ()
    gate.committed("a", 1.0)
    gate.committed("b", 2.0)
    assert gate.answered(3.0) == (DeleteItem("a"),)
    assert gate.answered(3.0) == (DeleteItem("b"),)
    assert gate.answered(3.0) == ()
    gate.committed("c", 1.0)
    assert gate.answered(6.0) == ()
    gate.committed("d", 6.0)
    assert gate.turn_over() == [DeleteItem("c"), DeleteItem("d")]
    assert gate.turn_over() == []
    assert gate.answered(6.0) == ()
