"""The one gate to a response, to the second."""

import pytest

from gateway.call.responses import (
    ALREADY_ACTIVE,
    ANSWER,
    ANSWER_LIMIT_S,
    CANCEL_LIMIT_S,
    RETRY_AFTER_S,
    SPEECH_LIMIT_S,
    Request,
    ResponseGate,
)
from gateway.voice.commands import CancelResponse, CreateResponse, SayText

HELLO, BYE = SayText("Hello."), SayText("Bye.")
START = 1000.0


def ids(requests: list[Request]) -> list[str]:
    """Return the ids that were given to requests."""
    return [request.request_id for request in requests]


def texts(requests: list[Request | CancelResponse]) -> list[str]:
    """Return what texts are to be said."""
    return [request.text for request in requests if isinstance(request, SayText)]


def of(gate: ResponseGate, what: str) -> object:
    """Return an attribute as it is now; to a type checker it may have changed."""
    return getattr(gate, what)


def test_a_new_gate_is_idle_and_waits_for_nothing() -> None:
    """No deadline, nothing to cancel, nobody speaks, and nothing that answers or waits."""
    gate = ResponseGate()
    assert (gate.idle, gate.caller_speaks, gate.answers, gate.waits_for_a_tool) == (True, False, False, False)
    assert (gate.next_deadline(), gate.cancel(), gate.expire(START)) == (None, [], [])


def test_requests_are_numbered() -> None:
    """Each has an id of its own, from the first on."""
    gate = ResponseGate()
    assert ids(gate.want(HELLO, START)) == ["request-1"]
    gate.started("r", "request-1", START)
    gate.want(BYE, START)
    assert ids(gate.ended("r", START)) == ["request-2"]


def test_texts_are_said_in_turn_and_an_answer_is_asked_for_once() -> None:
    """Two equal texts are two texts; two wishes for an answer are one."""
    gate = ResponseGate()
    gate.started("r", "", START)
    for wish in (HELLO, ANSWER, HELLO, ANSWER, BYE):
        assert gate.want(wish, START) == []
    said: list[Request] = []
    for _ in range(6):
        said += gate.ended(gate.response or "", START)
        if said:
            gate.started(f"r{len(said)}", said[-1].request_id, START)
    assert [type(request) for request in said] == [SayText, CreateResponse, SayText, SayText]
    assert texts([*said]) == ["Hello.", "Hello.", "Bye."]


def test_a_request_that_is_never_answered() -> None:
    """Ten seconds to the moment; then once more, with no words of its own lost; then never again."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    assert gate.next_deadline() == START + ANSWER_LIMIT_S
    assert gate.expire(START + ANSWER_LIMIT_S - 0.001) == []
    again = gate.expire(START + ANSWER_LIMIT_S)
    assert again == [SayText("Hello.", "request-2")]
    assert gate.expire(START + 2 * ANSWER_LIMIT_S) == []
    assert of(gate, "idle")


def test_a_request_is_refused() -> None:
    """Made once more after a second, to the moment; its id is new; and a third time it is not made."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    assert gate.refused("request-1", "server_error", START) == []
    assert gate.next_deadline() == START + RETRY_AFTER_S
    assert gate.expire(START + RETRY_AFTER_S - 0.001) == []
    assert gate.expire(START + RETRY_AFTER_S) == [SayText("Hello.", "request-2")]
    assert gate.refused("request-1", "server_error", START + 2) == [], "not the one that is asked for"
    assert not of(gate, "idle")
    assert gate.refused("request-2", "server_error", START + 2) == []
    assert of(gate, "idle")


def test_a_request_that_came_too_early() -> None:
    """It waits for the response in its way: ten seconds for its beginning, then for its end; other texts wait."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    gate.want(BYE, START)
    assert gate.refused("request-1", ALREADY_ACTIVE, START) == []
    assert gate.next_deadline() == START + ANSWER_LIMIT_S
    gate.started("other", "", START + 1)
    assert of(gate, "request") is None
    assert gate.ended("other", START + 2) == [SayText("Hello.", "request-2")]
    assert gate.started("r", "request-2", START + 2)
    assert of(gate, "request") == HELLO
    assert gate.ended("r", START + 3) == [SayText("Bye.", "request-3")]


def test_a_request_that_came_too_early_and_whose_obstacle_is_never_told() -> None:
    """Nothing begins within ten seconds << an answer is asked for, and then the text."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    gate.refused("request-1", ALREADY_ACTIVE, START)
    assert gate.expire(START + ANSWER_LIMIT_S - 0.001) == []
    assert gate.expire(START + ANSWER_LIMIT_S) == [CreateResponse(request_id="request-2")]
    gate.started("r", "request-2", START + ANSWER_LIMIT_S)
    assert gate.ended("r", START + ANSWER_LIMIT_S) == [SayText("Hello.", "request-3")]


