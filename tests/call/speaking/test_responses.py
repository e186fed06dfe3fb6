"""When a response is asked for, given up and asked for again, to the second."""

import pytest

from gateway.call.speaking.responses import (
    ALREADY_ACTIVE,
    ANSWER,
    ANSWER_LIMIT_S,
    CANCEL_LIMIT_S,
    RETRY_AFTER_S,
    SPEECH_LIMIT_S,
    Request,
    Responses,
)
from gateway.voice.commands import CancelResponse, CreateResponse, SayText
from gateway.voice.events import ServiceError

HELLO, BYE = SayText("Hello."), SayText("Bye.")
START = 1000.0


def refusal(request_id: str, code: str, message: str = "", param: str = "") -> ServiceError:
    """Return the error by which the service refuses a request."""
    return ServiceError(code, message, request_id, param)


def ids(requests: list[Request]) -> list[str]:
    """Return the ids that were given to requests."""
    return [request.request_id for request in requests]


def texts(requests: list[Request | CancelResponse]) -> list[str]:
    """Return what texts are to be said."""
    return [request.text for request in requests if isinstance(request, SayText)]


def of(responses: Responses, what: str) -> object:
    """Return an attribute as it is now; to a type checker it may have changed."""
    return getattr(responses, what)


def test_a_new_gate_is_idle_and_waits_for_nothing() -> None:
    """No deadline, nothing to cancel, nobody speaks, and nothing that answers or waits."""
    responses = Responses()
    assert responses.idle
    assert (responses.caller_speaks, responses.answers, responses.waits_for_a_tool) == (False, False, False)
    assert (responses.next_deadline(), responses.cancel(), responses.on_deadline(START)) == (None, [], [])


def test_requests_are_numbered() -> None:
    """Each has an id of its own, from the first on."""
    responses = Responses()
    assert ids(responses.want(HELLO, START)) == ["request-1"]
    responses.started("r", "request-1", START)
    responses.want(BYE, START)
    assert ids(responses.ended("r", START)) == ["request-2"]


def test_texts_are_said_in_turn_and_an_answer_is_asked_for_once() -> None:
    """Two equal texts are two texts; two wishes for an answer are one."""
    responses = Responses()
    responses.started("r", "", START)
    for wish in (HELLO, ANSWER, HELLO, ANSWER, BYE):
        assert responses.want(wish, START) == []
    said: list[Request] = []
    for _ in range(6):
        said += responses.ended(responses.response or "", START)
        if said:
            responses.started(f"r{len(said)}", said[-1].request_id, START)
    assert [type(request) for request in said] == [SayText, CreateResponse, SayText, SayText]
    assert texts([*said]) == ["Hello.", "Hello.", "Bye."]


def test_a_request_that_is_never_answered() -> None:
    """Ten seconds to the moment; then once more, with no words of its own lost; then never again."""
    responses = Responses()
    responses.want(HELLO, START)
    assert responses.next_deadline() == START + ANSWER_LIMIT_S
    assert responses.on_deadline(START + ANSWER_LIMIT_S - 0.001) == []
    again = responses.on_deadline(START + ANSWER_LIMIT_S)
    assert again == [SayText("Hello.", "request-2")]
    assert responses.on_deadline(START + 2 * ANSWER_LIMIT_S) == []
    assert of(responses, "idle")


def test_a_request_is_refused() -> None:
    """Made once more after a second, to the moment; its id is new; and a third time it is not made."""
    responses = Responses()
    responses.want(HELLO, START)
    assert responses.refused(refusal("request-1", "server_error"), START) == []
    assert responses.next_deadline() == START + RETRY_AFTER_S
    assert responses.on_deadline(START + RETRY_AFTER_S - 0.001) == []
    assert responses.on_deadline(START + RETRY_AFTER_S) == [SayText("Hello.", "request-2")]
    assert responses.refused(refusal("request-1", "server_error"), START + 2) == [], "not the one that is asked for"
    assert not of(responses, "idle")
    assert responses.refused(refusal("request-2", "server_error"), START + 2) == []
    assert of(responses, "idle")


