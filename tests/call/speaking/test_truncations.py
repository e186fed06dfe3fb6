"""Reports to the service of replies that were cut short."""

from gateway.call.speaking.replies import HeardReply
from gateway.call.speaking.truncations import LEAST_MS, Truncations
from gateway.phone.commands import StopPlayback
from gateway.voice.commands import CancelResponse, TruncateReply, truncation_id
from gateway.voice.events import (
    CallerPaused,
    CallerSpoke,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
)
from tests.story import Story

SECOND = b"\x10" * 8000


def heard(reply_id: str, heard_ms: int) -> HeardReply:
    """Return a reply of which so much was heard."""
    return HeardReply(reply_id, heard_ms, 3000, complete=False)


def test_a_reply_is_truncated_from_a_tenth_of_a_second_on() -> None:
    """A recording never is."""
    truncations = Truncations()
    replies = [heard("a", LEAST_MS - 1), heard("b", LEAST_MS), heard("recording", 500)]
    assert truncations.cut(replies) == [TruncateReply("b", LEAST_MS)]


def test_a_second_refusal_is_the_last() -> None:
    """Also where another response runs by then."""
    truncations = Truncations()
    refused = ServiceError("invalid_value", "", truncation_id("a"))
    truncations.cut([heard("a", 500)])
    truncations.refused(refused, running=True)
    assert truncations.response_ended() == [TruncateReply("a", 500)]
    truncations.refused(refused, running=True)
    assert truncations.response_ended() == []


def test_a_refusal_is_no_matter_where_no_response_runs_or_the_service_truncated_itself() -> None:
    """Nor is one of another message."""
    truncations = Truncations()
    for error, running in (
        (ServiceError("invalid_value", "", truncation_id("a")), False),
        (ServiceError("item_already_truncated", "", truncation_id("a")), True),
        (ServiceError("invalid_value", "", "request-1"), True),
        (ServiceError("invalid_value", "", ""), True),
    ):
        truncations.cut([heard("a", 500)])
        truncations.refused(error, running=running)
        assert truncations.response_ended() == []


def test_a_truncation_that_is_refused_is_tried_once_more() -> None:
    """>> refused while the response runs << again behind response.done; refused again << no more."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SECOND * 3))
    story.listen(1)
    told = story.tell(CallerSpoke("u"))
    (truncate,) = [command for command in told if isinstance(command, TruncateReply)]
    refused = ServiceError("invalid_value", "Not now.", truncation_id("i"))
    assert story.tell(refused) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == [truncate]
    assert story.tell(refused) == []
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    story.goes_on()


def test_a_reply_that_was_hardly_heard_is_not_truncated() -> None:
    """>> speech 60 ms after the first sound << silenced and cancelled; the service refuses so short a rest."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SECOND * 3))
    told = story.tell(CallerSpoke("u"))
    assert [type(command) for command in told] == [StopPlayback, CancelResponse]
