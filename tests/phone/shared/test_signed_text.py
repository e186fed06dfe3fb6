"""Which of several texts a signature was made of."""

import hashlib
import hmac

import pytest

from gateway.phone.shared.signed_text import GIVEN_LIMIT, signed_text

TEXTS = (b"https://h/a", b"https://h:443/a")


def sign(secret: str, text: bytes) -> str:
    """A signature as most have it."""
    return hmac.digest(secret.encode(), text, hashlib.sha256).hex()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("secret", ["new", "old"])
@pytest.mark.parametrize("at", range(GIVEN_LIMIT))
def test_any_of_each_is_right(text: bytes, secret: str, at: int) -> None:
    """Every secret, every spelling, and every place among the signatures that are compared."""
    given = [""] * at + [sign(secret, text)]
    assert signed_text(given, iter(TEXTS), ("new", "old"), sign) == text


ONE_TOO_MANY = [""] * GIVEN_LIMIT + [sign("new", TEXTS[0])]


@pytest.mark.parametrize("given", [[], [""], [sign("other", TEXTS[0])], [sign("new", b"other")], ONE_TOO_MANY])
def test_no_other_is(given: list[str]) -> None:
    """Nor one more signature than are compared."""
    assert signed_text(given, TEXTS, ("new", "old"), sign) is None


def test_without_a_secret_nothing_is_signed() -> None:
    """Not even by an empty one."""
    assert signed_text([sign("", TEXTS[0])], TEXTS, (), sign) is None


def test_bytes_of_a_header_that_are_no_text_are_no_signature() -> None:
    """They are compared as they came."""
    assert signed_text(["\udcff"], TEXTS, ("new",), sign) is None


def test_a_key_may_be_bytes() -> None:
    """As the key of an HMAC is, where the secret is written in base64."""
    assert signed_text(["3"], [b"abc"], [b"key"], lambda key, text: str(len(text) if key == b"key" else 0)) == b"abc"
