"""Secret values never reach the model, whatever the service repeats."""

import base64
import json

import pytest

from gateway.tools.masking import masked

CARD = "4111111111111111"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (f'{{"card":"{CARD}"}}', '{"card":"entered"}'),
        (f'{{"card":{CARD}}}', '{"card":"entered"}'),
        ('{"card":4.111111111111111e15}', '{"card":"entered"}'),
        (f'{{"{CARD}":[1,"paid by {CARD}."]}}', '{"entered":[1,"paid by entered."]}'),
        ('{"card":"4111 1111 1111 1111"}', '{"card":"entered"}'),
        ('{"card":"4111-1111-1111-1111"}', '{"card":"entered"}'),
        ('{"card":"4111\u00a01111\u00a01111\u00a01111"}', '{"card":"entered"}'),
        (f'{{"n":1{CARD}7}}', '{"n":"entered"}'),
        (f'{{"n":-{CARD}}}', '{"n":"entered"}'),
        ('{"pin":42}', '{"pin":"entered"}'),
        ('{"pin":"0042"}', '{"pin":"entered"}'),
        (f'{{"name":"Jörg","card":"{CARD}"}}', '{"name":"Jörg","card":"entered"}'),
        ('{"said":"a \\"quote\\" and ü","n":[1.5,null,true]}', '{"said":"a \\"quote\\" and ü","n":[1.5,null,true]}'),
    ],
)
def test_a_secret_is_replaced(output: str, shown: str) -> None:
    """In texts, names and numbers, in groups too; the rest stays, and it is still JSON."""
    assert masked(output, [CARD, "0042"]) == shown
    json.loads(shown)


FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in CARD)
ARABIC = "".join(chr(ord(digit) - 0x30 + 0x660) for digit in CARD)


