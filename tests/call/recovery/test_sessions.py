"""A call that goes on without the session it had: what is opened, heard, asked for again, and told to the next one."""

from collections.abc import Sequence

from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import FunctionReturned, RunFunction, TransferCaller, TransferEnded
from gateway.call.messages import Command
from gateway.call.recovery.commands import CloseVoice, OpenVoice, UseVoice, VoiceFailed, VoiceOpened
from gateway.call.recovery.sessions import BACK, CUT_OFF
from gateway.call.speaking.comfort import tone
from gateway.call.state import State
from gateway.phone.commands import PlayAudio, SendMark
from gateway.phone.events import CallerAudio
from gateway.voice.commands import (
    CreateResponse,
    ReturnToolOutput,
    SayText,
    SeedCall,
    SeedMessage,
    SeedOutput,
    SendAudio,
)
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSpoke,
    McpCalled,
    ReplyAudio,
    ReplyComplete,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
    TurnCommitted,
    VoiceClosed,
    VoiceEnd,
)
from tests.call.recovery.lost import AGAIN, LINE, LOST, PHRASE, TROUBLE, spoken, state_of
from tests.story import SPEECH, STARTED, Story

HELLO = SayText("Hello.")


def opened(story: Story, seconds: float = 0.3) -> list[Command]:
    """Let the next session be asked for and become ready; what happens on the way, and then."""
    commands = story.wait(seconds)
    (asked,) = [command for command in commands if isinstance(command, OpenVoice)]
    return [*commands, *story.tell(VoiceOpened(asked.leg, AGAIN))]


def told(commands: Sequence[Command]) -> list[Command]:
    """What was asked for, but for audio, changes of legs, and what the next session is told of the past."""
    beside = (PlayAudio, SendMark, OpenVoice, UseVoice, CloseVoice, SeedMessage, SeedCall, SeedOutput)
    return [command for command in commands if not isinstance(command, beside)]


def seeded(commands: Sequence[Command]) -> Sequence[Command]:
    """What the next session is told of the past, but for the note to the model before it."""
    return [command for command in commands if isinstance(command, SeedMessage | SeedCall | SeedOutput)][1:]


def heard(commands: Sequence[Command]) -> bytes:
    """The audio that was sent to the phone."""
    return b"".join(command.audio for command in commands if isinstance(command, PlayAudio))


def test_a_silent_caller_hears_the_phrase_and_the_bot_is_back() -> None:
    """>> lost << another session, the phrase within 150 ms, and then a few words."""
    story = Story(LINE)
    assert story.tell(LOST) == [CloseVoice(1)]
    assert state_of(story) is State.RECOVERING
    before = story.wait(0.3)
    assert OpenVoice(2) in before
    assert heard(before)[:4] == PHRASE[:4]
    back = story.tell(VoiceOpened(2, AGAIN))
    assert back == [UseVoice(2), BACK, CreateResponse()]
    assert state_of(story) is State.TALKING
    (recovered,) = story.noted(notes.SessionRecovered)
    assert (recovered.cause, recovered.tries, recovered.session_id) == ("lost", 1, "sess_2")
    assert recovered.covered_ms == 1000
    assert story.answer(request=story.requests[-1]) == []
    story.goes_on()


def test_a_session_that_is_back_at_once_is_not_noticed() -> None:
    """No phrase, no word."""
    story = Story(LINE)
    story.tell(LOST)
    commands = list[Command]()
    while OpenVoice(2) not in commands:
        assert story.now < 1000.15
        commands += story.wait(0.01)
    assert story.tell(VoiceOpened(2, AGAIN)) == [UseVoice(2)]
    story.goes_on()


def test_without_a_phrase_a_soft_tone_is_heard_until_a_session_is_there() -> None:
    """Again and again; the bot is not asked to explain it."""
    story = Story(replace(LINE, trouble=replace(TROUBLE, phrase=bytes)))
    story.tell(LOST)
    story.wait(0.3)
    commands = list[Command]()
    for _ in range(50):
        commands += story.wait(0.1)
        story.return_marks()
    audio = heard(commands)
    assert audio.count(tone(STARTED.audio_format)[:1600]) >= 2
    assert {type(command) for command in told(story.tell(VoiceOpened(2, AGAIN)))} == {SendAudio}
    story.listen(3.0)
    story.goes_on()


def test_an_answer_that_was_due_is_asked_for() -> None:
    """>> the caller's turn, lost << one request to the next session, once."""
    story = Story(LINE)
    spoken(story)
    story.tell(LOST)
    commands = opened(story)
    assert told(commands) == [CreateResponse()]
    assert seeded(commands) == [SeedMessage("user", "Where is my order?")]
    story.answer(request=story.requests[-1])
    story.goes_on()


