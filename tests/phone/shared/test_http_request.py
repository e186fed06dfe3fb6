"""Requests to REST APIs as data, and credentials in headers."""

import pytest

from gateway.phone.provider import SignatureError
from gateway.phone.requests import HttpRequest
from gateway.phone.shared.http_request import (
    basic,
    basic_credentials,
    bearer,
    check_basic,
    form_request,
    is_one_of,
    json_request,
    same,
)


def test_requests() -> None:
    """A form or a JSON object, with its content type and whatever authorises it."""
    form = {"Authorization": "Bearer t", "Content-Type": "application/x-www-form-urlencoded"}
    assert form_request("https://x/y", {"a": "+1 ä"}, bearer("t")) == HttpRequest(
        "POST", "https://x/y", form, b"a=%2B1+%C3%A4"
    )
    headers = {"Authorization": "Basic dTpw", "Content-Type": "application/json"}
    assert json_request("https://x/y", {"a": "ä"}, basic("u", "p"), gone=(404, 422)) == HttpRequest(
        "POST", "https://x/y", headers, '{"a":"ä"}'.encode(), (404, 422)
    )


@pytest.mark.parametrize(("user", "password"), [("gateway", "s3cr:et"), ("", ""), ("ü", "日")])
def test_credentials_there_and_back(user: str, password: str) -> None:
    """RFC 7617: a password may hold colons."""
    assert basic_credentials(basic(user, password)) == (user, password)


def test_the_scheme_s_case_does_not_matter() -> None:
    """RFC 9110 §11.1."""
    assert basic_credentials("bAsIc  dTpw ") == ("u", "p")


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic ***", "Basic dQ==", "Basic /w==", "Basic é\udce9", "Bearer dTpw"]
)
def test_what_are_no_credentials(header: str) -> None:
    """None, whatever came."""
    assert basic_credentials(header) is None


def test_credentials_of_older_clients() -> None:
    """In Latin-1, which is no UTF-8."""
    assert basic_credentials("Basic dTr8") == ("u", "ü")


@pytest.mark.parametrize("given", ["s3cret", "s3cret\r\n", " s3cret ", "\u00a0s3cret", "s3cret\u200b", "\ufeffs3cret"])
def test_white_space_around_a_given_secret_does_not_count(given: str) -> None:
    """It was copied into the provider's console together with the secret, and is stripped here from ours."""
    assert is_one_of(given, ("other", "s3cret"))
    assert not is_one_of(f"{given}x", ("s3cret",))
    assert not is_one_of("", ("s3cret",))


def test_secrets_are_compared_as_bytes() -> None:
    """A header may hold bytes that are no text, and no comparison fails over them."""
    assert same("s3cret", "s3cret")
    assert same("ü", "ü")
    assert not same("s3creT", "s3cret")
    assert not same("", "s3cret")
    assert not same("\udce9", "é")


def test_basic_credentials_are_checked_whole() -> None:
    """Any user is right where none is asked for; one of several secrets is enough."""
    given = basic("user", "new")
    check_basic(given, ("old", "new"), missing="m", wrong="w")
    check_basic(given, ("new",), ("other", "user"), missing="m", wrong="w")
    for passwords, users in ((("old",), None), ((), None), (("new",), ("other",)), (("new",), ())):
        with pytest.raises(SignatureError, match=r"^w$"):
            check_basic(given, passwords, users, missing="m", wrong="w")
    for other in ("", "Bearer new", "Basic", "Basic é"):
        with pytest.raises(SignatureError, match=r"^m$"):
            check_basic(other, ("new",), missing="m", wrong="w")
