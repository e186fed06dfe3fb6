from typing import Any

import pytest

from gateway.tape.form import FORM, Header, Line, Tape
from gateway.tape.report.http import http_findings


def tape(*lines: Line, provider: str = "vonage") -> Tape:
    """A tape of HTTP alone."""
    header = Header(FORM, "0.1", "2026-11-29T17:00:00Z", 0.0, provider)
    return Tape(header, list(enumerate(lines, start=2)))


def request(**http: Any) -> Line:
    """A webhook."""
    return Line(0.0, "webhook", "in", "request", 1, http=http)


def test_fields_of_a_query_are_compared_too() -> None:
    """Vonage asks by GET."""
    url = "https://host-000000.example/answer/vonage?from=1&to=2&uuid=3&conversation_uuid=4&region_url=5"
    found = list(http_findings(tape(request(method="GET", url=url))))
    assert [(one.kind, one.detail) for one in found] == [("unknown_member", "the first webhook: region_url")]
    missing = list(
        http_findings(tape(request(method="GET", url=url.replace("&uuid=3", "").replace("&region_url=5", ""))))
    )
    assert [(one.kind, one.detail) for one in missing] == [("absent_member", "the first webhook: uuid")]


def test_members_of_json_are_compared() -> None:
    """By their paths."""
    found = list(http_findings(tape(request(json={"new": {"deep": 1}}), provider="bandwidth")))
    assert {"the first webhook: new", "the first webhook: new.deep"} <= {one.detail for one in found}


@pytest.mark.parametrize(("status", "is_told"), [(200, False), (204, False), (404, True), (503, True), (0, True)])
def test_a_request_that_failed_is_told_with_the_providers_words(status: int, is_told: bool) -> None:
    """One that was not answered, too."""
    http = {"status": status, "json": {"message": "no such call"}} if status else {"failure": "timed out"}
    found = list(http_findings(tape(Line(0.0, "rest", "in", "answer", 1, http=http))))
    assert bool(found) == is_told
    if is_told:
        assert ("no such call" if status else "timed out") in found[0].verbatim
