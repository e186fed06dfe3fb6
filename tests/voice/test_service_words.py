"""The service's words in HTTP."""

import json

import pytest

from gateway.voice.bot import Agent, Model
from gateway.voice.negotiation.refusal import Refusal
from gateway.voice.service_words import advice_for, advice_for_refusal, request_id_in, said_in

MODEL, AGENT, VOICE_AGENT = Model("gpt-4.1"), Agent("a", "p"), Agent("a", "p", kind="voice")
HOST = "https://contoso.services.ai.azure.com"
OLD_HOST = "https://contoso.cognitiveservices.azure.com"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (json.dumps({"error": {"code": "429", "message": "Too many requests."}}), "Too many requests."),
        (json.dumps({"statusCode": 429, "message": "Rate limit is exceeded."}), "Rate limit is exceeded."),
        (json.dumps({"error": {"code": "PermissionDenied", "message": "No role."}}), "PermissionDenied: No role."),
        (json.dumps({"error": {"code": "PermissionDenied"}}), "PermissionDenied"),
        (json.dumps({"error": "unauthorized", "message": "No key."}), "No key."),
        (json.dumps({"error": "unauthorized"}), "unauthorized"),
        (json.dumps(["odd"]), ""),
        (json.dumps({}), ""),
        ("Access denied\n due to …", "Access denied due to …"),
        ("<!DOCTYPE html><p>404", ""),
        ("", ""),
    ],
)
def test_what_a_body_says(body: str, said: str) -> None:
    """In each shape that Azure's services give an error."""
    assert said_in(body) == said


def test_a_long_body_is_cut() -> None:
    """Whatever shape it has."""
    assert len(said_in("x" * 4000)) == 300
    assert len(said_in(json.dumps({"error": {"message": "x" * 4000}}))) == 300


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"x-ms-request-id": "b", "apim-request-id": "a"}, "a"),
        ({"x-request-id": "c"}, "c"),
        ({"date": "today"}, ""),
    ],
)
def test_the_id_of_a_request(headers: dict[str, str], found: str) -> None:
    """Support asks for it."""
    assert request_id_in(headers) == found


def test_advice_for_a_refused_handshake() -> None:
    """By the status; an agent at the older host is told where agents are."""
    assert "key or token is wrong" in advice_for(401, HOST, MODEL)
    assert "lacks the roles" in advice_for(401, HOST, MODEL, "PermissionDenied: No role.")
    assert advice_for(400, OLD_HOST, MODEL) == advice_for(400, HOST, AGENT) == ""
    assert advice_for(400, OLD_HOST, AGENT) == "agents are reached at contoso.services.ai.azure.com"


@pytest.mark.parametrize("refusal", [Refusal(close_code=1008), Refusal("invalid_session_update_message", "Invalid.")])
def test_advice_for_a_refused_session(refusal: Refusal) -> None:
    """That is the answer to an agent of the other kind."""
    assert "kind: voice" in advice_for_refusal(refusal, AGENT)
    assert "none of kind voice" in advice_for_refusal(refusal, VOICE_AGENT)
    assert advice_for_refusal(refusal, MODEL) == ""
    assert advice_for_refusal(Refusal(close_code=1011), AGENT) == ""
