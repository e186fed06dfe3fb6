from typing import Any

import pytest

from gateway.tape.form import FORM, Header, Line, Tape
from gateway.tape.report.phone import phone_findings

START = {
    "event": "start",
    "sequenceNumber": 1,
    "start": {
        "callId": "fa4e0000-0000-0000-0000-000000000001",
        "streamId": "fa4e0000-0000-0000-0000-000000000002",
        "accountId": "MAfa4e",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
    },
    "extra_headers": "",
}
MEDIA = {"track": "inbound", "timestamp": "1705312200000", "chunk": 1, "payload": "$audio 160 -20.0"}


def plivo(*lines: Line) -> Tape:
    """A tape of Plivo, whose checkpoints come back only when played."""
    begun = Line(0.0, "phone", "in", json=START)
    header = Header(FORM, "0.1", "2026-11-29T17:00:00Z", 0.0, "plivo")
    return Tape(header, [(number, line) for number, line in enumerate((begun, *lines), start=2)])


def media(at: float) -> Line:
    """A frame of the caller."""
    content: dict[str, Any] = {"event": "media", "sequenceNumber": 2, "streamId": "s", "media": MEDIA}
    return Line(at, "phone", "in", json=content)


def checkpoint(at: float, to: str, event: str = "checkpoint") -> Line:
    """A mark of ours, or its return."""
    content = {"event": event, "streamId": START["start"]["streamId"], "name": "g1-1"}  # type: ignore[index]  # an object
    return Line(at, "phone", to, json=content)


def clear(at: float) -> Line:
    """Our clear."""
    return Line(at, "phone", "out", json={"event": "clearAudio", "streamId": START["start"]["streamId"]})  # type: ignore[index]  # as above


def kinds(tape: Tape) -> list[tuple[str, str]]:
    """The findings but for members, which a made-up tape lacks."""
    return [(one.kind, one.detail) for one in phone_findings(tape) if "member" not in one.kind]


def test_marks_that_come_back_after_a_clear_are_told_where_none_are_expected() -> None:
    """A provider that turns out to be like another."""
    frames = [media(1 + number / 5) for number in range(20)]
    tape = plivo(*frames[:1], checkpoint(1.1, "out"), clear(1.15), checkpoint(1.17, "in", "playedStream"), *frames[1:])
    assert [kind for kind, _ in kinds(tape)] == ["mark_after_clear"]
    quiet = plivo(*frames[:1], checkpoint(1.1, "out"), clear(1.15), *frames[1:])
    assert kinds(quiet) == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            [checkpoint(1.0, "out"), checkpoint(1.1, "in", "playedStream"), checkpoint(1.2, "in", "playedStream")],
            "twice",
        ),
        (
            [checkpoint(0.9, "out"), Line(1.0, "phone", "in", json={"event": "playedStream", "name": "g9-9"})],
            "not sent",
        ),
    ],
)
def test_marks_that_cannot_be_are_told(lines: list[Line], told: str) -> None:
    """Returned twice, or never sent."""
    assert any(kind == "mark" and told in detail for kind, detail in kinds(plivo(*lines)))


def test_a_stream_without_start_and_one_that_broke_off_are_told() -> None:
    """Audio before the start too."""
    tape = plivo(media(1.0), Line(2.0, "phone", "in", "closed", facts={"code": 1006, "failure": "reset by peer"}))
    assert ("closed", "the stream was closed with 1006") in kinds(tape)
    without = Tape(tape.header, tape.lines[1:])
    assert ("order", "no start of the stream") in kinds(without)
    early = Tape(tape.header, [tape.lines[1], (9, Line(1.5, "phone", "in", json=START))])
    assert ("order", "audio before the start of the stream") in kinds(early)


def test_a_refused_stream_has_no_messages() -> None:
    """The reason is told in words."""
    header = Header(FORM, "0.1", "2026-11-29T17:00:00Z", 0.0, "plivo")
    tape = Tape(header, [(2, Line(0.0, "phone", "out", "refused", facts={"reason": "no signature"}))])
    found = list(phone_findings(tape))
    assert {one.kind for one in found} == {"no_stream", "refused"}
    assert [one.verbatim for one in found if one.kind == "refused"] == ["no signature"]
