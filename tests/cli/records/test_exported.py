"""Calls for other programs."""

import csv
import json

from msgspec.structs import replace

from gateway.cli.records.exported import COLUMNS, as_json, csv_lines, whole
from gateway.records.stored_call import stored_call
from tests.records.kept import rows_of

STORED = stored_call(rows_of())


def test_json_of_a_call_has_its_events() -> None:
    """On one line, and nothing in it acts on a terminal; it is read back as it was."""
    told = whole(STORED)
    told["turns"][0]["text"] = "\x1b[2J\u202eé"
    text = as_json(told)
    assert not {"\x1b", "\u202e", "\n"} & set(text)
    assert json.loads(text) == told
    assert [event["kind"] for event in json.loads(text)["events"]][:2] == ["call_started", "session_ready"]


def test_a_table_has_a_row_for_each_call() -> None:
    """With a head, unless it was written before; what is not known is an empty cell."""
    rows = list(csv.DictReader(csv_lines([STORED.call])))
    assert list(rows[0]) == list(COLUMNS)
    assert (rows[0]["caller"], rows[0]["duration_ms"], rows[0]["reason"], rows[0]["cost"]) == (
        "+14155550100",
        "9500",
        "transferred",
        "",
    )
    assert len(list(csv_lines([STORED.call], head=False))) == 1


def test_no_cell_is_a_formula() -> None:
    """A caller may choose what a spreadsheet would calculate; a number stays a number."""
    call = replace(STORED.call, caller="=HYPERLINK(1)", called="+14255550100", detail="-1+cmd\r\n", line="@x")
    (row,) = csv.DictReader(csv_lines([call]))
    assert (row["caller"], row["called"], row["detail"], row["line"]) == (
        "'=HYPERLINK(1)",
        "+14255550100",
        "'-1+cmd ",
        "'@x",
    )
