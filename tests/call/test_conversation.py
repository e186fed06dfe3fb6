"""The rules of a call, each told as a story."""

import pytest
from msgspec.structs import replace

from gateway.call import notes
from gateway.call.bad_messages import MALFORMED_LIMIT
from gateway.call.ending import EndCall, EndReason, ShutDown
from gateway.call.messages import Commands, Event
from gateway.call.settings import CallSettings, KeyAction, Silence
from gateway.phone.commands import AskForLife, PlayAudio, SendMark, StopPlayback
from gateway.phone.events import (
    CallerAudio,
    DigitPressed,
    MalformedMessage,
    MarkReturned,
    OddMessage,
    PhoneClosed,
    PhoneEnd,
    Playout,
    SignOfLife,
    UnknownMessage,
)
from gateway.voice.commands import (
    CancelResponse,
    CommitTurn,
    CreateResponse,
    ReturnToolOutput,
    SayText,
    SendAudio,
    TruncateReply,
)
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    SessionReady,
    ToolCalled,
    TurnCommitted,
    VoiceClosed,
    VoiceEnd,
)
from tests.story import SPEECH, STARTED, Story

GREETING = SayText("Hello.")
READY = SessionReady("sess_1", "gpt-realtime")
SECOND = b"\x10" * 8000


def answering(story: Story, *, seconds: int = 3, done: bool = False) -> Story:
    """A reply is generated: response ``r``, item ``i``."""
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SECOND * seconds))
    if done:
        story.tell(ReplyComplete("r", "i"))
        story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    return story


def listening(story: Story) -> list[object]:
    """Let half a second pass while the phone returns the marks of what it has played."""
    commands: list[object] = []
    for _ in range(5):
        commands += story.tell(CallerAudio(b"\xff" * 160)) and []
        commands += story.wait(0.1)
    return commands


def test_greeting_once_and_only_when_the_session_is_ready() -> None:
    """>> ready << greeting; a second session.updated greets nobody."""
    story = Story(CallSettings(greeting=GREETING), ready=False)
    assert story.tell(READY) == [GREETING]
    assert story.tell(READY) == []


def test_without_greeting_the_caller_begins() -> None:
    """>> ready << nothing."""
    assert Story(ready=False).tell(READY) == []


def test_words_spoken_while_connecting_are_not_lost() -> None:
    """>> audio, audio, ready << both pieces in one, then the greeting."""
    story = Story(CallSettings(greeting=GREETING), ready=False)
    assert story.tell(CallerAudio(b"a" * 160)) == []
    assert story.tell(CallerAudio(b"b" * 160)) == []
    assert story.tell(READY) == [SendAudio(b"a" * 160 + b"b" * 160), GREETING]
    assert story.tell(CallerAudio(b"c" * 160)) == [SendAudio(b"c" * 160)]


def test_waiting_audio_is_bounded() -> None:
    """A session that takes a minute keeps the last ten seconds of the caller."""
    story = Story(ready=False)
    for _ in range(3000):
        story.tell(CallerAudio(b"a" * 160))
        story.wait(0.02)
    (audio,) = story.tell(READY)
    assert isinstance(audio, SendAudio)
    assert len(audio.audio) == 80_000


def test_barge_in_while_generating() -> None:
    """>> speech over a running response << clear, cancel, truncate at what was heard; late audio is dropped."""
    story = answering(Story())
    listening(story)
    told = story.tell(CallerSpoke("u"))
    assert told[0] == StopPlayback()
    assert told[1] == CancelResponse("r")
    assert isinstance(told[2], TruncateReply)
    assert told[2].item_id == "i"
    assert 480 <= told[2].heard_ms <= 520
    assert story.tell(ReplyAudio("r", "i", SECOND)) == []
    assert story.tell(ReplyComplete("r", "i")) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED, "client_cancelled")) == []
    assert story.noted(notes.BargeIn)[0].response_cancelled is True


def test_barge_in_after_generation() -> None:
    """>> speech while the finished reply still plays << clear and truncate; there is nothing to cancel."""
    story = answering(Story(), done=True)
    listening(story)
    told = story.tell(CallerSpoke("u"))
    assert [type(command) for command in told] == [StopPlayback, TruncateReply]


NO_CLEAR = replace(STARTED, playout=replace(STARTED.playout, clears=False))


