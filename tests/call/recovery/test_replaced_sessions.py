"""Signs that a session is lost; an agent's conversation; sessions that are replaced before they expire."""

import pytest
from msgspec.structs import replace

from gateway.call import notes
from gateway.call.errands import TransferEnded
from gateway.call.recovery.commands import CloseVoice, OpenVoice, UseVoice, VoiceFailed, VoiceOpened
from gateway.call.settings import CallSettings
from gateway.call.state import State
from gateway.phone.events import CallerAudio
from gateway.voice.commands import SayText, SeedMessage, SendAudio
from gateway.voice.events import (
    CallerSpoke,
    MalformedEvent,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ToolCalled,
    VoiceClosed,
    VoiceEnd,
)
from tests.call.recovery.lost import AGAIN, LINE, LOST, spoken, state_of
from tests.story import READY, SILENCE, SPEECH, Story


def test_a_mute_service_is_a_lost_session_after_two_tries_without_a_sound() -> None:
    """The socket is alive, and nothing comes: neither a response nor, once one has begun, a sound."""
    story = Story(LINE)
    spoken(story)
    story.listen(10.1)
    story.tell(ResponseStarted("r", story.requests[-1]))
    assert state_of(story) is State.TALKING
    story.listen(10.1)
    assert state_of(story) is State.RECOVERING
    assert story.noted(notes.SessionLost)[0].cause == "mute"


def test_what_a_mute_service_was_asked_for_is_asked_of_the_next_one() -> None:
    """The greeting too: nobody has heard it."""
    story = Story(replace(LINE, greeting=SayText("Hello.")))
    for number in (1, 2):
        story.tell(ResponseStarted(f"r{number}", story.requests[-1]))
        story.listen(10.1)
        story.tell(ResponseEnded(f"r{number}", ResponseStatus.CANCELLED))
    assert story.noted(notes.SessionLost)[0].cause == "mute"
    story.wait(0.3)
    assert SayText("Hello.") in story.tell(VoiceOpened(2, AGAIN))


def test_a_caller_who_asks_again_and_again_does_not_hide_a_mute_service() -> None:
    """Each turn that was not answered counts."""
    story = Story(LINE)
    for _ in range(3):
        spoken(story)
        story.listen(4.0)
    assert story.noted(notes.SessionLost)[0].cause == "mute"


def test_a_service_that_answers_each_request_with_an_error_is_a_lost_session() -> None:
    """Twice: the second one after a second."""
    story = Story(LINE)
    spoken(story)
    story.listen(10.1)
    assert len(story.requests) == 1
    story.tell(ServiceError("server_error", "no", story.requests[-1]))
    assert story.noted(notes.SessionLost)[0].cause == "mute"


@pytest.mark.parametrize(
    ("status", "state"), [(ResponseStatus.FAILED, State.RECOVERING), (ResponseStatus.INCOMPLETE, State.TALKING)]
)
def test_responses_that_fail_without_a_sound_are_a_lost_session(status: ResponseStatus, state: State) -> None:
    """Twice in a row; not those that are incomplete by their content, which another session would not say either."""
    story = Story(LINE)
    spoken(story)
    for number in range(2):
        story.tell(ResponseStarted(f"r{number}", story.requests[-1] if story.requests else ""))
        story.tell(ResponseEnded(f"r{number}", status))
        story.wait(1.1 if number == 0 else 0.0)
    assert state_of(story) is state


def test_a_burst_of_errors_is_a_lost_session() -> None:
    """Whatever they are about."""
    story = Story(LINE)
    for _ in range(10):
        story.tell(ServiceError("invalid_value", "no"))
    assert story.noted(notes.SessionLost)[0].cause == "errors"


def test_messages_that_nobody_can_read_are_a_lost_session() -> None:
    """Fifty of them within a minute."""
    story = Story(LINE)
    for _ in range(50):
        story.tell(MalformedEvent("x"))
    assert story.noted(notes.SessionLost)[0].cause == "broken"


def test_an_agent_s_conversation_is_taken_up_again() -> None:
    """By its id; where that is refused, by a session that is told what was said."""
    story = Story(LINE, ready=False)
    story.tell(replace(READY, conversation_id="conv_1"))
    story.tell(LOST)
    assert OpenVoice(2, "conv_1") in story.wait(0.3)
    story.tell(VoiceFailed(2, VoiceClosed(VoiceEnd.REFUSED, "no such conversation")))
    assert OpenVoice(3) in story.wait(1.0)