def test_a_response_that_had_said_nothing_is_asked_for_again() -> None:
    """With its own words; what was refused of its form before may be taken by the next session."""
    story = Story(replace(LINE, greeting=HELLO))
    story.tell(ResponseStarted("r", story.requests[-1]))
    story.tell(LOST)
    assert told(opened(story)) == [HELLO]
    assert story.answer(request=story.requests[-1]) == []
    story.goes_on()


def test_a_greeting_that_was_said_is_not_said_again() -> None:
    """What of it is here already is played to its end."""
    story = Story(replace(LINE, greeting=HELLO))
    story.answer(request=story.requests[-1], seconds=2)
    played = story.played
    story.tell(LOST)
    assert told(opened(story)) == []
    story.listen(2.5)
    assert story.played == played + 16000 - played
    assert story.noted(notes.ReplyHeard) == [notes.ReplyHeard("i", 2000, 2000)]
    story.goes_on()


def test_a_reply_that_broke_off_is_continued_and_not_repeated() -> None:
    """>> lost in mid-reply << what is here is played; the model is told, and asked to go on."""
    story = Story(LINE)
    spoken(story)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 16000))
    story.tell(ReplyText("r", "i", "It is on its way"))
    story.tell(LOST)
    commands = opened(story)
    assert told(commands) == [CUT_OFF, CreateResponse()]
    assert seeded(commands) == [SeedMessage("user", "Where is my order?"), SeedMessage("assistant", "It is on its way")]
    assert PHRASE[:4] not in heard(commands), "the rest of the reply is heard, so nothing else need be"
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(4.0)
    assert story.noted(notes.ReplyHeard)[0] == notes.ReplyHeard("i", 2000, 2000, "It is on its way")
    story.goes_on()


def test_the_phrase_waits_until_the_reply_that_is_here_was_heard() -> None:
    """And is not said over it."""
    story = Story(LINE)
    spoken(story)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 8000))
    story.tell(LOST)
    assert b"\x22" not in heard(story.wait(1.1))
    assert b"\x22" in heard(story.wait(0.1))


def test_the_tone_ends_when_the_bot_speaks() -> None:
    """The words before it are heard to their end only if that is near."""
    story = Story(LINE)
    spoken(story)
    story.tell(LOST)
    story.wait(1.8)
    story.tell(VoiceOpened(2, AGAIN))
    story.tell(ResponseStarted("r", story.requests[-1]))
    kinds = [type(command).__name__ for command in story.tell(ReplyAudio("r", "i", b"\x10" * 8000))]
    assert kinds[0] == "StopPlayback"


def test_the_caller_s_words_meanwhile_are_kept_for_the_next_session() -> None:
    """The turn that was being said is sent again with what follows, and nobody speaks over it."""
    story = Story(LINE)
    story.tell(CallerSpoke("u"))
    for piece in (b"\x01" * 160, b"\x02" * 160):
        assert story.tell(CallerAudio(piece)) == [SendAudio(piece)]
    story.tell(LOST)
    assert story.tell(CallerAudio(b"\x03" * 160)) == []
    commands = opened(story)
    assert told(commands) == [SendAudio(b"\x01" * 160 + b"\x02" * 160 + b"\x03" * 160)]
    assert heard(commands) == b""
    story.tell(CallerSpoke("u2"))
    story.tell(CallerPaused("u2"))
    story.answer()
    story.goes_on()


def test_a_turn_whose_words_are_not_known_is_sent_again_and_answered_by_itself() -> None:
    """One answer is asked for at most, and only if the service owes it too long."""
    story = Story(LINE)
    story.tell(CallerSpoke("u"))
    story.tell(CallerAudio(SPEECH))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    story.tell(LOST)
    assert told(opened(story)) == [SendAudio(SPEECH)]
    story.tell(CallerSpoke("u2"))
    story.tell(CallerPaused("u2"))
    assert story.answer() == []
    story.goes_on()


def test_a_turn_that_was_understood_is_not_sent_again() -> None:
    """Its words are in the history."""
    story = Story(LINE)
    story.tell(CallerSpoke("u"))
    story.tell(CallerAudio(SPEECH))
    spoken(story)
    story.answer()
    story.tell(CallerAudio(SPEECH))
    story.tell(LOST)
    assert told(opened(story)) == []


def test_a_function_goes_on_and_its_result_goes_to_the_next_session() -> None:
    """>> called, lost, returned << the output and the answer, once each."""
    story = Story(LINE)
    spoken(story)
    called = story.call("look")
    assert any(isinstance(command, RunFunction) for command in called)
    story.tell(LOST)
    commands = opened(story)
    assert told(commands) == []
    assert seeded(commands)[-1] == SeedCall("call_1", "look", "{}")
    done = story.tell(FunctionReturned("call_1", '{"found":1}'))
    done += story.listen(2.0)
    assert told(done) == [ReturnToolOutput("call_1", '{"found":1}'), CreateResponse()]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.goes_on()