def test_barge_in_where_nothing_can_be_discarded() -> None:
    """>> speech over a running response << cancel, and truncate at all that was sent: half a second and the lead."""
    story = answering(Story(started=NO_CLEAR))
    listening(story)
    sent_ms = story.played // 8
    assert story.tell(CallerSpoke("u")) == [CancelResponse("r"), TruncateReply("i", sent_ms)]
    assert 900 <= sent_ms <= 1120
    heard = notes.CutReply("i", sent_ms, 3000)
    assert story.noted(notes.BargeIn) == [notes.BargeIn(replies=[heard], response_cancelled=True)]
    assert story.tell(ReplyAudio("r", "i", SECOND)) == []


def test_speech_over_the_last_of_a_reply_that_cannot_be_discarded() -> None:
    """>> speech when all of a reply was sent << nothing: the caller hears it to its end."""
    story = Story(started=NO_CLEAR)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SECOND[:2400]))
    story.tell(ReplyComplete("r", "i"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.tell(CallerSpoke("u")) == []
    assert story.noted(notes.ReplyHeard) == [notes.ReplyHeard("i", 300, 300)]
    assert story.noted(notes.BargeIn) == []


def test_speech_over_silence_is_no_barge_in() -> None:
    """>> speech when everything was heard << nothing."""
    story = answering(Story(), seconds=1, done=True)
    for _ in range(20):
        story.tell(CallerAudio(b"\xff" * 160))
        story.wait(0.1)
        story.return_marks()
    assert story.noted(notes.ReplyHeard) == [notes.ReplyHeard("i", 1000, 1000)]
    assert story.tell(CallerSpoke("u")) == []
    assert story.noted(notes.BargeIn) == []


def test_barge_in_before_the_first_audio() -> None:
    """>> speech between response.created and its first delta << cancel alone: nothing to clear or to truncate."""
    story = Story()
    story.tell(ResponseStarted("r"))
    assert story.tell(CallerSpoke("u")) == [CancelResponse("r")]
    assert story.tell(ReplyAudio("r", "i", SECOND)) == []


def test_barge_in_before_the_response_exists() -> None:
    """>> speech after our request, before response.created << nothing yet; the response is cancelled as it appears."""
    story = Story(CallSettings(greeting=GREETING))
    assert story.tell(CallerSpoke("u")) == []
    assert story.tell(ResponseStarted("r")) == [CancelResponse("r")]
    assert story.tell(ReplyAudio("r", "i", SECOND)) == []
    story.tell(ResponseEnded("r", ResponseStatus.CANCELLED))
    story.tell(CallerPaused("u"))
    assert story.tell(ResponseStarted("r2")) == []
    assert any(isinstance(command, PlayAudio) for command in story.tell(ReplyAudio("r2", "i2", SECOND)))


def test_answer_to_an_overtaken_turn_is_cancelled() -> None:
    """>> the caller speaks on, then the answer to the first half << cancelled: it answers what was not finished."""
    story = Story()
    story.tell(CallerSpoke("u1"))
    story.tell(CallerPaused("u1"))
    story.tell(CallerSpoke("u2"))
    assert story.tell(ResponseStarted("r")) == [CancelResponse("r")]


def test_line_without_barge_in_talks_on() -> None:
    """>> speech on a line with barge_in: false << nothing, and the reply is played to its end."""
    story = answering(Story(CallSettings(barge_in=False)))
    assert story.tell(CallerSpoke("u")) == []
    assert any(isinstance(command, PlayAudio) for command in story.wait(0.5))


def test_the_service_may_have_been_first() -> None:
    """>> response_cancel_not_active << nothing but a note: the response had ended by itself."""
    story = answering(Story())
    story.tell(CallerSpoke("u"))
    assert story.tell(ServiceError("response_cancel_not_active", "no active response found")) == []
    assert story.noted(notes.ServiceError) == [
        notes.ServiceError("response_cancel_not_active", "no active response found")
    ]


ACTIVE = "conversation_already_has_active_response"


def test_a_request_that_lost_the_race_is_made_again() -> None:
    """>> the service already answers << wait for its end, then ask again."""
    story = Story(CallSettings(greeting=GREETING))
    assert story.tell(ResponseStarted("other", "somebody-else")) == []
    assert story.tell(ServiceError(ACTIVE, "active", story.requests[-1])) == []
    assert story.tell(ResponseEnded("other", ResponseStatus.COMPLETED)) == [GREETING]
    assert len(set(story.requests)) == 2


def test_a_request_refused_for_good_does_not_keep_others_back() -> None:
    """>> our request is refused << it is given up; the caller's next turn is answered as ever."""
    story = Story(CallSettings(greeting=GREETING))
    assert story.tell(ServiceError("rate_limit_exceeded", "later", story.requests[-1])) == []
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    assert story.tell(ResponseStarted("r")) == []
    assert any(isinstance(command, PlayAudio) for command in story.tell(ReplyAudio("r", "i", SECOND)))


def test_a_caller_who_speaks_first_is_answered_instead_of_greeted() -> None:
    """>> "Hello?" while connecting << its answer is played, the greeting that it overtook is not."""
    story = Story(CallSettings(greeting=GREETING), ready=False)
    story.tell(CallerAudio(b"hello"))
    assert story.tell(READY)[-1] == GREETING
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    assert story.tell(ResponseStarted("r")) == []
    assert story.tell(ServiceError(ACTIVE, "active", story.requests[-1])) == []
    assert any(isinstance(command, PlayAudio) for command in story.tell(ReplyAudio("r", "i", SECOND)))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == []


def test_a_pause_that_never_comes_does_not_mute_the_bot() -> None:
    """>> noise begins a turn that has no end << after a while the silence rule speaks up all the same."""
    story = Story(CallSettings(silence=Silence(10, SayText("Still there?"), 1)))
    story.tell(CallerSpoke("u"))
    said: list[object] = []
    for _ in range(450):
        story.tell(CallerAudio(b"\xff" * 160))
        said += story.wait(0.1)
    assert said == [SayText("Still there?")]


def test_a_response_that_never_speaks_is_asked_for_again() -> None:
    """>> response.created and nothing more << it is cancelled after a while, and tried once more."""
    story = Story(CallSettings(greeting=GREETING))
    story.tell(ResponseStarted("r", story.requests[-1]))
    assert story.listen(10.1) == [CancelResponse("r")]
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == [GREETING]
    story.tell(ResponseStarted("r2", story.requests[-1]))
    assert story.listen(10.1) == [CancelResponse("r2")]
    assert story.tell(ResponseEnded("r2", ResponseStatus.CANCELLED)) == []
    story.tell(ResponseStarted("r3"))
    assert any(isinstance(command, PlayAudio) for command in story.tell(ReplyAudio("r3", "i", SECOND)))


def test_a_response_that_is_not_even_cancelled_is_over_too() -> None:
    """>> no word of the cancelled response either << the next one is asked for all the same."""
    story = Story(CallSettings(greeting=GREETING))
    story.tell(ResponseStarted("r", story.requests[-1]))
    assert story.listen(13.2) == [CancelResponse("r"), GREETING]


def test_a_request_that_is_never_answered_is_made_again() -> None:
    """>> no response.created and no refusal << asked for once more, then given up: others are still taken."""
    silence = Silence(10, SayText("Still there?"), 1)
    story = Story(CallSettings(greeting=GREETING, silence=silence))
    assert story.listen(20.1) == [GREETING]
    assert story.listen(10.1) == [silence.say]


def test_a_turn_that_is_never_answered_is_answered_on_demand() -> None:
    """>> a committed turn and no response << after a while one is asked for."""
    story = Story()
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    assert story.listen(10.1) == [CreateResponse()]


def test_a_response_that_stops_half_way_is_given_up() -> None:
    """>> some audio, and never response.done << the silence rule is not held up by it."""
    story = Story(CallSettings(silence=Silence(10, SayText("Still there?"), 1)))
    answering(story, seconds=1)
    said: list[object] = []
    for _ in range(300):
        story.tell(CallerAudio(b"\xff" * 160))
        said += [command for command in story.wait(0.1) if not isinstance(command, PlayAudio | SendMark)]
        story.return_marks()
    assert said[:2] == [CancelResponse("r"), SayText("Still there?")]


@pytest.mark.parametrize("status", [ResponseStatus.COMPLETED, ResponseStatus.CANCELLED])
def test_silence_is_minded_after_a_response_without_a_word(status: ResponseStatus) -> None:
    """A failed or empty response is followed by silence like any other."""
    story = Story(CallSettings(silence=Silence(10, SayText("Still there?"), 1)))
    story.tell(ResponseStarted("r"))
    story.tell(ResponseEnded("r", status))
    said: list[object] = []
    for _ in range(101):
        story.tell(CallerAudio(b"\xff" * 160))
        said += story.wait(0.1)
    assert said == [SayText("Still there?")]


def test_a_response_that_fails_at_once_is_tried_once_more() -> None:
    """>> failed without a sound << asked for again after a second; failed again << not any more."""
    story = Story()
    story.tell(ResponseStarted("r"))
    assert story.tell(ResponseEnded("r", ResponseStatus.FAILED)) == []
    assert story.listen(1.1) == [CreateResponse()]
    story.tell(ResponseStarted("r2", story.requests[-1]))
    assert story.tell(ResponseEnded("r2", ResponseStatus.FAILED)) == []
    assert story.listen(20) == []


def test_a_request_that_is_refused_is_made_once_more() -> None:
    """>> our request is refused << made again after a second, and no third time."""
    story = Story(CallSettings(greeting=GREETING))
    assert story.tell(ServiceError("server_error", "oops", story.requests[-1])) == []
    assert story.listen(1.1) == [GREETING]
    assert story.tell(ServiceError("server_error", "oops", story.requests[-1])) == []
    assert story.listen(20) == []


def test_a_text_that_waited_for_the_caller_is_said_behind_the_answer() -> None:
    """>> speech, a key that wants a text, the turn's answer << the text is not lost."""
    hours = SayText("Nine to five.")
    story = Story(CallSettings(on_key={"9": KeyAction(say=hours)}))
    story.tell(CallerSpoke("u"))
    assert story.tell(DigitPressed("9")) == []
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    story.tell(ResponseStarted("r"))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [hours]


def test_late_audio_is_nobodys() -> None:
    """>> audio behind response.done << dropped: it would be heard over the caller, or leave a reply without an end."""
    story = answering(Story(), done=True)
    assert story.tell(ReplyAudio("r", "i2", SECOND)) == []
    story.tell(CallerSpoke("u"))
    assert story.tell(ReplyAudio("r", "i", SECOND)) == []


def test_a_turn_heard_beside_a_response_is_answered_after_it() -> None:
    """>> a whole turn over a line without barge_in << asked for 300 ms after the response: the service may answer."""
    story = Story(CallSettings(barge_in=False))
    story.tell(ResponseStarted("r"))
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    assert story.tell(TurnCommitted("u")) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == []
    assert story.wait(0.29) == []
    assert story.wait(0.02) == [CreateResponse()]


def test_a_key_in_the_farewell_keeps_the_call() -> None:
    """>> end_call, then the key that commits << the hang-up is off, and the turn is answered."""
    story = answering(Story(CallSettings(commit_on="#")))
    story.tell(ToolCalled("r", "call_1", "end_call", "{}"))
    story.tell(DigitPressed("#"))
    story.tell(ResponseEnded("r", ResponseStatus.CANCELLED))
    assert story.tell(TurnCommitted("u")) == [CreateResponse()]


def test_a_goodbye_is_asked_for_once() -> None:
    """>> the goodbye itself calls end_call again << its output, and the end: no second goodbye."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "call_1", "end_call", "{}"))
    assert len(story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))) == 1
    story.tell(ResponseStarted("r2", story.requests[-1]))
    story.tell(ToolCalled("r2", "call_2", "end_call", "{}"))
    assert story.tell(ResponseEnded("r2", ResponseStatus.COMPLETED)) == [EndCall(EndReason.BOT_HUNG_UP, "bot")]


def test_a_goodbye_behind_the_call_is_the_goodbye() -> None:
    """>> end_call first and the spoken item after it << no other goodbye is asked for."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "call_1", "end_call", "{}"))
    story.tell(ReplyAudio("r", "i", SECOND))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == []


def test_an_ended_call_wants_nothing_more() -> None:
    """No deadline is left that a timer could spin on."""
    story = Story()
    story.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert story.conversation.next_deadline() == float("inf")


def test_latency_is_noted_from_the_end_of_the_turn() -> None:
    """The caller's wait runs from the end of the turn to the first audio sent to the phone."""
    story = Story()
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.now += 0.75
    answering(story)
    assert story.noted(notes.ReplyStarted) == [notes.ReplyStarted("i", 750)]


def test_transcripts_are_noted_once() -> None:
    """Empty and repeated transcripts of an item, as the service sends them, are not the caller's words."""
    story = Story()
    story.tell(CallerSaid("u", "Hello"))
    story.tell(CallerSaid("u", ""))
    story.tell(CallerSaid("u", "Hello"))
    assert story.noted(notes.CallerSaid) == [notes.CallerSaid("u", "Hello")]


def test_farewell_is_heard_before_the_hang_up() -> None:
    """>> end_call with the goodbye still playing << the output at once, the end only after the last mark."""
    story = answering(Story(), seconds=1)
    assert story.tell(ToolCalled("r", "call_1", "end_call", "{}")) == [
        ReturnToolOutput("call_1", '{"result":"the call ends after your farewell"}')
    ]
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    ended: list[object] = []
    while not any(isinstance(command, EndCall) for command in ended) and story.now < 1003:
        story.tell(CallerAudio(b"\xff" * 160))
        ended += story.wait(0.1)
        ended += story.return_marks()
    assert ended[-1] == EndCall(EndReason.BOT_HUNG_UP, "bot")
    assert story.now == pytest.approx(1001.0, abs=0.15)


def test_silent_end_call_gets_its_goodbye() -> None:
    """>> end_call without a word << a farewell is asked for, once the response that called has ended."""
    story = Story()
    story.tell(ResponseStarted("r"))
    assert len(story.tell(ToolCalled("r", "call_1", "end_call", "{}"))) == 1
    (request,) = story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert isinstance(request, CreateResponse)
    assert "goodbye" in request.instructions


def test_barge_in_during_the_farewell_keeps_the_call() -> None:
    """>> end_call, speech << the hang-up is off."""
    story = answering(Story())
    story.tell(ToolCalled("r", "call_1", "end_call", "{}"))
    story.tell(CallerSpoke("u"))
    story.tell(ResponseEnded("r", ResponseStatus.CANCELLED))
    for _ in range(400):
        story.tell(CallerAudio(b"\xff" * 160))
        assert not any(isinstance(command, EndCall) for command in story.wait(0.1))


def test_farewell_that_is_never_confirmed_is_bounded() -> None:
    """A provider that returns no marks cannot hold the line open."""
    story = answering(Story(CallSettings(farewell_limit_s=5)), seconds=60)
    story.tell(ToolCalled("r", "call_1", "end_call", "{}"))
    story.tell(CallerAudio(b"\xff" * 160))
    assert isinstance(story.wait(5.1)[-1], EndCall)


def test_unknown_tool_is_answered() -> None:
    """A model that calls what the line has not is told so, and may explain itself."""
    story = Story()
    story.tell(ResponseStarted("r"))
    assert story.tell(ToolCalled("r", "c", "magic", "{}")) == [
        ReturnToolOutput("c", '{"error":"this line has no such tool"}')
    ]
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]


def test_key_commits_the_turn() -> None:
    """>> # on a line with manual turns << the bot is silenced, the turn committed; the response follows the commit."""
    story = answering(Story(CallSettings(commit_on="#")), done=True)
    story.listen(0.2)
    told = story.tell(DigitPressed("#"))
    assert [type(command) for command in told] == [StopPlayback, TruncateReply, CommitTurn]
    assert story.tell(TurnCommitted("u")) == [CreateResponse()]


def test_other_keys_are_noted() -> None:
    """A key without a meaning on this line changes nothing."""
    story = Story(CallSettings(commit_on="#"))
    assert story.tell(DigitPressed("5")) == []
    assert story.noted(notes.DigitPressed) == [notes.DigitPressed("5")]


def test_silence_prompts_then_ends() -> None:
    """After the last word heard: twice the prompt, then the call ends."""
    silence = Silence(after_s=10, say=SayText("Are you still there?"), times=1)
    story = Story(CallSettings(silence=silence))
    spoken: list[object] = []
    for _ in range(101):
        story.tell(CallerAudio(b"\xff" * 160))
        spoken += story.wait(0.1)
    assert spoken == [silence.say]
    answering(story, seconds=1, done=True)
    ended: list[object] = []
    for _ in range(125):
        story.tell(CallerAudio(b"\xff" * 160))
        ended += story.wait(0.1)
        ended += story.return_marks()
    assert ended[-1] == EndCall(EndReason.SILENCE, "caller")


@pytest.mark.parametrize(
    ("event", "reason", "by"),
    [
        (PhoneClosed(PhoneEnd.HUNG_UP), EndReason.CALLER_HUNG_UP, "caller"),
        (PhoneClosed(PhoneEnd.LOST, "1006"), EndReason.STREAM_LOST, "provider"),
        (PhoneClosed(PhoneEnd.STALLED), EndReason.STREAM_STALLED, "provider"),
        (VoiceClosed(VoiceEnd.LOST), EndReason.VOICE_LOST, "service"),
        (VoiceClosed(VoiceEnd.UNREACHABLE), EndReason.VOICE_UNAVAILABLE, "service"),
        (VoiceClosed(VoiceEnd.REFUSED), EndReason.VOICE_REFUSED, "service"),
        (VoiceClosed(VoiceEnd.STALLED), EndReason.VOICE_STALLED, "service"),
        (ShutDown(), EndReason.SHUT_DOWN, "gateway"),
    ],
)
def test_every_end_has_its_reason(event: PhoneClosed | VoiceClosed | ShutDown, reason: EndReason, by: str) -> None:
    """In every state, the end says why and who; after it, nothing happens any more."""
    connecting, silent, talking = Story(ready=False), Story(), answering(Story())
    for story in (connecting, silent, talking):
        ended = story.tell(event)[-1]
        assert isinstance(ended, EndCall)
        assert (ended.reason, ended.by) == (reason, by)
        assert story.tell(CallerAudio(b"x")) == []
        assert story.tell(CallerSpoke("u")) == []
        assert story.conversation.on_deadline(story.now + 9999) == Commands()


def test_what_was_heard_is_known_when_the_caller_hangs_up() -> None:
    """>> hang-up in mid-reply << the record holds what had been heard of it."""
    story = answering(Story())
    listening(story)
    story.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    (heard,) = story.noted(notes.ReplyHeard)
    assert heard.received_ms == 3000
    assert 480 <= heard.heard_ms <= 520


def test_a_reply_that_stops_after_a_part_of_a_frame() -> None:
    """The end of the reply before it is heard all the same, and no deadline stays in the past meanwhile."""
    story = Story(CallSettings(stream_silence_limit_s=60))
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "a", b"\x10" * 3281))
    story.tell(ReplyComplete("r", "a"))
    story.tell(ReplyAudio("r", "b", b"\x10" * 10))
    story.wait(9.0)
    assert story.noted(notes.ReplyHeard) == [notes.ReplyHeard("a", 410, 410)]


