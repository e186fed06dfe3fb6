"""Tokens that are fetched before a command."""

import pytest

from gateway.errors import WireError
from gateway.phone.requests import HttpRequest
from gateway.phone.shared.access_token import access_token
from tests.phone.parts import followed

REQUEST = HttpRequest("POST", "https://api.example.com/token")


def test_a_token_is_taken_out_of_its_answer() -> None:
    """Whatever else is there."""
    assert followed(access_token(REQUEST), b'{"access_token":"t0k","expires_in":3600}') == ((REQUEST,), "t0k")


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"access_token":7}', b'{"access_token":"\xff"}'])
def test_an_answer_without_one_is_not_repeated(answer: bytes) -> None:
    """It may hold a secret."""
    with pytest.raises(WireError, match=r"^the answer has no access_token$"):
        followed(access_token(REQUEST), answer)
