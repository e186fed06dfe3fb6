"""Refusals, in words and by kind."""

import pytest

from gateway.voice.events import ServiceError
from gateway.voice.negotiation.refusal import Refusal, is_about_update, shortened


@pytest.mark.parametrize(
    ("error", "is_about"),
    [
        (ServiceError("c", "m", "session_2"), True),
        (ServiceError("c", "m", "session"), False),
        (ServiceError("c", "m"), False),
        (ServiceError("c", "m", "", "session.voice"), True),
        (ServiceError("c", "m", "", "session"), True),
        (ServiceError("c", "m", "", "type"), False),
        (ServiceError("c", "m", "", "sessions"), False),
        (ServiceError("invalid_model", "m"), True),
        (ServiceError("invalid_profile", "m"), True),
        (ServiceError("max_config_attempts_exceeded", "m", "", "type"), True),
        (ServiceError("invalid_session_update_message", "m", "", "type"), True),
        (ServiceError("rate_limit_exceeded", "m"), True),
        (ServiceError("server_error", "m"), False),
    ],
)
def test_errors_before_acceptance(error: ServiceError, is_about: bool) -> None:
    """One refuses only where it is about our update; any other is waited out."""
    assert is_about_update(error, "session_2") == is_about


@pytest.mark.parametrize(
    ("refusal", "passes"),
    [
        (Refusal(code="rate_limit_exceeded"), True),
        (Refusal(close_code=1006), True),
        (Refusal(close_code=1011), True),
        (Refusal(close_code=1013), True),
        (Refusal(close_code=1008), False),
        (Refusal(close_code=1000), False),
        (Refusal(code="server_error", close_code=1011), False),
        (Refusal(code="invalid_request_error"), False),
    ],
)
def test_what_may_pass_by_itself(refusal: Refusal, passes: bool) -> None:
    """A quota, and a server that has trouble of its own."""
    assert refusal.passes == passes


@pytest.mark.parametrize(
    ("refusal", "is_lasting"),
    [
        (Refusal(code="invalid_model", close_code=1008), True),
        (Refusal(code="invalid_request_error"), True),
        (Refusal(close_code=1008), True),
        (Refusal(close_code=1011), False),
        (Refusal(code="server_error"), False),
        (Refusal(code="rate_limit_exceeded"), False),
    ],
)
def test_what_will_be_refused_for_longer(refusal: Refusal, is_lasting: bool) -> None:
    """A model is passed over for hours only where the service answered to its session."""
    assert refusal.is_lasting == is_lasting


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Refusal("c_1", "no such voice"), "no such voice (c_1)"),
        (Refusal("c_1"), "c_1"),
        (Refusal("", "no such voice"), "no such voice"),
        (Refusal(), "it gave no reason"),
        (Refusal(close_code=1008), "it closed the session with 1008"),
        (Refusal("c_1", "why", close_code=1008), "it closed the session with 1008: why (c_1)"),
    ],
)
def test_the_words(refusal: Refusal, words: str) -> None:
    """The service's own, with its code."""
    assert refusal.words == words


def test_words_are_cut() -> None:
    """300 characters on one line; the code stays."""
    assert Refusal("c_1", "x" * 999).words == "x" * 299 + "… (c_1)"
    assert shortened(" a\n b ") == "a b"
    assert shortened("x" * 300) == "x" * 300
    assert shortened("x" * 301) == "x" * 299 + "…"
