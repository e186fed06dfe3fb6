"""A conversation that listens to the caller itself: echoes, and speech that the service does not report."""

import pytest

from gateway.call import notes
from gateway.call.barge_in.hearing import Hearing
from gateway.call.barge_in.listening import ListeningConversation, conversation_for
from gateway.call.barge_in.speech_watch import ECHO_REST_S, SPEECH_S
from gateway.call.conversation import Conversation
from gateway.call.messages import Command
from gateway.call.settings import BargeInRules, CallSettings
from gateway.phone.commands import PlayAudio, SendMark, StopPlayback
from gateway.phone.events import CallerAudio
from gateway.voice.commands import (
    CancelResponse,
    DeleteItem,
    SayText,
    SendAudio,
    SetTurnDetection,
    TruncateReply,
)
from gateway.voice.events import (
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    SessionReady,
    TranscriptionFailed,
    TurnCommitted,
)
from tests.call.barge_in.sounds import bot_speech, caller_speech, frames, mixed, quieter
from tests.story import READY, STARTED, Story

TURNS = {"type": "azure_semantic_vad", "silence_duration_ms": 500}
BOT = bot_speech(8.0)
ECHO = quieter(BOT, 0.2)
DELAY = 2400
"""Bytes of 300 ms: from the moment at which audio is heard to that at which its echo is back."""
COMPLETED = ResponseStatus.COMPLETED


def gated(*, min_speech_ms: int = 0) -> Story:
    """A call on a line with an echo gate."""
    return Story(CallSettings(barge_in_rules=BargeInRules(min_speech_ms=min_speech_ms, echo_gate=True)))


def watched(settings: CallSettings | None = None, *, turns: object = TURNS) -> Story:
    """A call that is watched."""
    story = Story(settings or CallSettings(watches_speech=True), ready=False)
    story.tell(SessionReady("sess_1", "gpt-realtime", turn_detection=turns))  # type: ignore[arg-type]  # tested
    return story


def speaks(story: Story) -> None:
    """A reply is generated, and begins to be heard."""
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", BOT))
    story.tell(ReplyComplete("r", "i"))
    story.tell(ResponseEnded("r", COMPLETED))


def sends(story: Story, sound: bytes) -> list[Command]:
    """The caller's stream brings this sound, frame by frame; what is asked beside passing audio on."""
    commands: list[Command] = []
    for frame in frames(sound):
        commands += story.wait(0.02)
        commands += story.return_marks()
        commands += story.tell(CallerAudio(frame))
    passed = (PlayAudio, SendMark, SendAudio)
    return [command for command in commands if not isinstance(command, passed)]


def echo(start_s: float, end_s: float) -> bytes:
    """Return the echo of the reply between two times since it began to be heard."""
    late = b"\xff" * DELAY + ECHO
    return late[int(start_s * 8000) : int(end_s * 8000)]


def test_only_calls_that_want_it_listen() -> None:
    """The others have the conversation as it is, and their playback keeps nothing."""
    assert type(conversation_for(STARTED, CallSettings(), 0.0)) is Conversation
    assert conversation_for(STARTED, CallSettings(), 0.0)._bot.played is None
    for settings in (CallSettings(watches_speech=True), CallSettings(barge_in_rules=BargeInRules(echo_gate=True))):
        assert type(conversation_for(STARTED, settings, 0.0)) is ListeningConversation


def test_an_echo_does_not_interrupt() -> None:
    """>> speech that is an echo of the bot, its turn and its answer << the item deleted, the answer cancelled."""
    story = gated()
    speaks(story)
    assert sends(story, echo(0.0, 1.5)) == []
    assert story.tell(CallerSpoke("c1")) == []
    assert sends(story, echo(1.5, 2.5)) == []
    assert story.tell(CallerPaused("c1")) == []
    assert story.noted(notes.SpeechIgnored) == [notes.SpeechIgnored("c1", "echo")]
    assert story.tell(TurnCommitted("c1")) == []
    assert story.tell(CallerSaid("c1", "Your order")) == []
    assert story.tell(ResponseStarted("r2")) == [CancelResponse("r2"), DeleteItem("c1")]
    assert story.tell(TranscriptionFailed("c1")) == []
    assert story.tell(ResponseEnded("r2", ResponseStatus.CANCELLED)) == []
    assert sends(story, echo(2.5, 9.0)) == []
    assert [reply.heard_ms for reply in story.noted(notes.ReplyHeard)] == [8000]
    unwanted = (notes.BargeIn, notes.CallerSaid, notes.CallerPaused, notes.TranscriptionFailed)
    assert [note for kind in unwanted for note in story.noted(kind)] == []


def test_the_caller_interrupts_as_ever() -> None:
    """>> speech of the caller beside the echo << silence at once, as without a gate."""
    story = gated()
    speaks(story)
    words = caller_speech(0.4)
    said = mixed(echo(1.5, 1.9), words)
    assert sends(story, echo(0.0, 1.5) + said) == []
    assert [type(command) for command in story.tell(CallerSpoke("c1"))] == [StopPlayback, TruncateReply]
    story.tell(CallerPaused("c1"))
    story.tell(TurnCommitted("c1"))
    story.tell(CallerSaid("c1", "Stop."))
    assert story.noted(notes.CallerSaid) == [notes.CallerSaid("c1", "Stop.")]
    assert story.answer(response="r2", item="i2") == []


def test_a_caller_who_begins_during_an_echo_interrupts() -> None:
    """>> an echo that goes on, and the caller's words in it << silence within 400 ms of them."""
    story = gated()
    speaks(story)
    sends(story, echo(0.0, 1.5))
    assert story.tell(CallerSpoke("c1")) == []
    stopped = sends(story, mixed(echo(1.5, 2.3), caller_speech(0.8)))
    assert [type(command) for command in stopped] == [StopPlayback, TruncateReply]
    story.tell(CallerPaused("c1"))
    assert story.noted(notes.CallerPaused) == [notes.CallerPaused("c1")]
    assert story.tell(TurnCommitted("c1")) == []