def test_a_request_that_came_too_early() -> None:
    """It waits for the response in its way: ten seconds for its beginning, then for its end; other texts wait."""
    responses = Responses()
    responses.want(HELLO, START)
    responses.want(BYE, START)
    assert responses.refused(refusal("request-1", ALREADY_ACTIVE), START) == []
    assert responses.next_deadline() == START + ANSWER_LIMIT_S
    responses.started("other", "", START + 1)
    assert of(responses, "request") is None
    assert responses.ended("other", START + 2) == [SayText("Hello.", "request-2")]
    assert responses.started("r", "request-2", START + 2)
    assert of(responses, "request") == HELLO
    assert responses.ended("r", START + 3) == [SayText("Bye.", "request-3")]


def test_a_request_that_came_too_early_and_whose_obstacle_is_never_told() -> None:
    """Nothing begins within ten seconds << an answer is asked for, and then the text."""
    responses = Responses()
    responses.want(HELLO, START)
    responses.refused(refusal("request-1", ALREADY_ACTIVE), START)
    assert responses.on_deadline(START + ANSWER_LIMIT_S - 0.001) == []
    assert responses.on_deadline(START + ANSWER_LIMIT_S) == [CreateResponse(request_id="request-2")]
    responses.started("r", "request-2", START + ANSWER_LIMIT_S)
    assert responses.ended("r", START + ANSWER_LIMIT_S) == [SayText("Hello.", "request-3")]


@pytest.mark.parametrize("code", [ALREADY_ACTIVE, "server_error"])
def test_a_refused_request_that_was_interrupted_is_forgotten(code: str) -> None:
    """Whatever the refusal says; and the next request is no longer taken for it."""
    responses = Responses()
    responses.want(HELLO, START)
    responses.drop_wishes()
    assert responses.refused(refusal("request-1", code), START) == []
    assert of(responses, "idle")
    (bye,) = responses.want(BYE, START)
    assert responses.started("r", bye.request_id, START), "what is asked for behind it is heard"


def test_an_interruption_drops_texts_and_keeps_answers() -> None:
    """What waits, and what is on its way; a response that begins all the same is told as dropped, once."""
    responses = Responses()
    responses.want(HELLO, START)
    responses.want(BYE, START)
    responses.want(ANSWER, START)
    responses.drop_wishes()
    assert not responses.started("r", "request-1", START)
    assert ids(responses.ended("r", START)) == ["request-2"]
    assert responses.started("r2", "request-2", START)
    assert of(responses, "answers")
    assert responses.ended("r2", START) == []


def test_an_interruption_where_nothing_is_asked_for_drops_nothing_later() -> None:
    """The next request of ours is heard."""
    responses = Responses()
    responses.drop_wishes()
    responses.want(HELLO, START)
    assert responses.started("r", "request-1", START)


def test_an_interrupted_request_that_is_never_answered_is_not_made_again() -> None:
    """The caller would hear a greeting ten seconds after the first words."""
    responses = Responses()
    responses.want(HELLO, START)
    responses.drop_wishes()
    assert responses.on_deadline(START + ANSWER_LIMIT_S) == []
    assert of(responses, "idle")
    (bye,) = responses.want(BYE, START + ANSWER_LIMIT_S)
    assert responses.started("r", bye.request_id, START + ANSWER_LIMIT_S), "what is asked for behind it is heard"


def test_a_response_that_brings_nothing() -> None:
    """Cancelled after ten seconds, over three seconds later, and its text is asked for once more."""
    responses = Responses()
    responses.want(HELLO, START)
    responses.started("r", "request-1", START)
    assert responses.next_deadline() == START + ANSWER_LIMIT_S
    assert responses.on_deadline(START + ANSWER_LIMIT_S - 0.001) == []
    assert responses.on_deadline(START + ANSWER_LIMIT_S) == [CancelResponse("r")]
    over = START + ANSWER_LIMIT_S + CANCEL_LIMIT_S
    assert responses.next_deadline() == over
    assert responses.on_deadline(over - 0.001) == []
    assert responses.on_deadline(over) == [SayText("Hello.", "request-2")]