@pytest.mark.parametrize("code", [ALREADY_ACTIVE, "server_error"])
def test_a_refused_request_that_was_interrupted_is_forgotten(code: str) -> None:
    """Whatever the refusal says; and the next request is no longer taken for it."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    gate.drop_wishes()
    assert gate.refused("request-1", code, START) == []
    assert of(gate, "idle")
    (bye,) = gate.want(BYE, START)
    assert gate.started("r", bye.request_id, START), "what is asked for behind it is heard"


def test_an_interruption_drops_texts_and_keeps_answers() -> None:
    """What waits, and what is on its way; a response that begins all the same is told as dropped, once."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    gate.want(BYE, START)
    gate.want(ANSWER, START)
    gate.drop_wishes()
    assert not gate.started("r", "request-1", START)
    assert ids(gate.ended("r", START)) == ["request-2"]
    assert gate.started("r2", "request-2", START)
    assert of(gate, "answers")
    assert gate.ended("r2", START) == []


def test_an_interruption_where_nothing_is_asked_for_drops_nothing_later() -> None:
    """The next request of ours is heard."""
    gate = ResponseGate()
    gate.drop_wishes()
    gate.want(HELLO, START)
    assert gate.started("r", "request-1", START)


def test_an_interrupted_request_that_is_never_answered_is_not_made_again() -> None:
    """The caller would hear a greeting ten seconds after the first words."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    gate.drop_wishes()
    assert gate.expire(START + ANSWER_LIMIT_S) == []
    assert of(gate, "idle")
    (bye,) = gate.want(BYE, START + ANSWER_LIMIT_S)
    assert gate.started("r", bye.request_id, START + ANSWER_LIMIT_S), "what is asked for behind it is heard"


def test_a_response_that_brings_nothing() -> None:
    """Cancelled after ten seconds, over three seconds later, and its text is asked for once more."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    gate.started("r", "request-1", START)
    assert gate.next_deadline() == START + ANSWER_LIMIT_S
    assert gate.expire(START + ANSWER_LIMIT_S - 0.001) == []
    assert gate.expire(START + ANSWER_LIMIT_S) == [CancelResponse("r")]
    over = START + ANSWER_LIMIT_S + CANCEL_LIMIT_S
    assert gate.next_deadline() == over
    assert gate.expire(over - 0.001) == []
    assert gate.expire(over) == [SayText("Hello.", "request-2")]


def test_a_response_that_stops_half_way() -> None:
    """Every sound gives it ten seconds more; it is cancelled then, and not asked for again."""
    gate = ResponseGate()
    gate.started("r", "", START)
    gate.goes_on(START + 9)
    assert gate.next_deadline() == START + 9 + ANSWER_LIMIT_S
    assert gate.expire(START + 9 + ANSWER_LIMIT_S) == [CancelResponse("r")]
    assert gate.expire(START + 9 + ANSWER_LIMIT_S + CANCEL_LIMIT_S) == []
    assert of(gate, "idle")


def test_a_turn_without_an_end() -> None:
    """Nobody speaks for half a minute without a pause; what waited is asked for then."""
    gate = ResponseGate()
    gate.caller_spoke("u", START)
    assert (gate.caller_speaks, gate.idle) == (True, False)
    assert gate.want(HELLO, START) == []
    assert gate.next_deadline() == START + SPEECH_LIMIT_S
    assert gate.expire(START + SPEECH_LIMIT_S - 0.001) == []
    assert texts(gate.expire(START + SPEECH_LIMIT_S)) == ["Hello."]
    assert not of(gate, "caller_speaks")


def test_the_pause_of_an_older_turn_ends_no_other() -> None:
    """>> u1, u2, the end of u1 << the caller still speaks."""
    gate = ResponseGate()
    gate.caller_spoke("u1", START)
    gate.caller_spoke("u2", START)
    gate.want(HELLO, START)
    assert gate.caller_done("u1", START) == []
    assert of(gate, "caller_speaks")
    assert texts([*gate.caller_done("u2", START)]) == ["Hello."]


def test_an_answer_that_is_owed() -> None:
    """Ten seconds to the moment; then it is asked for; meanwhile texts wait, and a wish for an answer is fulfilled."""
    gate = ResponseGate()
    gate.caller_spoke("u", START)
    gate.want(ANSWER, START)
    gate.want(HELLO, START)
    gate.answer_owed(START)
    assert gate.caller_done("u", START) == []
    assert not of(gate, "idle")
    assert gate.next_deadline() == START + ANSWER_LIMIT_S
    assert gate.expire(START + ANSWER_LIMIT_S - 0.001) == []
    assert gate.expire(START + ANSWER_LIMIT_S) == [CreateResponse(request_id="request-1")]
    gate.started("r", "request-1", START + 11)
    assert texts([*gate.ended("r", START + 12)]) == ["Hello."], "and no second answer"