@pytest.mark.parametrize(
    "event",
    [
        ResponseStarted("r"),
        ToolCalled("r", "call_1", "end_call", "{}"),
        ApprovalRequested("approval_1", "shop", "buy"),
        ServiceError("conversation_already_has_active_response", "no", ""),
        TurnCommitted("turn"),
    ],
)
def test_nothing_is_sent_before_the_session(event: Event) -> None:
    """What means something only in a session is noted, and answered by nothing, until there is one."""
    story = Story(ready=False)
    assert story.tell(CallerSpoke("turn")) == []
    assert story.tell(event) == []
    assert story.tell(DigitPressed("1")) == []
    assert story.wait(14.0) == [AskForLife()]
    assert {note.leg for note in story.noted(notes.UnknownMessage)} == {"voice"}
    (silence,) = story.tell(READY)
    assert isinstance(silence, SendAudio)


def test_time_limit() -> None:
    """A call ends at its line's limit."""
    story = Story(CallSettings(duration_limit_s=30))
    ended: list[object] = []
    for _ in range(310):
        story.tell(CallerAudio(b"\xff" * 160))
        ended += story.wait(0.1)
    assert ended == [EndCall(EndReason.TIME_LIMIT, "gateway")]


def test_a_stream_without_audio_is_lost() -> None:
    """A provider that sends nothing is asked for a sign of life; one that gives none is gone."""
    story = Story(CallSettings(stream_silence_limit_s=15))
    assert AskForLife() not in story.wait(7.4)
    assert AskForLife() in story.wait(0.2)
    ended = story.wait(7.5)[-1]
    assert isinstance(ended, EndCall)
    assert (ended.reason, ended.detail) == (EndReason.STREAM_LOST, "no audio from the provider for 15 s")