def test_a_response_that_stops_half_way() -> None:
    """Every sound gives it ten seconds more; it is cancelled then, and not asked for again."""
    responses = Responses()
    responses.started("r", "", START)
    responses.goes_on(START + 9)
    assert responses.next_deadline() == START + 9 + ANSWER_LIMIT_S
    assert responses.on_deadline(START + 9 + ANSWER_LIMIT_S) == [CancelResponse("r")]
    assert responses.on_deadline(START + 9 + ANSWER_LIMIT_S + CANCEL_LIMIT_S) == []
    assert of(responses, "idle")


def test_a_turn_without_an_end() -> None:
    """Nobody speaks for half a minute without a pause; what waited is asked for then."""
    responses = Responses()
    responses.caller_spoke("u", START)
    assert (responses.caller_speaks, responses.idle) == (True, False)
    assert responses.want(HELLO, START) == []
    assert responses.next_deadline() == START + SPEECH_LIMIT_S
    assert responses.on_deadline(START + SPEECH_LIMIT_S - 0.001) == []
    assert texts(responses.on_deadline(START + SPEECH_LIMIT_S)) == ["Hello."]
    assert not of(responses, "caller_speaks")


def test_the_pause_of_an_older_turn_ends_no_other() -> None:
    """>> u1, u2, the end of u1 << the caller still speaks."""
    responses = Responses()
    responses.caller_spoke("u1", START)
    responses.caller_spoke("u2", START)
    responses.want(HELLO, START)
    assert responses.caller_done("u1", START) == []
    assert of(responses, "caller_speaks")
    assert texts([*responses.caller_done("u2", START)]) == ["Hello."]


def test_an_answer_that_is_owed() -> None:
    """Ten seconds to the moment; then it is asked for; meanwhile texts wait, and a wish for an answer is fulfilled."""
    responses = Responses()
    responses.caller_spoke("u", START)
    responses.want(ANSWER, START)
    responses.want(HELLO, START)
    responses.answer_owed(START)
    assert responses.caller_done("u", START) == []
    assert not of(responses, "idle")
    assert responses.next_deadline() == START + ANSWER_LIMIT_S
    assert responses.on_deadline(START + ANSWER_LIMIT_S - 0.001) == []
    assert responses.on_deadline(START + ANSWER_LIMIT_S) == [CreateResponse(request_id="request-1")]
    responses.started("r", "request-1", START + 11)
    assert texts([*responses.ended("r", START + 12)]) == ["Hello."], "and no second answer"


def test_a_response_without_an_id_is_the_one_that_is_owed() -> None:
    """The service's own where it owes one, ours where it owes none; one of another id is never ours."""
    responses = Responses()
    responses.want(HELLO, START)
    responses.answer_owed(START)
    assert responses.started("r", "", START)
    assert of(responses, "request") is None
    responses.ended("r", START)
    responses.started("r2", "somebody-else", START)
    assert of(responses, "request") is None
    responses.ended("r2", START)
    responses.started("r3", "", START)
    assert of(responses, "request") == HELLO
    assert of(responses, "idle") is False
    responses.ended("r3", START)
    assert of(responses, "idle")


def test_a_failed_response_is_tried_once_more_with_its_own_words() -> None:
    """A second later, before what else waits; not where it was cancelled or had spoken."""
    responses = Responses()
    responses.want(HELLO, START)
    responses.want(BYE, START)
    responses.started("r", "request-1", START)
    assert responses.ended("r", START, failed=True) == []
    assert responses.next_deadline() == START + RETRY_AFTER_S
    assert responses.on_deadline(START + RETRY_AFTER_S) == [SayText("Hello.", "request-2")]
    for happened in ("cancelled", "spoke", "ended well"):
        responses = Responses()
        responses.started("r", "", START)
        if happened == "cancelled":
            responses.cancel()
        elif happened == "spoke":
            responses.goes_on(START)
        assert responses.ended("r", START, failed=happened != "ended well") == []
        assert (responses.idle, responses.next_deadline()) == (True, None), happened


