"""Why calls end, by whom, how loudly the log says so; and that nothing is done behind the end."""

import math

import pytest

from gateway.call.conversation import Conversation
from gateway.call.ending import ENDED_BY, PHONE_ENDS, VOICE_ENDS, EndCall, EndReason, ShutDown, level_of
from gateway.call.errands import DigitsDialled, FunctionReturned, TransferEnded
from gateway.call.messages import Commands, Event
from gateway.call.settings import Approval, CallSettings, Digits, FunctionRule, KeyAction, Recorded, Silence, Target
from gateway.phone.events import (
    CallerAudio,
    DigitPressed,
    MalformedMessage,
    MarkReturned,
    PhoneClosed,
    PhoneEnd,
    UnknownMessage,
)
from gateway.voice.commands import SayText
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    McpCalled,
    McpReturned,
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
from tests.story import STARTED, Story


def test_every_reason_has_somebody() -> None:
    """Also for the ends that a leg tells: the series of each pair exist before the first call."""
    assert set(ENDED_BY) == set(EndReason)
    assert {**ENDED_BY, **dict([*PHONE_ENDS.values(), *VOICE_ENDS.values()])} == ENDED_BY


@pytest.mark.parametrize(
    ("level", "reasons"),
    [
        ("error", {"voice_unavailable", "voice_refused", "voice_lost", "voice_stalled", "fault"}),
        ("warning", {"stream_lost", "stream_stalled", "stream_broken"}),
    ],
)
def test_a_call_that_failed_is_no_information(level: str, reasons: set[str]) -> None:
    """An error where the bot failed the caller, a warning where the stream failed; everything else is usual."""
    assert {reason.value for reason in EndReason if level_of(reason) == level} == reasons


ENDS = {
    "caller": PhoneClosed(PhoneEnd.HUNG_UP),
    "service": VoiceClosed(VoiceEnd.LOST, "gone"),
    "process": ShutDown(),
}
BUSY_LINE = CallSettings(
    greeting=Recorded(b"\x10" * 8000, "Hello."),
    functions={"status": FunctionRule()},
    approvals={"crm": Approval(SayText("May I?"), key="1", words=("yes",))},
    on_key={"0": KeyAction(transfer=Target("desk", "+14255550199", SayText("One moment.")))},
    digits=Digits(),
    silence=Silence(1, SayText("Still there?"), 1),
)
ANYTHING: list[Event] = [
    SessionReady("sess_1", "gpt-realtime"),
    CallerAudio(b"\xff" * 160),
    MarkReturned("m"),
    DigitPressed("0"),
    DigitPressed("5"),
    PhoneClosed(PhoneEnd.HUNG_UP),
    CallerSpoke("u"),
    CallerPaused("u"),
    TurnCommitted("u"),
    CallerSaid("u", "Hello?"),
    ResponseStarted("r"),
    ReplyAudio("r", "i", b"\x10" * 8000),
    ReplyComplete("r", "i"),
    ToolCalled("r", "c", "status", "{}"),
    ToolCalled("r", "c2", "end_call", "{}"),
    McpCalled("m", "crm", "look"),
    McpReturned("m"),
    ApprovalRequested("q", "crm", "look"),
    ResponseEnded("r", ResponseStatus.COMPLETED),
    FunctionReturned("c", "{}"),
    DigitsDialled("c"),
    TransferEnded(),
    TransferEnded("nobody answers"),
    MalformedMessage("?"),
    UnknownMessage("?"),
    ServiceError("x", "y", "z"),
    VoiceClosed(VoiceEnd.LOST),
    ShutDown(),
]


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("ready", [False, True])
def test_after_the_end_nothing_is_done(end: Event, ready: bool) -> None:
    """Whatever comes, in whatever state the call was: the end is the last command, and there is one."""
    for before in range(len(ANYTHING)):
        story = Story(BUSY_LINE, ready=ready)
        commands = [command for event in ANYTHING[:before] for command in story.tell(event)] + story.tell(end)
        assert [isinstance(command, EndCall) for command in commands].count(True) == 1
        assert isinstance(commands[-1], EndCall)
        conversation = story.conversation
        assert conversation.begin(story.now) == Commands()
        assert conversation.next_deadline() == math.inf
        for event in ANYTHING:
            assert conversation.handle(event, story.now) == Commands()
        assert conversation.receive_audio(b"\xff" * 160, story.now) is None
        assert conversation.on_deadline(story.now + 10_000) == Commands()
        assert conversation.state.name == "ENDED"


@pytest.mark.parametrize("greeting", [SayText("Hello."), Recorded(b"\x10" * 8000, "Hello.")])
@pytest.mark.parametrize("closed", [False, True])
def test_a_call_that_ended_before_it_began_greets_nobody(greeting: SayText | Recorded, closed: bool) -> None:
    """>> the process stops, then the call begins << nothing: no recording, no greeting, no deadline."""
    conversation = Conversation(STARTED, CallSettings(greeting=greeting, closed=closed), 0.0)
    assert conversation.handle(ShutDown(), 0.0).end == EndCall(EndReason.SHUT_DOWN, "gateway")
    assert conversation.begin(0.0) == Commands()
    assert conversation.next_deadline() == math.inf


def test_levels_are_words_that_the_log_knows() -> None:
    """An end in order is told, a lost stream is warned of, and what failed the caller is an error."""
    assert level_of(EndReason.CALLER_HUNG_UP) == "info"
    assert level_of(EndReason.STREAM_LOST) == "warning"
    assert level_of(EndReason.VOICE_LOST) == "error"