def test_marks_keep_a_silent_stream() -> None:
    """The phone of a listening caller sends nothing, but its marks come back: the stream is not lost."""
    story = answering(Story(), seconds=60, done=True)
    for _ in range(600):
        assert not any(isinstance(command, EndCall) for command in story.wait(0.1))
        story.return_marks()


@pytest.mark.parametrize(
    "event", [MarkReturned("g9-9"), DigitPressed("1"), SignOfLife(), UnknownMessage("new"), OddMessage("odd")]
)
def test_whatever_comes_keeps_a_silent_stream(event: Event) -> None:
    """Any message of the provider says that it is there, for as long as they come."""
    story = Story(CallSettings(stream_silence_limit_s=15))
    for _ in range(10):
        assert not any(isinstance(command, EndCall) for command in story.wait(14.0))
        story.tell(event)


def test_a_silent_stream_is_filled_with_silence() -> None:
    """A caller who is muted for a minute: the service hears a minute of silence, so that turns end."""
    story = Story(CallSettings(stream_silence_limit_s=90))
    silence = [command for command in story.wait(60.0) if isinstance(command, SendAudio)]
    assert sum(len(command.audio) for command in silence) == pytest.approx(8000 * 60, abs=800)
    assert {byte for command in silence for byte in command.audio} == {0xFF}
    story.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert story.wait(60.0) == []


