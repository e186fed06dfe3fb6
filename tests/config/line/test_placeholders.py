from gateway.config.line.placeholders import fill, mistakes


def test_placeholders_are_filled_and_doubled_braces_are_braces() -> None:
    """``{name}`` is a value, ``{{`` and ``}}`` are signs; a value is not read again."""
    assert fill('{a} says {{"x": {b}}}', {"a": "{b}", "b": "1"}) == '{b} says {"x": 1}'


def test_an_unknown_placeholder_has_a_near_name() -> None:
    """The message names the placeholder that was probably meant."""
    (mistake,) = mistakes("Hi {calller}", ["caller", "line"])
    assert mistake.message == "unknown placeholder {calller}, did you mean caller?"
    assert mistake.index == 3


def test_a_lone_brace_is_a_mistake() -> None:
    """A brace that opens nothing was meant as a sign, and has to be doubled."""
    (mistake,) = mistakes("a } b", ["caller"])
    assert mistake.message == "a } that belongs to no placeholder, write }} for the sign itself"


def test_the_same_mistake_twice_is_told_twice() -> None:
    """Each has its own place."""
    assert [(m.nth, m.index) for m in mistakes("{x} {x}", ["y"])] == [(0, 0), (1, 4)]


def test_a_text_without_mistakes_can_always_be_filled() -> None:
    """What passes the check at load cannot fail during a call."""
    text = "{{{caller}}} {line} }}{{"
    assert mistakes(text, ["caller", "line"]) == []
    assert fill(text, {"caller": "1", "line": "2"}) == "{1} 2 }{"