def test_a_result_that_comes_while_there_is_no_session_is_reported_by_the_next_one() -> None:
    """The output is in what that session is told; it is asked once."""
    story = Story(LINE)
    spoken(story)
    story.call("look")
    story.tell(LOST)
    story.tell(FunctionReturned("call_1", '{"found":1}'))
    commands = opened(story)
    assert seeded(commands)[-1] == SeedOutput("call_1", '{"found":1}')
    commands += story.listen(2.0)
    assert told(commands).count(CreateResponse()) == 1


def test_a_tool_of_a_server_is_given_up_and_the_model_told() -> None:
    """The session ran it; so is a question that was to be asked for one."""
    story = Story(LINE)
    spoken(story)
    story.tell(ResponseStarted("r"))
    story.tell(McpCalled("m", "crm", "look"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.tell(LOST)
    (returned,) = story.noted(notes.McpReturned)
    assert (returned.tool, returned.outcome) == ("look", "error")
    assert told(opened(story) + story.listen(2.0)).count(CreateResponse()) == 1
    story.tell(ApprovalRequested("a", "crm", "book"))


def test_a_hang_up_whose_last_words_are_here_needs_no_other_session() -> None:
    """They are heard to their end, and the call ends as planned."""
    story = Story(LINE)
    spoken(story)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 8000))
    story.tell(ToolCalled("r", "c", "end_call", "{}"))
    story.tell(ReplyComplete("r", "i"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.tell(LOST)
    commands = story.listen(3.0)
    assert [command for command in commands if isinstance(command, EndCall)] == [EndCall(EndReason.BOT_HUNG_UP, "bot")]
    assert PHRASE[:4] not in heard(commands)


def test_a_hang_up_whose_last_words_are_to_be_said_waits_for_the_next_session() -> None:
    """It is still planned then."""
    story = Story(LINE)
    spoken(story)
    story.call("end_call")
    story.tell(LOST)
    commands = opened(story)
    (words,) = told(commands)
    assert isinstance(words, CreateResponse)
    assert "goodbye" in words.instructions
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert EndCall(EndReason.BOT_HUNG_UP, "bot") in story.listen(4.0)


def transferring() -> Story:
    """A caller who is being transferred."""
    story = Story(LINE)
    spoken(story)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 1600))
    story.tell(ToolCalled("r", "c", "transfer_call", '{"target":"desk"}'))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert any(isinstance(command, TransferCaller) for command in story.listen(3.0))
    return story


def test_a_transfer_needs_no_session() -> None:
    """The provider takes the caller over."""
    story = transferring()
    assert story.tell(LOST) == []
    assert story.listen(1.0) == []
    story.tell(TransferEnded())
    assert EndCall(EndReason.TRANSFERRED, "bot") in story.listen(6.0)


def test_a_transfer_that_fails_after_the_session_goes_on_with_another_one() -> None:
    """It is told what has failed, and asked to say so."""
    story = transferring()
    story.tell(LOST)
    story.tell(TransferEnded("busy"))
    assert state_of(story) is State.RECOVERING
    assert told(opened(story)) == [CreateResponse()]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.goes_on()


def test_a_call_that_gets_no_session_ends_once_all_was_heard() -> None:
    """So many tries, each refused; the reason is the loss, the detail tells the last refusal."""
    story = Story(LINE)
    story.tell(LOST)
    commands: list[Command] = []
    for _ in range(TROUBLE.tries):
        while not (asked := [command for command in commands if isinstance(command, OpenVoice)]):
            commands += story.wait(0.05)
        commands = story.tell(VoiceFailed(asked[0].leg, VoiceClosed(VoiceEnd.REFUSED, "429")))
    commands += story.listen(5.0)
    (end,) = [command for command in commands if isinstance(command, EndCall)]
    assert end.reason is EndReason.VOICE_LOST
    assert end.detail == "Voice Live closed the session with 1011; 4 tries at another session: 429"
    (failed,) = story.noted(notes.SessionNotRecovered)
    assert (failed.tries, failed.detail) == (4, "429")
    assert failed.covered_ms > 1000


def test_a_session_that_never_answers_is_not_awaited_for_ever() -> None:
    """The limit holds; the leg that is being opened is closed."""
    story = Story(LINE)
    story.tell(LOST)
    commands = story.listen(25.0)
    assert CloseVoice(2) in commands
    assert any(isinstance(command, EndCall) for command in commands)
    assert story.noted(notes.SessionNotRecovered)[0].detail == "no session within 15 s"


def test_a_first_session_that_is_refused_for_now_is_asked_for_again() -> None:
    """The caller hears the phrase, and then the greeting; what they have said is kept."""
    story = Story(replace(LINE, greeting=HELLO), ready=False)
    story.tell(CallerAudio(SPEECH))
    story.tell(VoiceClosed(VoiceEnd.REFUSED, "429", passes=True))
    assert told(opened(story)) == [SendAudio(SPEECH), HELLO]
    story.answer(request=story.requests[-1])
    story.goes_on()
