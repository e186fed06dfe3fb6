"""JSON as the model gets it."""

import pytest

from gateway.tools.result import (
    EXCERPT_LIMIT,
    OUTPUT_LIMIT,
    FunctionFailed,
    FunctionResult,
    excerpt,
    read_json,
    require_short,
    write_json,
)


def test_json_is_written_compact() -> None:
    """Without white space, as the text itself and not in escapes."""
    assert write_json(read_json(' { "a" : [1, 2.50, "ü"] } ')) == '{"a":[1,2.5,"ü"]}'
    assert write_json(read_json("123456789012345678901234567890")) == "123456789012345678901234567890"


def test_half_a_sign_does_not_break_the_text() -> None:
    """Services that cut a text in the middle of an emoji send half of it; the output can still be sent on."""
    assert write_json(read_json('"\\ud83d"')) == '"?"'
    assert write_json("\ud83d\ude00") == '"\U0001f600"'


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "{'a':1}", "[" * 100_000, "1" * 5000, "[-1e400]"])
def test_what_is_no_json(text: str) -> None:
    """One kind of error, whatever is wrong."""
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_what_is_wrong_with_the_json_is_said() -> None:
    """In a few words: they may go into a log."""
    for text, says in (("NaN", "NaN is no JSON"), ("-Infinity", "-Infinity is no JSON"), ("[" * 100_000, "too deep")):
        with pytest.raises(ValueError, match=says):
            read_json(text)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="too deep"):
        write_json(deep)
    with pytest.raises(ValueError, match=r"^11111111111111111111 is too large a number$"):
        read_json("1" * 400 + ".5")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say(value: float) -> None:
    """A number that is none is never sent to the model."""
    with pytest.raises(ValueError, match=r"."):
        write_json(value)


def test_an_excerpt_is_one_short_line() -> None:
    """Bounded, and said to be cut."""
    assert excerpt(" no\n  such order ") == "no such order"
    assert excerpt("x" * EXCERPT_LIMIT) == "x" * EXCERPT_LIMIT
    assert len(excerpt("x" * 9999)) == EXCERPT_LIMIT
    assert excerpt("x" * 9999).endswith("x…")


def test_a_result_does_not_show_its_output() -> None:
    """It may hold what belongs to the caller."""
    assert repr(FunctionResult('{"name":"Ada"}', "ok")) == "FunctionResult(outcome='ok')"


def test_a_value_may_have_as_many_parts_as_an_answer_has_bytes() -> None:
    """Each part takes at least one byte, and so does what holds them."""
    require_short([0] * (OUTPUT_LIMIT - 1))
    with pytest.raises(FunctionFailed, match="the answer is too long"):
        require_short([0] * OUTPUT_LIMIT)
