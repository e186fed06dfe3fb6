"""Requests are made again without the part that the service refuses."""

import pytest
from msgspec.structs import replace

from gateway.call.settings import CallSettings, Silence
from gateway.call.speaking.request_form import RequestForm, passes
from gateway.voice.commands import CreateResponse, SayText, said_by_the_model
from gateway.voice.events import ServiceError
from tests.story import Story

HELLO = SayText("Hello.", "request-1")
UNNAMED = ServiceError("invalid_request_error", "The request is invalid.", "request-1")


def test_requests_are_whole_at_first() -> None:
    """Both kinds go as they are."""
    form = RequestForm()
    assert form.of(HELLO) == HELLO
    assert form.of(CreateResponse("Hm.")) == CreateResponse("Hm.")


def test_without_a_name_the_metadata_goes_first() -> None:
    """Then the ready-made message; then the cause was another, and everything is tried again next time."""
    form = RequestForm()
    assert form.reduce(HELLO, UNNAMED)
    assert form.of(HELLO) == replace(HELLO, labelled=False)
    assert form.reduce(HELLO, UNNAMED)
    assert form.of(HELLO) == replace(said_by_the_model("Hello.", "request-1"), labelled=False)
    assert not form.reduce(HELLO, UNNAMED)
    assert form.of(HELLO) == HELLO


@pytest.mark.parametrize(
    "error",
    [
        ServiceError("invalid_request_error", "", "request-1", "response.pre_generated_assistant_message"),
        ServiceError("invalid_value", "'pre_generated_assistant_message' is not supported.", "request-1"),
    ],
)
def test_what_an_error_names_goes_alone(error: ServiceError) -> None:
    """By ``param`` or in the text; the metadata stays."""
    form = RequestForm()
    assert form.reduce(HELLO, error)
    assert form.of(HELLO) == said_by_the_model("Hello.", "request-1")
    assert form.of(CreateResponse()) == CreateResponse()


def test_a_wish_without_words_has_only_metadata() -> None:
    """Nothing else can be left out of it."""
    form = RequestForm()
    assert form.reduce(CreateResponse(), UNNAMED)
    assert not form.reduce(CreateResponse(), UNNAMED)


@pytest.mark.parametrize(
    ("code", "passing"),
    [
        ("server_error", True),
        ("rate_limit_exceeded", True),
        ("InternalServerError", True),
        ("invalid_request_error", False),
        ("invalid_value", False),
        ("", False),
    ],
)
def test_errors_that_pass_by_themselves(code: str, passing: bool) -> None:
    """They say nothing about what was asked for."""
    assert passes(ServiceError(code, "")) is passing


def test_what_is_refused_of_a_greeting_is_left_out() -> None:
    """>> the metadata, then the ready-made message << asked for without, at once; the next text has the same form."""
    hello, bye = SayText("Hello."), SayText("Bye.")
    story = Story(CallSettings(greeting=hello, silence=Silence(5.0, bye, 1)))
    by_the_model = said_by_the_model("Hello.")
    told = story.tell(ServiceError("invalid_request_error", "No.", story.requests[-1], "response.metadata"))
    assert told == [SayText("Hello.", labelled=False)]
    told = story.tell(ServiceError("invalid_value", "No pre_generated_assistant_message.", story.requests[-1]))
    assert told == [replace(by_the_model, labelled=False)]
    assert story.answer() == []
    assert story.listen(6.5) == [replace(said_by_the_model("Bye."), labelled=False)]


def test_a_request_that_is_refused_whatever_is_left_out_is_given_up() -> None:
    """>> three refusals << no fourth request; the call goes on."""
    story = Story(CallSettings(greeting=SayText("Hello.")))
    for _ in range(2):
        assert len(story.tell(ServiceError("invalid_request_error", "No.", story.requests[-1]))) == 1
    assert story.tell(ServiceError("invalid_request_error", "No.", story.requests[-1])) == []
    story.goes_on()
