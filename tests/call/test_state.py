"""The states of a call: each event in each of them is handled, or noted as unexpected."""

from collections.abc import Callable, Mapping
from typing import get_args

import pytest
from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndCall, Order, ShutDown
from gateway.call.errands import DigitsDialled, FunctionReturned, TransferEnded
from gateway.call.messages import Event
from gateway.call.recovery.commands import VoiceFailed, VoiceOpened
from gateway.call.settings import CallSettings, Target, Trouble
from gateway.call.state import EXPECTED, State
from gateway.phone.events import (
    CallerAudio,
    DigitPressed,
    MalformedMessage,
    MarkReturned,
    OddMessage,
    PhoneClosed,
    PhoneEnd,
    PlaybackStopped,
    SignOfLife,
    UnknownMessage,
)
from gateway.voice.commands import SayText
from gateway.voice.events import (
    ApprovalRequested,
    CallerPartlySaid,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    MalformedEvent,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ServiceWarning,
    SessionReady,
    ToolCalled,
    ToolsListed,
    ToolsRequested,
    TranscriptionFailed,
    TurnCommitted,
    UnknownEvent,
    VoiceClosed,
    VoiceEnd,
    WordSpoken,
)
from tests.story import SPEECH, STARTED, Story

EVENTS: tuple[Event, ...] = (
    STARTED,
    CallerAudio(SPEECH),
    DigitPressed("1"),
    MarkReturned("g0-1"),
    PlaybackStopped(),
    SignOfLife(),
    UnknownMessage("new"),
    MalformedMessage("x"),
    OddMessage("x"),
    PhoneClosed(PhoneEnd.HUNG_UP),
    SessionReady("s", "m"),
    VoiceClosed(VoiceEnd.LOST),
    UnknownEvent("new"),
    MalformedEvent("x"),
    ServiceWarning("c", "m"),
    CallerSpoke("u"),
    CallerPaused("u"),
    TurnCommitted("u"),
    CallerSaid("u", "Hello."),
    CallerPartlySaid("u", "Hel"),
    TranscriptionFailed("u"),
    ResponseStarted("r"),
    ReplyAudio("r", "i", SPEECH),
    ReplyComplete("r", "i"),
    ReplyText("r", "i", "Hello"),
    WordSpoken("r", "i", "Hello", 400),
    ReplySaid("r", "i", "Hello."),
    ResponseEnded("r", ResponseStatus.COMPLETED),
    ServiceError("c", "m"),
    ToolCalled("r", "c", "status", "{}"),
    ToolsRequested("l", "crm"),
    ToolsListed("l"),
    McpCalled("m", "crm", "look"),
    McpReturned("m"),
    ApprovalRequested("a", "crm", "book"),
    FunctionReturned("c", "{}"),
    DigitsDialled("c"),
    TransferEnded(),
    VoiceOpened(2, SessionReady("s2", "m")),
    VoiceFailed(2, VoiceClosed(VoiceEnd.LOST)),
    ShutDown(),
    Order(),
)
LINE = CallSettings(
    built_in=frozenset({"end_call", "transfer_call"}),
    targets={"desk": Target("desk", "+14255550199", SayText("One moment."))},
)


def leaving() -> Story:
    """The model has called ``transfer_call`` and speaks."""
    story = Story(LINE)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 50))
    story.tell(ToolCalled("r", "c", "transfer_call", '{"target":"desk"}'))
    return story


def transferring() -> Story:
    """The last words were heard, and the provider was asked."""
    story = leaving()
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.listen(3)
    return story


def ended() -> Story:
    """The caller has hung up."""
    story = Story(LINE)
    story.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    return story


def recovering() -> Story:
    """The session was lost."""
    story = Story(replace(LINE, trouble=Trouble(tries=3, seed=1)))
    story.tell(VoiceClosed(VoiceEnd.LOST))
    return story


STORIES: Mapping[State, Callable[[], Story]] = {
    State.CONNECTING: lambda: Story(LINE, ready=False),
    State.RECOVERING: recovering,
    State.TALKING: lambda: Story(LINE),
    State.LEAVING: leaving,
    State.TRANSFERRING: transferring,
    State.ENDED: ended,
}


def test_there_is_an_example_of_every_event() -> None:
    """And a story that leads to each state."""
    assert {type(event) for event in EVENTS} == set(get_args(Event))
    assert list(STORIES) == list(State) == list(EXPECTED)
    for state, story in STORIES.items():
        assert story().conversation.state is state


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("state", State, ids=lambda state: state.name.lower())
def test_each_event_in_each_state_is_handled_or_noted(state: State, event: Event) -> None:
    """As the table says: an event that is not expected is noted, and leads to nothing else."""
    story = STORIES[state]()
    del story.notes[:]
    commands = story.tell(event)
    early = notes.UnknownMessage("voice", f"{type(event).__name__} too early")
    if type(event) in EXPECTED[state]:
        assert early not in story.notes
        closes = isinstance(event, PhoneClosed | ShutDown | Order) or (
            isinstance(event, VoiceClosed) and state is not State.TRANSFERRING
        )
        assert any(isinstance(command, EndCall) for command in commands) is closes
    else:
        assert commands == []
        assert story.notes == ([early] if state is not State.ENDED else [])
        assert story.conversation.state is state


def test_only_a_session_has_turns_and_replies() -> None:
    """Before it is ready its own events are unexpected; then every event is expected, up to the end."""
    every = set(get_args(Event))
    assert {kind.__name__ for kind in every - EXPECTED[State.CONNECTING]} == {
        *("CallerSpoke", "CallerPaused", "TurnCommitted", "CallerPartlySaid", "CallerSaid", "TranscriptionFailed"),
        *("ResponseStarted", "ReplyAudio", "ReplyComplete", "ReplySaid", "ResponseEnded", "ServiceError"),
        *("ReplyText", "WordSpoken"),
        *("ToolCalled", "ToolsRequested", "ToolsListed", "McpCalled", "McpReturned", "ApprovalRequested"),
    }
    assert {kind.__name__ for kind in EXPECTED[State.CONNECTING] - EXPECTED[State.RECOVERING]} == {
        *("SessionReady", "VoiceClosed", "MalformedEvent", "UnknownEvent", "ServiceWarning")
    }
    for state in (State.TALKING, State.LEAVING, State.TRANSFERRING):
        assert EXPECTED[state] == every
    assert EXPECTED[State.ENDED] == set()
