"""Which line a called number belongs to, however it is spelt."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigErrors, Lines, load_deployment
from gateway.config.line_file import LineFile
from gateway.config.numbers import NumberPlan, own_number

ReadLine = Callable[..., LineFile]

PLAN = NumberPlan(
    [
        ("+49301234567", "berlin", ""),
        ("+14255550100", "seattle", ""),
        ("+919262345678", "mumbai", ""),
        ("1001", "desk", ""),
        ("0401234567", "hamburg", ""),
        ("sip:support@pbx.example.com", "support", ""),
    ]
)


@pytest.mark.parametrize(
    ("called", "region", "line"),
    [
        ("+49301234567", "", "berlin"),
        ("49301234567", "", "berlin"),
        ("0049301234567", "", "berlin"),
        ("0301234567", "", "berlin"),
        ("0301234567", "DE", "berlin"),
        ("sip:0301234567@trunk;user=phone", "", "berlin"),
        ("sip:14255550100@trunk", "", "seattle"),
        ("4255550100", "", "seattle"),
        ("+14255550100;ext=5", "", "seattle"),
        ("9262345678", "", "mumbai"),
        ("09262345678", "", "mumbai"),
        ("1001", "", "desk"),
        ("1001", "DE", "desk"),
        ("sip:1001@pbx.local", "", "desk"),
        ("0401234567", "", "hamburg"),
        ("+49401234567", "DE", "hamburg"),
        ("0049401234567", "DE", "hamburg"),
        ("sip:support@PBX.example.com;transport=tls", "", "support"),
    ],
)
def test_a_called_number_finds_its_line(called: str, region: str, line: str) -> None:
    """By the provider's habits, else by those of the lines' own countries: one of their numbers was called."""
    assert PLAN.find(called, region) == line


@pytest.mark.parametrize("called", ["", "+49301234568", "1002", "+1001", "anonymous", "0301234568"])
def test_another_number_finds_none(called: str) -> None:
    """Unless a line takes any."""
    assert PLAN.find(called) is None
    assert NumberPlan([("*", "rest", "")]).find(called) == "rest"


def test_what_may_be_two_lines_is_nobodys() -> None:
    """A region settles it."""
    plan = NumberPlan([("+49301234567", "berlin", ""), ("+31301234567", "utrecht", "")])
    assert plan.find("0301234567") is None
    assert plan.find("0301234567", "NL") == "utrecht"


def test_a_called_number_is_told_as_the_line_has_it() -> None:
    """Of a line that takes any number, as it reads."""
    assert own_number("0301234567", ("1001", "+49301234567")) == "+49301234567"
    assert own_number("+49401234567", ("0401234567",), "DE") == "0401234567"
    assert own_number("0401234567", ("*",), "DE") == "+49401234567"


@pytest.mark.parametrize(
    ("numbers", "region", "expected"),
    [
        ('"030 1234567"', "DE", "+49301234567"),
        ('"(425) 555-0102"', "US", "+14255550102"),
        ('"09262345678"', "IN", "+919262345678"),
        ('"+49 30 1234567"', "de", "+49301234567"),
        ('"+1 425\u00a0555\u20110102"', "US", "+14255550102"),
        ('"1001"', "DE", "1001"),
        ('"0301234567"', "", "0301234567"),
        ('"1001"', "", "1001"),
        ('"SIP:support@PBX.example.com"', "", "sip:support@pbx.example.com"),
    ],
)
def test_a_line_has_its_numbers_as_people_write_them(
    read_line: ReadLine, numbers: str, region: str, expected: str
) -> None:
    """With its region; extensions and what a provider sends as it is dialled stand for themselves."""
    text = f"numbers: [{numbers}]\ninstructions: Answer.\n" + (f"region: {region}\n" if region else "")
    line = read_line("", base=text).line
    assert line
    assert line.settings.numbers == (expected,)


def test_a_line_may_take_the_providers_region(tmp_path: Path) -> None:
    """If all of them have the same."""
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "a.yaml").write_text('numbers: ["8047491899"]\ninstructions: Answer.\n')
    file = tmp_path / "gateway.yaml"
    file.write_text("providers: {exotel: {region: IN}, twilio: {}}\n")
    (line,) = Lines(load_deployment(file, {}))
    assert line.settings.numbers == ("+918047491899",)
    file.write_text("providers: {exotel: {region: IN}, twilio: {region: US}}\n")
    with pytest.raises(ConfigErrors, match="region: US"):
        Lines(load_deployment(file, {}))


@pytest.mark.parametrize(
    ("numbers", "region", "message"),
    [
        (
            '"(425) 555-0102"',
            "",
            "'(425) 555-0102' is not a phone number in international format: its country code is missing, expected "
            "such as +14255550100, or the country beside numbers, such as region: US",
        ),
        ('"1 425 555 0102"', "", "'1 425 555 0102' is not a phone number in international format, write +14255550102"),
        (
            '"tel:+1-425-555-0102"',
            "",
            "'tel:+1-425-555-0102' is not a phone number in international format, write +14255550102",
        ),
        ('"00493012345678"', "XX", "'XX' is not a country, expected two letters such as DE or US"),
        ('"1001"', "UK", "'UK' is not a country, did you mean GB?"),
        (
            '"555-0100"',
            "US",
            "'555-0100' is not a phone number in international format or as it is written in US, expected such as "
            "+14255550100",
        ),
    ],
)
def test_a_number_that_cannot_be_read_is_told(read_line: ReadLine, numbers: str, region: str, message: str) -> None:
    """Nothing is suggested that is another number."""
    text = f"numbers: [{numbers}]\ninstructions: Answer.\n" + (f"region: {region}\n" if region else "")
    (error,) = read_line("", base=text).errors
    assert error.message.partition(": ")[2] == message