def test_a_response_begins_with_nothing_of_the_last() -> None:
    """One that was cancelled or had spoken leaves its successor neither cancelled nor heard."""
    responses = Responses()
    responses.started("r", "", START)
    responses.goes_on(START)
    responses.cancel()
    responses.started("r2", "", START)
    assert not of(responses, "cancelled")
    assert responses.ended("r", START) == [], "the end of the old one is not its end"
    assert responses.cancel() == [CancelResponse("r2")]
    assert responses.cancel() == [], "cancelled once"
    responses.started("r3", "", START)
    assert responses.ended("r3", START, failed=True) == []
    assert responses.next_deadline() == START + RETRY_AFTER_S, "it had not spoken"


def test_a_second_try_is_renewed_by_a_turn_or_a_sound() -> None:
    """So every turn may be tried twice, and no turn for ever."""
    responses = Responses()

    def fails() -> bool:
        responses.started("r", "", START)
        responses.ended("r", START, failed=True)
        tried = responses.next_deadline() == START + RETRY_AFTER_S
        responses.on_deadline(START + RETRY_AFTER_S)
        responses.refused(refusal(f"request-{responses._requests}", "server_error"), START)
        return tried

    assert [fails(), fails()] == [True, False]
    responses.caller_spoke("u", START)
    responses.caller_done("u", START)
    assert [fails(), fails()] == [True, False]
    responses.started("r", "", START)
    responses.goes_on(START)
    responses.ended("r", START)
    assert [fails(), fails()] == [True, False]


def test_what_waits_for_a_tool() -> None:
    """A response that runs, was not cancelled, and beside which nobody speaks, is asked to or is about to."""
    responses = Responses()
    assert not of(responses, "waits_for_a_tool")
    responses.started("r", "", START)
    assert of(responses, "waits_for_a_tool")
    responses.caller_spoke("u", START)
    assert not of(responses, "waits_for_a_tool")
    responses.caller_done("u", START)
    assert of(responses, "waits_for_a_tool")
    responses.want(HELLO, START)
    assert not of(responses, "waits_for_a_tool")
    responses.drop_wishes()
    responses.cancel()
    assert not of(responses, "waits_for_a_tool")


def test_what_answers() -> None:
    """The service's own response and one of our wish to answer; not a text, nor one with instructions of its own."""
    responses = Responses()
    assert not of(responses, "answers")
    responses.started("r", "", START)
    assert of(responses, "answers")
    for wish, answers in ((ANSWER, True), (HELLO, False), (CreateResponse("Say goodbye."), False)):
        responses.ended(responses.response or "", START)
        (request,) = responses.want(wish, START)
        responses.started("next", request.request_id, START)
        assert of(responses, "answers") is answers, wish


@pytest.mark.parametrize("code", [ALREADY_ACTIVE, "server_error"])
@pytest.mark.parametrize("meanwhile", ["another wish", "an interruption"])
def test_an_answer_that_was_refused_is_still_one_wish(code: str, meanwhile: str) -> None:
    """Another wish for an answer is the same, an interruption keeps it, and it is asked for once."""
    responses = Responses()
    responses.want(ANSWER, START)
    responses.refused(refusal("request-1", code), START)
    if meanwhile == "another wish":
        responses.want(ANSWER, START)
    else:
        responses.drop_wishes()
    responses.started("other", "", START)
    (again,) = responses.ended("other", START + RETRY_AFTER_S)
    assert again == CreateResponse(request_id="request-2")
    responses.started("r", "request-2", START + 2)
    assert responses.ended("r", START + 2) == []
    assert of(responses, "idle")


def test_an_answer_that_never_came_is_still_one_wish() -> None:
    """Asked for before a turn, given up within it, wished for again << one request behind the turn."""
    responses = Responses()
    responses.want(ANSWER, START)
    responses.caller_spoke("u", START + 1)
    assert responses.on_deadline(START + ANSWER_LIMIT_S) == []
    responses.want(ANSWER, START + ANSWER_LIMIT_S)
    assert responses.caller_done("u", START + 11) == [CreateResponse(request_id="request-2")]
    responses.started("r", "request-2", START + 12)
    assert responses.ended("r", START + 13) == []