def test_an_agent_that_is_taken_up_again_is_told_what_it_missed() -> None:
    """And nothing that it knows."""
    story = Story(LINE, ready=False)
    story.tell(replace(READY, conversation_id="conv_1"))
    spoken(story)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 1600))
    story.tell(ToolCalled("r", "c", "transfer_call", '{"target":"desk"}'))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.listen(3.0)
    story.tell(LOST)
    story.tell(TransferEnded("busy"))
    assert OpenVoice(2, "conv_1") in story.wait(0.3)
    (missed,) = [command for command in story.tell(VoiceOpened(2, AGAIN)) if isinstance(command, SeedMessage)]
    assert "could not be connected with desk" in missed.text


def rolling(settings: CallSettings = LINE) -> Story:
    """A call whose session lasts 20 s, and in which the next one is ready after 15."""
    story = Story(settings, ready=False)
    story.tell(replace(READY, lasts_s=20.0))
    return story


def test_the_next_session_takes_over_before_the_expiry_while_nobody_speaks() -> None:
    """Prepared ahead; nothing is heard of it."""
    story = rolling()
    assert story.listen(15.1)[-1:] != []
    assert story.tell(VoiceOpened(2, replace(AGAIN, lasts_s=20.0))) == [CloseVoice(1), UseVoice(2)]
    (note,) = story.noted(notes.SessionRolledOver)
    assert (note.session_id, note.forced) == ("sess_2", False)
    assert OpenVoice(3) in story.listen(15.1)


def test_it_waits_for_a_reply_to_be_heard() -> None:
    """A turn boundary."""
    story = rolling()
    story.listen(14.0)
    story.answer(seconds=3)
    story.listen(1.2)
    assert story.tell(VoiceOpened(2, AGAIN)) == []
    assert UseVoice(2) in story.listen(2.5)
    assert story.noted(notes.SessionRolledOver)[0].forced is False


def test_without_a_pause_it_takes_over_shortly_before_the_expiry() -> None:
    """The caller's turn is sent to it as well."""
    story = rolling()
    story.listen(15.1)
    story.tell(CallerSpoke("u"))
    story.tell(CallerAudio(SPEECH))
    assert story.tell(VoiceOpened(2, AGAIN)) == []
    commands = story.listen(4.5)
    assert UseVoice(2) in commands
    (sent,) = [c for c in commands[commands.index(UseVoice(2)) :] if isinstance(c, SendAudio) and len(c.audio) > 160]
    assert sent.audio.startswith(SPEECH + SILENCE)
    assert story.noted(notes.SessionRolledOver)[0].forced is True


def test_the_life_of_a_session_that_waited_is_counted_from_its_beginning() -> None:
    """It took over three seconds after it was ready, and ends so much sooner: the one after it is prepared in time."""
    story = rolling()
    story.listen(14.0)
    story.answer(seconds=30)
    story.listen(1.2)
    story.tell(VoiceOpened(2, replace(AGAIN, lasts_s=20.0)))
    assert UseVoice(2) in story.listen(3.5)
    assert OpenVoice(3) not in story.listen(11.0)
    assert OpenVoice(3) in story.listen(1.5)


def test_a_reply_that_is_played_over_a_forced_change_is_heard_on() -> None:
    """It is not truncated at a session that does not know it."""
    story = rolling()
    story.listen(14.5)
    story.answer(seconds=9)
    story.listen(0.7)
    story.tell(VoiceOpened(2, AGAIN))
    assert UseVoice(2) in story.listen(3.5)
    kinds = [type(command).__name__ for command in story.tell(CallerSpoke("u"))]
    assert kinds == ["StopPlayback"]


def test_a_session_that_is_lost_beside_one_that_is_ready_is_replaced_at_once() -> None:
    """Nothing is opened, nothing is heard of it."""
    story = rolling()
    story.listen(14.0)
    story.answer(seconds=3)
    story.listen(1.2)
    story.tell(VoiceOpened(2, AGAIN))
    assert UseVoice(2) in story.tell(LOST)
    assert story.noted(notes.SessionRecovered)[0].after_ms == 0


def test_a_next_session_that_fails_is_asked_for_again() -> None:
    """And where none comes about, the one in use is lost at its end, and the call recovers."""
    story = rolling()
    story.listen(15.1)
    assert story.tell(VoiceFailed(2, VoiceClosed(VoiceEnd.REFUSED, "429"))) == [CloseVoice(2)]
    assert OpenVoice(3) in story.listen(2.2)
    story.tell(VoiceFailed(3, VoiceClosed(VoiceEnd.REFUSED, "429")))
    assert not any(isinstance(command, OpenVoice) for command in story.listen(2.0))
    story.tell(LOST)
    assert state_of(story) is State.RECOVERING


@pytest.mark.parametrize("code", [0, 1011])
def test_how_the_connection_ended_is_noted(code: int) -> None:
    """By the code of the service's close frame; 0 where there was none."""
    story = Story(LINE)
    story.tell(VoiceClosed(VoiceEnd.LOST, "gone", close_code=code))
    assert [(note.cause, note.close_code) for note in story.noted(notes.SessionLost)] == [("lost", code)]