def test_a_phone_that_reads_nothing() -> None:
    """It sends media and returns no mark: five seconds of audio later the call is over."""
    story = answering(Story(), seconds=60)
    assert not any(isinstance(command, EndCall) for command in story.listen_without_marks(4.8))
    ended = [command for command in story.listen_without_marks(0.4) if isinstance(command, EndCall)]
    assert ended == [EndCall(EndReason.STREAM_STALLED, "provider", "no mark came back for 5 s of audio")]


def test_a_phone_that_reads_nothing_of_short_replies() -> None:
    """What counts is the audio that nothing confirms, in however many replies, interrupted ones too."""
    story = Story()
    ended: list[object] = []
    for number in range(12):
        story.answer(seconds=1, response=f"r{number}", item=f"i{number}")
        ended += [command for command in story.listen_without_marks(0.7) if isinstance(command, EndCall)]
        story.tell(CallerSpoke(f"u{number}"))
        story.tell(CallerPaused(f"u{number}"))
    assert [command.reason for command in ended if isinstance(command, EndCall)] == [EndReason.STREAM_STALLED]


@pytest.mark.parametrize(
    "playout", [Playout(returns_marks=False), Playout(marks_on_trial=True), Playout(marks_return_on_the_way=False)]
)
def test_a_phone_that_does_not_confirm_as_it_plays(playout: Playout) -> None:
    """Where marks are not known, or return when all was played, none is missed."""
    story = answering(Story(started=replace(STARTED, playout=playout)), seconds=60)
    assert not any(isinstance(command, EndCall) for command in story.listen_without_marks(59.0))


