"""The folder of a simulated call, read to be explained."""

import json
from pathlib import Path

import pytest

from gateway.errors import InputError
from gateway.records.explain.explaining import explain
from gateway.records.explain.folder import is_folder, read_folder
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.report.folder import write_folder
from tests.sim.conftest import call, notes  # noqa: F401 -- fixtures


def test_the_folder_of_a_call_is_explained(
    tmp_path: Path,
    call: CallResult,  # noqa: F811 -- the fixture
    notes: list[TimelineEvent],  # noqa: F811 -- the fixture
) -> None:
    """With the gateway's events alone, on the clock of the stream."""
    folder = write_folder(tmp_path / "call", call, notes=notes, header={"line": "support"})
    assert is_folder(folder)
    assert not is_folder(tmp_path)
    subject, events = read_folder(folder)
    assert (subject.call, subject.line, subject.caller) == (call.call_id, "support", call.plan.from_)
    assert subject.started is not None
    assert [event.kind for event in events] == [note.kind for note in sorted(notes, key=lambda note: note.at)]
    assert explain(subject, events).call == call.call_id


def written(folder: Path, events: str = "", **told: object) -> Path:
    """A folder with these events."""
    (folder / "call.json").write_text(json.dumps(told))
    (folder / "events.jsonl").write_text(events)
    return folder


def test_a_folder_without_an_end_is_of_a_call_that_broke_off(tmp_path: Path) -> None:
    """Its id is the folder's name, if nothing tells another one."""
    subject, events = read_folder(written(tmp_path, '{"at_ms":1,"kind":"x","a":2}\n\n', started=7, line=None))
    assert (subject.call, subject.state, subject.started, subject.line) == (tmp_path.name, "interrupted", None, "")
    assert [(event.at_ms, event.kind, event.fields) for event in events] == [(1.0, "x", {"a": 2})]
    subject, _ = read_folder(written(tmp_path, '{"at_ms":1,"kind":"call_ended"}', call_id="CA1", started="soon"))
    assert (subject.call, subject.state, subject.started) == ("CA1", "ended", None)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"at_ms":1', ":2: is no JSON"),
        ("[]", ":2: expected a JSON object"),
        ('{"at_ms":"1","kind":"x"}', ":2: expected at_ms, a number, and kind, a text"),
        ('{"at_ms":true,"kind":"x"}', ":2: expected at_ms"),
        ('{"at_ms":1}', ":2: expected at_ms"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    """And with what was expected."""
    with pytest.raises(InputError, match=r"events\.jsonl") as raised:
        read_folder(written(tmp_path, f'{{"at_ms":0,"kind":"a"}}\n{line}\n'))
    assert told in str(raised.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """By its name."""
    (tmp_path / "call.json").write_text("{}")
    with pytest.raises(InputError, match=r"events\.jsonl: cannot be read: No such file"):
        read_folder(tmp_path)
    (tmp_path / "call.json").write_text("{")
    with pytest.raises(InputError, match=r"call\.json: is no JSON"):
        read_folder(tmp_path)
