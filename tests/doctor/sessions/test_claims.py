"""The claims of a token."""

import jwt
import pytest

from gateway.doctor.sessions.claims import Claims, claims_of


def test_claims_are_read_without_the_key() -> None:
    """The identity is the object id, else the application."""
    claims = {"aud": "https://ai.azure.com", "tid": "t-1", "oid": "o-1", "appid": "a-1", "exp": 1_800_000_000}
    token = jwt.encode(claims, "k" * 32)
    assert claims_of(token) == Claims("https://ai.azure.com", "t-1", "o-1", 1_800_000_000.0)
    del claims["oid"]
    found = claims_of(jwt.encode(claims, "k" * 32))
    assert found is not None
    assert found.identity == "a-1"


def test_claims_of_another_kind_are_passed_over() -> None:
    """An expired token is read as well, and members that are no text are left empty."""
    assert claims_of(jwt.encode({"exp": 1, "tid": 5}, "k" * 32)) == Claims("", "", "", 1.0)


@pytest.mark.parametrize("token", ["", "emulator", "a.b.c", "eyJ.eyJ.x", "\udcff.a.b"])
def test_what_is_no_json_web_token(token: str) -> None:
    """A token need not be one."""
    assert claims_of(token) is None
