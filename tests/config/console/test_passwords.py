"""Hashes of passwords."""

import pytest

from gateway.config.console.passwords import hashed, is_hash, matches, nobodys

KNOWN = "scrypt$16$1$1$MDEyMzQ1Njc4OWFiY2RlZg$RqRPAZ4h5q3NDgN_XbZ9eGPYpn7ZyqxY-7HZeyp5BlU"


def test_a_password_matches_its_own_hash_alone() -> None:
    """Each hash has a salt of its own; half a character is a password like any other."""
    one, other = hashed("correct horse"), hashed("correct horse")
    assert one != other
    assert matches("correct horse", one)
    assert matches("correct horse", other)
    assert not matches("correct horse ", one)
    assert matches("\ud800 and more", hashed("\ud800 and more"))
    with pytest.raises(ValueError, match="too short"):
        hashed("short")


def test_nobody_has_a_password_that_is_checked_as_any() -> None:
    """Its check costs as much as that of a user's, and another one is made each time."""
    one, known = nobodys(), hashed("correct horse")
    assert one != nobodys()
    assert is_hash(one)
    assert one.split("$")[:4] == known.split("$")[:4]
    assert [len(part) for part in one.split("$")] == [len(part) for part in known.split("$")]
    assert not matches("correct horse", one)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "scrypt$16384$8$1$$",
        KNOWN.replace("$16$", "$15$"),
        KNOWN.replace("$16$", "$1048576$"),
        KNOWN.replace("$1$1$", "$1$99$"),
        KNOWN + "$",
        "argon2" + KNOWN,
    ],
)
def test_what_is_no_hash_or_costs_too_much_is_none(text: str) -> None:
    """A hash must not let a sign-in take minutes or gigabytes."""
    assert not is_hash(text)
    assert is_hash(KNOWN)
    assert not matches("secret", text)
