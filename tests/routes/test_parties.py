"""Who calls whom, in one form."""

from pathlib import Path

import pytest

from gateway.audio.formats import PCMU
from gateway.call.refusal import Refusal, TurnedAway
from gateway.config import Line
from gateway.config.line_file import LineFile
from gateway.phone.events import CallStarted, Playout
from gateway.routes.parties import caller_of, identified, turned_away, unknown_line


def a_line(folder: Path, text: str) -> Line:
    """A line with these numbers and region."""
    file = folder / "line.yaml"
    file.write_text(f"{text}\ninstructions: Answer.\n")
    line = LineFile(file, "gpt-4.1", {}).line
    assert line
    return line


@pytest.mark.parametrize(
    ("line", "region", "called", "caller", "expected"),
    [
        ('numbers: ["+49301234567"]', "", "0301234567", "089 1234567", ("+49301234567", "+49891234567", "")),
        ('numbers: ["+49301234567"]', "DE", "49301234567", "14155550123", ("+49301234567", "+14155550123", "")),
        (
            'numbers: ["+49301234567"]\nregion: AT',
            "DE",
            "+49301234567",
            "0512123456",
            ("+49301234567", "+43512123456", ""),
        ),
        ('numbers: ["+14255550100"]', "", "+14255550100", "1001", ("+14255550100", "1001", "")),
        ('numbers: ["+14255550100"]', "", "+14255550100", "9262345678", ("+14255550100", "9262345678", "")),
        ('numbers: ["*"]', "IN", "08047491899", "9262345678", ("+918047491899", "+919262345678", "")),
        ('numbers: ["*"]', "", "", "", ("", "", "missing")),
        ('numbers: ["1001"]', "", "sip:1001@pbx", "+266696687", ("1001", "", "anonymous")),
        ('numbers: ["1001"]', "", "1001", "sip:bob@example.com", ("1001", "sip:bob@example.com", "")),
    ],
)
def test_numbers_are_put_into_one_form(
    tmp_path: Path, line: str, region: str, called: str, caller: str, expected: tuple[str, str, str]
) -> None:
    """By the line's region, else the provider's, else that of the called number."""
    started = CallStarted("CA1", "MZ1", PCMU, Playout(), caller, called)
    known = identified(started, a_line(tmp_path, line), region)
    assert (known.called, known.caller, known.withheld) == expected


@pytest.mark.parametrize(("caller", "known"), [("089 1234567", "+49891234567"), ("anonymous", "")])
def test_a_call_without_room_has_its_numbers_in_the_same_form(tmp_path: Path, caller: str, known: str) -> None:
    """A withheld one stays so."""
    line = a_line(tmp_path, 'numbers: ["+49301234567"]')
    call = turned_away(("twilio", "CA1"), caller, "0301234567", line, "DE", Refusal.FULL)
    assert call == TurnedAway("twilio", "CA1", line.name, known, "+49301234567", Refusal.FULL)


def test_a_parameter_does_not_tell_a_withheld_caller(tmp_path: Path) -> None:
    """Streams bring the numbers as parameters too, and a line's texts may name them."""
    written = {"from": "+266696687", "sip_from": "sip:266696687@trunk", "number": "266696687"}
    parameters = {**written, "queue": "night", "kind": "private", "order": "0000000000"}
    started = CallStarted("CA1", "MZ1", PCMU, Playout(), "+266696687", "1001", parameters=parameters)
    known = identified(started, a_line(tmp_path, 'numbers: ["1001"]'), "")
    kept = {"queue": "night", "kind": "private", "order": "0000000000"}
    assert known.parameters == {**dict.fromkeys(written, "unknown"), **kept}


def test_who_is_turned_away_gets_a_hint() -> None:
    """What to set, where that may be it; the number is ours and in clear."""
    without_code = unknown_line("", "0301234567", "")
    assert without_code.hint == (
        "a number without its country code: set the region of the provider or the line, or write it so in numbers"
    )
    assert (without_code.reason, without_code.detail, without_code.fields) == (
        Refusal.UNKNOWN_NUMBER,
        "no line takes the called number",
        {"our_number": "0301234567"},
    )
    assert unknown_line("", "0301234567", "DE").hint == ""
    assert unknown_line("", "+49301234567", "").hint == ""
    assert unknown_line("", "", "").hint == (
        "the provider named no called number: name the line in the address, or send the number along"
    )
    assert unknown_line("", "", "DE").hint == unknown_line("", "", "").hint
    assert unknown_line("", "0301234567", "", is_ours=False).fields == {"called": "0301234567"}
    nowhere = unknown_line("nowhere", "0301234567", "")
    assert (nowhere.reason, nowhere.detail, nowhere.fields) == (Refusal.UNKNOWN_LINE, "no such line here", {})


def test_addresses_are_bounded(tmp_path: Path) -> None:
    """They go into logs, sessions and tools: what is longer than any address is cut."""
    started = CallStarted("1", "s", PCMU, Playout(), caller="1" * 60_000, called="x" * 60_000)
    call = identified(started, a_line(tmp_path, 'numbers: ["*"]'), "")
    assert (len(call.caller), len(call.called)) == (256, 256)
    assert len(str(unknown_line("", "x" * 60_000, "").fields)) < 300


@pytest.mark.parametrize(("caller", "known"), [("anonymous", ""), ("+266696687", ""), ("089 1234567", "+49891234567")])
def test_a_caller_is_known_unless_the_number_is_withheld(tmp_path: Path, caller: str, known: str) -> None:
    """Before a stream is there, too: limits count callers by it."""
    line = a_line(tmp_path, 'numbers: ["+49301234567"]')
    assert caller_of(caller, "+49301234567", line, "") == known