def test_the_answer_to_the_caller_s_turn_is_not_taken_for_one_to_an_echo() -> None:
    """>> an echo that the service does not answer, then a turn << its answer is heard."""
    story = gated()
    speaks(story)
    sends(story, echo(0.0, 1.5))
    story.tell(CallerSpoke("c1"))
    story.tell(CallerPaused("c1"))
    story.tell(TurnCommitted("c1"))
    sends(story, mixed(echo(1.5, 1.9), caller_speech(0.4)))
    story.tell(CallerSpoke("c2"))
    story.tell(CallerPaused("c2"))
    assert story.tell(TurnCommitted("c2")) == [DeleteItem("c1")]
    assert story.answer(response="r2", item="i2") == []


def test_the_rules_hold_behind_the_gate() -> None:
    """>> the caller, on a line with a least length << held, and silence when it is long enough."""
    story = gated(min_speech_ms=200)
    speaks(story)
    sends(story, b"\xff" * 8000 + caller_speech(0.3))
    assert story.tell(CallerSpoke("c1")) == []
    stopped = sends(story, caller_speech(0.3))
    assert [type(command) for command in stopped] == [StopPlayback, TruncateReply]


def test_a_caller_whom_the_service_does_not_hear_is_noticed() -> None:
    """>> two seconds of speech over the bot, and no report << silence, and the turn detection sent again."""
    story = watched()
    speaks(story)
    sends(story, b"\xff" * 8000)
    done = sends(story, caller_speech(2.2))
    assert [type(command) for command in done] == [StopPlayback, SetTurnDetection, TruncateReply]
    assert done[1] == SetTurnDetection(TURNS)
    assert story.noted(notes.SpeechUnreported) == [notes.SpeechUnreported()]
    assert len(story.noted(notes.BargeIn)) == 1
    assert sends(story, caller_speech(3.0)) == []


def test_the_next_time_takes_a_report_of_the_service() -> None:
    """>> speech that nobody reports, over the next reply too << nothing; a report, and speech again << silence."""
    story = watched()
    for number in range(2):
        story.answer(seconds=8, response=f"r{number}", item=f"i{number}")
        sends(story, b"\xff" * 8000 + caller_speech(2.2))
        assert len(story.noted(notes.SpeechUnreported)) == 1
    story.tell(CallerSpoke("c1"))
    story.tell(CallerPaused("c1"))
    story.tell(TurnCommitted("c1"))
    story.answer(seconds=8, response="r9", item="i9")
    sends(story, b"\xff" * 8000 + caller_speech(2.2))
    assert len(story.noted(notes.SpeechUnreported)) == 2


def test_every_frame_is_passed_on_all_the_same() -> None:
    """The frame that brings the decision too."""
    story = watched()
    speaks(story)
    passed: list[bytes] = []
    speech = caller_speech(2.2)
    for frame in frames(speech):
        story.wait(0.02)
        passed += [one.audio for one in story.tell(CallerAudio(frame)) if isinstance(one, SendAudio)]
    assert b"".join(passed) == speech


@pytest.mark.parametrize(
    "sound", [b"\xff" * 24000, caller_speech(1.2) + b"\xff" * 12000, echo(0.0, 4.0)], ids=["silence", "short", "echo"]
)
def test_what_is_no_long_speech_of_a_caller_is_not_noticed(sound: bytes) -> None:
    """>> silence, a short speech, the bot's own echo << nothing."""
    story = watched()
    speaks(story)
    assert sends(story, sound) == []
    assert story.noted(notes.SpeechUnreported) == []


def test_an_echo_is_looked_into_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """>> nine seconds of echo << a rest between two verdicts, each of which costs as much as a second of a call."""
    story = watched()
    verdicts: list[float] = []

    def is_echo(_: Hearing) -> bool:
        verdicts.append(story.now)
        return True

    monkeypatch.setattr(Hearing, "is_echo", is_echo)
    story.answer(seconds=12)
    sends(story, caller_speech(9.0))
    first, second = verdicts
    assert second - first >= ECHO_REST_S + SPEECH_S - 0.1


def test_speech_that_the_service_reports_is_not_noticed() -> None:
    """>> speech_started, held by the line's rules for longer than the watch needs << no second decision."""
    story = watched(CallSettings(watches_speech=True, barge_in_rules=BargeInRules(min_speech_ms=5000)))
    speaks(story)
    sends(story, caller_speech(0.4))
    assert story.tell(CallerSpoke("c1")) == []
    assert sends(story, caller_speech(3.0)) == []


def test_speech_into_silence_is_not_watched() -> None:
    """>> three seconds of speech while the bot is silent << nothing."""
    assert sends(watched(), caller_speech(3.0)) == []


def test_a_greeting_that_must_be_heard_is_not_watched() -> None:
    """>> speech over a protected greeting << nothing."""
    story = watched(CallSettings(watches_speech=True, greeting=SayText("Hello."), interruptible=False))
    story.tell(ResponseStarted("r", story.requests[-1]))
    story.tell(ReplyAudio("r", "i", BOT))
    assert sends(story, caller_speech(3.0)) == []


def test_without_turn_detection_nobody_is_watched() -> None:
    """>> a session whose turns are ended by hand << speech over the bot means nothing."""
    story = watched(turns=None)
    speaks(story)
    assert sends(story, caller_speech(3.0)) == []
    assert READY.turn_detection is None
