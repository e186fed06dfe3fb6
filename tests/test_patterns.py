"""Patterns that match in linear time."""

import time

import pytest

from gateway.patterns import matches, problem


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^[0-9]{4}$", "1234", True),
        ("^[0-9]{4}$", "12345", False),
        ("[0-9]", "a1b", True),
        (r"^\p{L}+$", "Müller", True),
        ("a", "\ud800", False),
        ("", "anything", True),
    ],
)
def test_a_pattern_is_found_anywhere(pattern: str, text: str, found: bool) -> None:
    """As in JSON Schema: it is not anchored; a half of a character fits nothing."""
    assert matches(pattern, text) is found


@pytest.mark.parametrize("pattern", [r"^(\w+\s?)*$", "^(a+)+$", "^(a|a)*$", r"^(.*a){20}$", r"^(\d+|[a-z\d]+)*!$"])
def test_no_text_takes_long(pattern: str) -> None:
    """Patterns over which a backtracking engine spends years; the bound is a thousand times what it takes."""
    began = time.process_time()
    assert not matches(pattern, "a" * 2_000 + "?")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?=a)b", "look-around, including look-ahead and look-behind, is not supported"),
        (r"(a)\1", "backreferences are not supported"),
        ("(", "unclosed group"),
        (r"\w{1000}{1000}", "Compiled regex exceeds size limit of 10485760 bytes"),
        ("[a-z]+", ""),
    ],
)
def test_what_cannot_be_matched_is_told(pattern: str, says: str) -> None:
    """In the engine's own words, on one line."""
    assert problem(pattern) == says
