import pytest

from gateway.config.reading.environment import FromEnvironment, InterpolationError, first_set, interpolate


def test_names_are_replaced_by_values() -> None:
    """``${NAME}`` may stand anywhere in a text, and more than once."""
    assert interpolate("${A}-${B}-${A}", {"A": "1", "B": "2"}) == "1-2-1"


def test_a_doubled_dollar_is_a_dollar() -> None:
    """``$${`` writes ``${``; a dollar elsewhere is itself."""
    assert interpolate("$${A} costs $5", {"A": "1"}) == "${A} costs $5"


def test_a_replaced_text_knows_where_it_came_from() -> None:
    """Messages can then name the variables and hide the value."""
    text = interpolate("${A}${B}", {"A": "1", "B": "2"})
    assert isinstance(text, FromEnvironment)
    assert text.origin == "A, B"
    assert not isinstance(interpolate("plain", {}), FromEnvironment)


def test_a_value_is_not_read_again() -> None:
    """A value that looks like a reference stays as it is."""
    assert interpolate("${A}", {"A": "${B}"}) == "${B}"


@pytest.mark.parametrize("around", ["{}\n", " {}\r\n", "\ufeff{}", "{}\u200b\u00a0"])
def test_white_space_around_a_value_does_not_count(around: str) -> None:
    """A mounted secret ends in a line feed: it would tear a header or a URL in two."""
    assert interpolate("Bearer ${A}, ${A}", {"A": around.format("a b")}) == "Bearer a b, a b"
    assert first_set({"A": around.format(""), "B": around.format("b")}, ("A", "B")) == "b"


@pytest.mark.parametrize("environ", [{}, {"A": ""}, {"A": " \r\n"}])
def test_a_missing_or_empty_variable_is_an_error(environ: dict[str, str]) -> None:
    """An empty line of a .env file is no value."""
    with pytest.raises(InterpolationError, match="environment variable A is not set"):
        interpolate("${A}", environ)


def test_the_first_name_that_is_set_wins() -> None:
    """The order of the names decides; one that is set to nothing is passed over."""
    found = first_set({"B": "b", "C": "c", "A": ""}, ("A", "B", "C"))
    assert found == "b"
    assert found is not None
    assert found.origin == "B"
    assert first_set({}, ("A",)) is None
