"""Answers of services, and what the model gets of them."""

from typing import Any

import pytest

from gateway.function import HttpCall
from gateway.tools.answer import Answer, value_of
from gateway.tools.result import FunctionFailed

HTTP = HttpCall("POST", "https://shop.example.com/", {"Authorization": "Bearer key-of-the-shop"}, "signing-secret")
JSON = "application/json"


def failure(answer: Answer) -> FunctionFailed:
    with pytest.raises(FunctionFailed) as caught:
        value_of(answer, HTTP)
    assert caught.value.outcome == "error"
    return caught.value


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (Answer(200, JSON, "", b' { "status" : "sent" } \n'), {"status": "sent"}),
        (Answer(201, "application/vnd.shop+json", "", b"[1]"), [1]),
        (Answer(200, "Application/JSON", "utf-8", "\ufeff{}".encode()), {}),
        (Answer(200, JSON, "iso-8859-1", b'"Z\xfcrich"'), "Zürich"),
        (Answer(200, "text/plain", "", b" It was sent.\r\n"), {"result": "It was sent."}),
        (Answer(200, "text/plain", "", b'{"a":1}'), {"result": '{"a":1}'}),
        (Answer(200, "application/octet-stream", "", b"plain words"), {"result": "plain words"}),
        (Answer(200, "text/plain", "", b"one\ttwo\r\nthree\ffour"), {"result": "one\ttwo\r\nthree\ffour"}),
        (Answer(204, "application/octet-stream"), {"result": "done"}),
        (Answer(200, JSON), {"result": "done"}),
    ],
)
def test_a_success(answer: Answer, value: Any) -> None:
    """JSON as it is, other text as a result, nothing as done."""
    assert value_of(answer, HTTP) == value


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(200, JSON, "", b'{"status":'), "the answer is not valid JSON"),
        (Answer(200, JSON, "", b"<html>"), "the answer is not valid JSON"),
        (Answer(200, JSON, "", b"[" * 60_000), "the answer is not valid JSON"),
        (Answer(200, JSON, "", b'"\xff"'), "the answer is not text"),
        (Answer(200, JSON, "utf-99", b"{}"), "the answer is not text"),
        (Answer(200, "text/plain", "us-ascii", "Zürich".encode()), "the answer is not text"),
        (Answer(200, "text/plain", "zlib", b"x"), "the answer is not text"),
        (Answer(200, "text/plain", "\0", b"x"), "the answer is not text"),
        (Answer(200, "image/png", "", b"\x89PNG\r\n"), "the answer is not text"),
        (Answer(200, "text/plain", "", b"a\0b"), "the answer is not text"),
    ],
)
def test_what_cannot_be_read(answer: Answer, says: str) -> None:
    """Broken JSON, a charset that does not exist or does not fit, what is no text."""
    assert failure(answer).message == says


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """Arguments and keys go nowhere but where the operator said."""
    assert "redirect" in failure(Answer(status, "text/plain")).message


@pytest.mark.parametrize("status", [500, 502, 503, 599, 101, 700])
def test_a_service_that_fails_says_nothing_to_the_model(status: int) -> None:
    """What stands in such an answer is for whoever runs the service."""
    failed = failure(Answer(status, JSON, "", b'{"error":"db-3.internal: SELECT failed"}'))
    assert failed.message == "the service failed"
    assert failed.detail == f"the answer's status is {status}"


@pytest.mark.parametrize(
    ("content_type", "body", "says"),
    [
        (JSON, '{"error":"no such order"}', "no such order"),
        (JSON, '{"message":"no such order","code":7}', "no such order"),
        ("application/problem+json", '{"title":"Gone","detail":"no such order"}', "no such order"),
        (JSON, '{"error":{"code": 7}}', '{"error":{"code":7}}'),
        (JSON, '["no such order"]', '["no such order"]'),
        ("text/plain", "no such\norder", "no such order"),
        ("text/html", "<h1>404</h1>", "the service refused the request"),
        (JSON, "", "the service refused the request"),
        (JSON, '{"error":', "the service refused the request"),
        (JSON, '{"a":1e999}', "the service refused the request"),
        ("image/png", "\0", "the service refused the request"),
        ("text/plain", "key-of-the-shop and signing-secret are wrong, Bearer", "*** and *** are wrong, Bearer"),
    ],
)
def test_a_refusal_in_the_service_s_own_words(content_type: str, body: str, says: str) -> None:
    """A 4xx is about the request, so the model is told; without the keys that the line sends."""
    assert failure(Answer(404, content_type, "", body.encode())).message == says


def test_of_two_keys_the_longer_is_hidden_as_a_whole() -> None:
    """Where the one stands in the other, nothing is left of it."""
    for longer in ("key-of-the-shop-42", "a-key-of-the-shop"):
        http = HttpCall("POST", "https://shop.example.com/", {"X-Key": "key-of-the-shop"}, longer)
        with pytest.raises(FunctionFailed) as caught:
            value_of(Answer(403, "text/plain", "", f"no: {longer}, key-of-the-shop".encode()), http)
        assert caught.value.message == "no: ***, ***"


def test_a_short_word_of_a_header_is_no_key() -> None:
    """A refusal keeps the words that a header has in common with it: seven characters are one, eight a key."""
    http = HttpCall("POST", "https://shop.example.com/", {"X-Shop": "seven77 eight888"})
    with pytest.raises(FunctionFailed) as caught:
        value_of(Answer(403, "text/plain", "", b"seven77 and eight888"), http)
    assert caught.value.message == "seven77 and ***"


def test_a_refusal_is_short() -> None:
    """However much the service has to say."""
    assert len(failure(Answer(400, "text/plain", "", b"x" * 9999)).message) == 500


def test_an_answer_does_not_show_its_body() -> None:
    """It belongs to the caller."""
    assert "Ada" not in repr(Answer(200, JSON, "", b'"Ada"'))