@pytest.mark.parametrize(
    "echo",
    [
        *(
            separator.join(CARD)
            for separator in (" ", "/", ",", ", ", " - ", "\u2009", "\u200b", "\u2013", "_", "·", "\n")
        ),
        "4111/1111/1111/1111",
        "(4111) 1111 \u2014 1111:1111",
        FULL_WIDTH,
        " ".join(FULL_WIDTH),
        ARABIC,
        '["4111","1111","1111","1111"]',
        base64.b64encode(CARD.encode()).decode(),
        base64.b64encode(f"x{CARD}".encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(f'{{"card":"{CARD}"}}'.encode()).decode(),
        base64.b64encode(f"x{CARD}".encode()).decode().rstrip("=") + "zz",
        CARD.encode().hex(),
        "".join(f"%{ord(digit):02x}" for digit in CARD),
        "".join(f"&#{ord(digit)};" for digit in CARD),
    ],
)
def test_no_way_of_writing_hides_a_secret(echo: str) -> None:
    """Other separators, other digits, encodings: in a text of its own and within others, as value and as name."""
    for value in (echo, f"paid by {echo} today", {"card": echo}, [{"x": [echo]}], {echo: 1}):
        shown = masked(json.dumps(value), [CARD])
        assert "entered" in shown
        assert echo not in json.dumps(json.loads(shown), ensure_ascii=False)


@pytest.mark.parametrize(
    ("spread", "shown"),
    [
        (list(CARD), ["entered"] * 16),
        ([int(digit) for digit in CARD], ["entered"] * 16),
        (["4111", "1111", 1111, "1111"], ["entered"] * 4),
        ([["41", "11"], ["1111"], "11111111"], [["entered", "entered"], ["entered"], "entered"]),
        (["Visa", "4111", "1111", "1111", "1111", "2030"], ["Visa", *["entered"] * 4, "2030"]),
        ([True, None, "4111", "1111", "1111", "1111", False], [True, None, *["entered"] * 4, False]),
        ({"a": "4111", "b": "1111", "c": "11111111"}, {"a": "entered", "b": "entered", "c": "entered"}),
    ],
)
def test_what_is_spread_over_a_list_is_replaced(spread: object, shown: object) -> None:
    """Each part of it; its neighbours stay."""
    assert json.loads(masked(json.dumps(spread), [CARD])) == shown


@pytest.mark.parametrize(
    "output",
    [
        '{"order":"A-4112","total":41.5,"items":[4,11,1],"at":"2026-01-05T10:30:00Z"}',
        '{"text":"4 of 1111 and 1111, then 1111","big":' + "7" * 5000 + "}",
        '{"hash":"c3ab8ff13720e8ad9047dd39466b3c89","n":1e5,"x":1.10}',
        '"aGVsbG8gd29ybGQ="',
        '[["4111","Visa"],["1111"],["1111"],["1111"]]',
        '[{"4111":1111,"1111":"1111"},2030]',
    ],
)
def test_what_is_no_secret_comes_back_as_it_was(output: str) -> None:
    """To the letter: numbers keep their form."""
    assert masked(output, [CARD]) == output


def test_a_deep_answer_is_hidden_as_a_whole() -> None:
    """What cannot be looked through is not shown."""
    assert masked("[" * 100_000 + "]" * 100_000, [CARD]) == '"entered"'


def test_the_longer_of_two_goes_first() -> None:
    """So that nothing is left of it."""
    assert masked('"123456 12"', ["12", "123456"]) == '"entered entered"'


def test_keys_that_are_no_digits() -> None:
    """A star is a star."""
    assert masked('"*12* 12"', ["*12*"]) == '"entered 12"'


def test_two_secrets_that_overlap_are_replaced_as_one() -> None:
    """Digits that end in the first keys of another."""
    assert masked('"pay 0042#7 now"', ["0042", "42#7"]) == '"pay entered now"'
    assert masked('"pay 42#00427 now"', ["42#0", "00427"]) == '"pay entered now"'


@pytest.mark.parametrize("secrets", [[], [""]])
def test_nothing_secret_changes_nothing(secrets: list[str]) -> None:
    """The output is the same object."""
    output = '{"a": 1}'
    assert masked(output, secrets) is output


def test_digits_in_an_object_each_are_one_secret() -> None:
    """One for each key that was pressed; objects with more in them are no digits."""
    pressed = json.dumps([{"key": digit} for digit in "0042"])
    assert json.loads(masked(pressed, ["0042"])) == [{"key": "entered"}] * 4
    orders = '[{"id":0,"n":0},{"id":4,"n":2}]'
    assert masked(orders, ["0042"]) == orders
    mixed = '[{"at":"10:00","key":"12"},{"key":"34"},{"key":"5","n":7}]'
    assert [row["key"] for row in json.loads(masked(mixed, ["12345"]))] == ["entered"] * 3


def test_a_number_that_holds_the_beginning_is_replaced_as_a_whole() -> None:
    """A part of a number is no number; a part of a text stays text."""
    assert masked("[9912,34]", ["1234"]) == '["entered","entered"]'
    assert masked('["9912",34]', ["1234"]) == '["99entered","entered"]'


def test_a_number_is_read_as_it_is_written() -> None:
    """Its last zeros are digits of the value."""
    assert masked('{"n":12.3400}', ["123400"]) == '{"n":"entered"}'


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("[42,107]", '["entered","entered"]'),
        ('["42","107"]', '["entered","entered"]'),
        ('{"a":1,"b":42,"c":107,"d":2}', '{"a":1,"b":"entered","c":"entered","d":2}'),
        ("[42,108]", "[42,108]"),
        ("[42,true,107]", "[42,true,107]"),
    ],
)
def test_groups_that_have_lost_their_zeros_are_replaced(output: str, shown: str) -> None:
    """The digits 0042 and 0107, as a service reads them with ``int``."""
    assert masked(output, ["00420107"]) == shown


def test_true_is_no_group() -> None:
    """It equals 1 in Python, not on a phone."""
    assert masked("[true,2]", ["0102"]) == "[true,2]"
    assert masked("[1,2]", ["0102"]) == '["entered","entered"]'


@pytest.mark.parametrize(("between", "is_one"), [(12, True), (13, False)])
def test_digits_far_apart_are_no_secret(between: int, is_one: bool) -> None:
    """Twelve characters may stand between two digits, and any number of blanks."""
    for gap in ("-" * between, " " + "-" * between + " " * 40):
        assert ("entered" in masked(f'"00{gap}42"', ["0042"])) is is_one


@pytest.mark.parametrize("fraction", ["\u00bd", "\u2155", "\u2163"], ids=["half", "fifth", "Roman four"])
def test_a_number_that_is_no_digit_stands_before_a_secret(fraction: str) -> None:
    """A half and a Roman four: several characters in plain text, one place here."""
    assert masked(f'"{fraction}0042"', ["0042"]) == f'"{fraction}entered"'