def test_a_response_without_an_id_is_the_one_that_is_owed() -> None:
    """The service's own where it owes one, ours where it owes none; one of another id is never ours."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    gate.answer_owed(START)
    assert gate.started("r", "", START)
    assert of(gate, "request") is None
    gate.ended("r", START)
    gate.started("r2", "somebody-else", START)
    assert of(gate, "request") is None
    gate.ended("r2", START)
    gate.started("r3", "", START)
    assert of(gate, "request") == HELLO
    assert of(gate, "idle") is False
    gate.ended("r3", START)
    assert of(gate, "idle")


def test_a_failed_response_is_tried_once_more_with_its_own_words() -> None:
    """A second later, before what else waits; not where it was cancelled or had spoken."""
    gate = ResponseGate()
    gate.want(HELLO, START)
    gate.want(BYE, START)
    gate.started("r", "request-1", START)
    assert gate.ended("r", START, failed=True) == []
    assert gate.next_deadline() == START + RETRY_AFTER_S
    assert gate.expire(START + RETRY_AFTER_S) == [SayText("Hello.", "request-2")]
    for happened in ("cancelled", "spoke", "ended well"):
        gate = ResponseGate()
        gate.started("r", "", START)
        if happened == "cancelled":
            gate.cancel()
        elif happened == "spoke":
            gate.goes_on(START)
        assert gate.ended("r", START, failed=happened != "ended well") == []
        assert (gate.idle, gate.next_deadline()) == (True, None), happened


def test_a_response_begins_with_nothing_of_the_last() -> None:
    """One that was cancelled or had spoken leaves its successor neither cancelled nor heard."""
    gate = ResponseGate()
    gate.started("r", "", START)
    gate.goes_on(START)
    gate.cancel()
    gate.started("r2", "", START)
    assert not of(gate, "cancelled")
    assert gate.ended("r", START) == [], "the end of the old one is not its end"
    assert gate.cancel() == [CancelResponse("r2")]
    assert gate.cancel() == [], "cancelled once"
    gate.started("r3", "", START)
    assert gate.ended("r3", START, failed=True) == []
    assert gate.next_deadline() == START + RETRY_AFTER_S, "it had not spoken"


def test_a_second_try_is_renewed_by_a_turn_or_a_sound() -> None:
    """So every turn may be tried twice, and no turn for ever."""
    gate = ResponseGate()

    def fails() -> bool:
        gate.started("r", "", START)
        gate.ended("r", START, failed=True)
        tried = gate.next_deadline() == START + RETRY_AFTER_S
        gate.expire(START + RETRY_AFTER_S)
        gate.refused(f"request-{gate._requests}", "server_error", START)
        return tried

    assert [fails(), fails()] == [True, False]
    gate.caller_spoke("u", START)
    gate.caller_done("u", START)
    assert [fails(), fails()] == [True, False]
    gate.started("r", "", START)
    gate.goes_on(START)
    gate.ended("r", START)
    assert [fails(), fails()] == [True, False]


def test_what_waits_for_a_tool() -> None:
    """A response that runs, was not cancelled, and beside which nobody speaks, is asked to or is about to."""
    gate = ResponseGate()
    assert not of(gate, "waits_for_a_tool")
    gate.started("r", "", START)
    assert of(gate, "waits_for_a_tool")
    gate.caller_spoke("u", START)
    assert not of(gate, "waits_for_a_tool")
    gate.caller_done("u", START)
    assert of(gate, "waits_for_a_tool")
    gate.want(HELLO, START)
    assert not of(gate, "waits_for_a_tool")
    gate.drop_wishes()
    gate.cancel()
    assert not of(gate, "waits_for_a_tool")


def test_what_answers() -> None:
    """The service's own response and one of our wish to answer; not a text, nor one with instructions of its own."""
    gate = ResponseGate()
    assert not of(gate, "answers")
    gate.started("r", "", START)
    assert of(gate, "answers")
    for wish, answers in ((ANSWER, True), (HELLO, False), (CreateResponse("Say goodbye."), False)):
        gate.ended(gate.response or "", START)
        (request,) = gate.want(wish, START)
        gate.started("next", request.request_id, START)
        assert of(gate, "answers") is answers, wish


@pytest.mark.parametrize("code", [ALREADY_ACTIVE, "server_error"])
@pytest.mark.parametrize("meanwhile", ["another wish", "an interruption"])
def test_an_answer_that_was_refused_is_still_one_wish(code: str, meanwhile: str) -> None:
    """Another wish for an answer is the same, an interruption keeps it, and it is asked for once."""
    gate = ResponseGate()
    gate.want(ANSWER, START)
    gate.refused("request-1", code, START)
    if meanwhile == "another wish":
        gate.want(ANSWER, START)
    else:
        gate.drop_wishes()
    gate.started("other", "", START)
    (again,) = gate.ended("other", START + RETRY_AFTER_S)
    assert again == CreateResponse(request_id="request-2")
    gate.started("r", "request-2", START + 2)
    assert gate.ended("r", START + 2) == []
    assert of(gate, "idle")


def test_an_answer_that_never_came_is_still_one_wish() -> None:
    """Asked for before a turn, given up within it, wished for again << one request behind the turn."""
    gate = ResponseGate()
    gate.want(ANSWER, START)
    gate.caller_spoke("u", START + 1)
    assert gate.expire(START + ANSWER_LIMIT_S) == []
    gate.want(ANSWER, START + ANSWER_LIMIT_S)
    assert gate.caller_done("u", START + 11) == [CreateResponse(request_id="request-2")]
    gate.started("r", "request-2", START + 12)
    assert gate.ended("r", START + 13) == []
