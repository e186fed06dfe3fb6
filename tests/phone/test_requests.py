"""Requests as data, and steps of them."""

from gateway.phone.requests import HttpRequest, in_order
from tests.phone.parts import followed

ONE, TWO = HttpRequest("GET", "https://a/1"), HttpRequest("GET", "https://a/2")


def test_a_request_is_made_once_and_finds_nothing_gone_unless_it_says_so() -> None:
    """Whoever writes a request decides, and nobody else."""
    assert (ONE.gone, ONE.repeatable, ONE.body) == ((), False, b"")


def test_requests_in_order_are_steps() -> None:
    """They return the body of the last answer; of none, nothing."""
    assert followed(in_order([ONE, TWO]), b"one", b"two") == ((ONE, TWO), b"two")
    assert followed(in_order([])) == ((), b"")