def test_a_lost_mark_ends_no_call() -> None:
    """One that never returns is no stall, however long ago: the next ones do."""
    story = Story()
    for number in range(20):
        story.answer(seconds=1, response=f"r{number}", item=f"i{number}")
        story.marks = story.marks[:-1]
        assert not any(isinstance(command, EndCall) for command in story.listen(4.0))
        story.marks.clear()
    assert story.conversation.marks_lost == 20


def test_marks_that_return_are_not_lost() -> None:
    """None of a reply that was heard, and none of one that the caller spoke over."""
    story = Story()
    story.answer(seconds=1)
    story.listen(4.0)
    story.answer(seconds=3, response="r2", item="i2")
    story.listen(1.0)
    story.tell(CallerSpoke("u"))
    story.listen(4.0)
    story.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert story.conversation.marks_lost == 0


def test_odd_messages_are_counted_and_bounded() -> None:
    """Unknown messages are notes; malformed ones too, up to the point where the peer is none."""
    story = Story()
    assert story.tell(UnknownMessage("new")) == []
    for _ in range(MALFORMED_LIMIT - 1):
        assert story.tell(MalformedMessage("not JSON")) == []
    (ended,) = story.tell(MalformedMessage("not JSON"))
    assert isinstance(ended, EndCall)
    assert ended.reason is EndReason.STREAM_BROKEN


def test_a_failed_response_is_noted() -> None:
    """The service's reason for a failed response reaches the record."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ResponseEnded("r", ResponseStatus.FAILED, "quota"))
    assert story.noted(notes.ResponseCutShort) == [notes.ResponseCutShort("failed", "quota")]


def test_the_end_of_another_response_says_nothing_of_the_one_that_runs() -> None:
    """>> the end of a response that is not the running one, cut short << nothing is noted, and the reply goes on."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 10))
    assert story.tell(ResponseEnded("before", ResponseStatus.INCOMPLETE, "content_filter")) == []
    assert not any(isinstance(note, notes.ResponseCutShort) for note in story.notes)
