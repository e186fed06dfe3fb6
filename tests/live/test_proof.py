"""The proof that somebody knows a shared key."""

import pytest

from gateway.live.proof import proof_of, proves


@pytest.mark.parametrize("key", ["0123456789abcdef", "schlüssel \n mit allem", "a" * 1000])
def test_a_key_proves_itself(key: str) -> None:
    """Whatever its characters are; during a rotation the old one does as well."""
    assert proof_of(key).isascii()
    assert proves(proof_of(key), [key])
    assert proves(proof_of(key), ["new", key])


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer key", "key", "Bearer \udcff", "Basic a2V5"])
def test_nothing_else_does(given: str) -> None:
    """Neither the key itself, nor bytes that are no text; without keys nobody does."""
    assert not proves(given, ["key"])
    assert not proves(proof_of("key"), [])
