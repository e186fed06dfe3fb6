"""Turns that end beside a response: answered once, by the service or because it was asked."""

from gateway.call.settings import CallSettings
from gateway.voice.commands import CancelResponse, CreateResponse
from gateway.voice.events import (
    CallerPaused,
    CallerSpoke,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    TurnCommitted,
)
from tests.story import Story


def test_a_turn_heard_beside_a_response_is_not_answered_twice() -> None:
    """>> the service's own answer right behind the response << it is heard, and none is asked for."""
    story = Story(CallSettings(barge_in=False))
    story.tell(ResponseStarted("r"))
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.wait(0.1)
    assert story.answer(response="own", item="i2") == []
    story.goes_on(interruptible=False)


def test_a_turn_beside_a_response_whose_answer_crosses_our_request() -> None:
    """>> the request is refused, for the service answers << its answer is heard, and no other asked for."""
    story = Story(CallSettings(barge_in=False))
    story.tell(ResponseStarted("r"))
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.wait(0.31) == [CreateResponse()]
    refused = ServiceError("conversation_already_has_active_response", "Wait.", story.requests[-1])
    assert story.tell(refused) == []
    assert story.answer(response="own", item="i2") == []
    story.goes_on(interruptible=False)


def test_a_turn_by_a_key_is_answered_at_once() -> None:
    """>> the key that commits, its turn committed beside the response it cancelled << asked for without a wait."""
    story = Story(CallSettings(commit_on="#"))
    story.tell(ResponseStarted("r"))
    assert story.tell(TurnCommitted("u")) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]


def test_the_next_turn_is_answered_as_ever() -> None:
    """>> an overlapped turn, answered by the service, then an ordinary one << nothing is asked for."""
    story = Story(CallSettings(barge_in=False))
    for number in range(2):
        story.tell(ResponseStarted(f"r{number}"))
        story.tell(CallerSpoke("u"))
        story.tell(CallerPaused("u"))
        story.tell(TurnCommitted("u"))
        assert story.tell(ResponseEnded(f"r{number}", ResponseStatus.COMPLETED)) == []
        assert story.answer(response=f"own{number}", item=f"i{number}") == []
        story.goes_on(interruptible=False)


def test_a_turn_over_a_response_that_is_cancelled_is_not_asked_for() -> None:
    """>> the caller interrupts, and is done before the response has ended << the service answers by itself."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 16000))
    story.listen(0.5)
    assert CancelResponse("r") in story.tell(CallerSpoke("u"))
    story.wait(0.5)
    assert story.tell(CallerPaused("u")) + story.tell(TurnCommitted("u")) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == []
    assert story.listen(5.0) == []
    assert story.answer(response="r2", item="i2") == []
    story.goes_on()
