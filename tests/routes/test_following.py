"""What follows a call's stream, by how the call ended."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway.call.ending import EndReason
from gateway.config import Line
from gateway.phone.provider import CallCommands, Provider
from gateway.phone.requests import Requests
from gateway.phone.webhook import After
from gateway.routes.following import follows_instead, goes_on_by_itself, may_follow, then_url, what_follows
from tests.e2e.rig import LINE, configuration, load

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
BOTH = 'after: {say: Goodbye.}\non_failure: {say: Sorry., transfer: "+14255550177"}\n'
GOODBYE, RESCUE = After(say="Goodbye."), After(say="Sorry.", transfer="+14255550177")
EXPECTED = {
    EndReason.CALLER_HUNG_UP: After(),
    EndReason.TRANSFERRED: After(),
    EndReason.LINE_CLOSED: After(),
    EndReason.BOT_HUNG_UP: GOODBYE,
    EndReason.SILENCE: GOODBYE,
    EndReason.TIME_LIMIT: GOODBYE,
    EndReason.STREAM_LOST: RESCUE,
    EndReason.STREAM_STALLED: RESCUE,
    EndReason.STREAM_BROKEN: RESCUE,
    EndReason.VOICE_UNAVAILABLE: RESCUE,
    EndReason.VOICE_REFUSED: RESCUE,
    EndReason.VOICE_LOST: RESCUE,
    EndReason.VOICE_STALLED: RESCUE,
    EndReason.SHUT_DOWN: RESCUE,
    EndReason.SHUT_DOWN_ANNOUNCED: After(),
    EndReason.ENDED_BY_OPERATOR: After(),
    EndReason.FAULT: RESCUE,
    None: RESCUE,
}


def line_of(folder: Path, keys: str) -> Line:
    """A line with these keys."""
    _, lines = load(configuration(folder, {"support": LINE + keys}))
    return next(iter(lines))


def test_every_end_is_in_order_or_a_failure(tmp_path: Path) -> None:
    """No end is forgotten; a call of which nobody knows the end has failed."""
    line = line_of(tmp_path, BOTH)
    assert {*EXPECTED} == {*EndReason, None}
    assert {end: what_follows(line, end, NOON) for end in EXPECTED} == EXPECTED


def test_the_rescue_is_not_for_those_who_were_served(tmp_path: Path) -> None:
    """A line with one key alone does nothing at the other ends."""
    rescue, goodbye = (
        line_of(tmp_path / "1", 'on_failure: {transfer: "+14255550177"}\n'),
        line_of(tmp_path / "2", 'after: {transfer: "+14255550177"}\n'),
    )
    assert what_follows(rescue, EndReason.BOT_HUNG_UP, NOON) == After()
    assert what_follows(goodbye, EndReason.VOICE_LOST, NOON) == After()


def test_after_names_its_ends(tmp_path: Path) -> None:
    """Whoever said nothing is not asked to stay for a survey."""
    line = line_of(tmp_path, "after: {say: A survey follows., ends: [bot_hung_up]}\n")
    assert what_follows(line, EndReason.BOT_HUNG_UP, NOON) == After(say="A survey follows.")
    assert what_follows(line, EndReason.SILENCE, NOON) == After()


@pytest.mark.parametrize("key", ["after", "on_failure"])
def test_a_target_has_a_name(tmp_path: Path, key: str) -> None:
    """Both keys may name one of transfers, and speak in the line's language."""
    line = line_of(tmp_path, f'language: de-DE\ntransfers: {{desk: "+14255550199"}}\n{key}: {{transfer: desk}}\n')
    end = EndReason.BOT_HUNG_UP if key == "after" else EndReason.VOICE_LOST
    assert what_follows(line, end, NOON) == After(language="de-DE", transfer="+14255550199")


def test_a_closed_line_rescues_nobody(tmp_path: Path) -> None:
    """Nobody is at the rescue number; within the hours somebody is."""
    hours = 'timezone: UTC\nhours: {open: {mon-fri: "09:00-17:00"}, closed: {say: Closed.}}\n'
    line = line_of(tmp_path, hours + BOTH)
    assert what_follows(line, EndReason.VOICE_LOST, NOON) == RESCUE
    assert what_follows(line, EndReason.VOICE_LOST, NOON.replace(hour=20)) == After()
    assert what_follows(line, None, NOON.replace(hour=20)) == After()


def test_where_nothing_may_follow_nothing_is_asked(tmp_path: Path) -> None:
    """Either key is reason enough to ask."""
    assert not may_follow(line_of(tmp_path / "1", ""))
    assert may_follow(line_of(tmp_path / "2", "after: {say: Goodbye.}\n"))
    assert may_follow(line_of(tmp_path / "3", "on_failure: {say: Sorry.}\n"))


class Redirecting(CallCommands):
    """A REST API that can send a call on."""

    def hang_up(self, call_id: str) -> Requests:
        raise AssertionError(call_id)

    def redirect(self, call_id: str, url: str) -> Requests:
        raise AssertionError(call_id, url)


@pytest.mark.parametrize(
    ("keys", "has_api", "expected"),
    [(BOTH, True, True), (BOTH, False, False), ("after: {say: Thank you.}", True, False)],
)
def test_a_document_goes_on_by_itself_where_other_ends_can_be_told(
    tmp_path: Path, keys: str, has_api: bool, expected: bool
) -> None:
    """It takes a rescue, and a provider that can be told otherwise."""
    provider = cast(Provider, SimpleNamespace(commands=Redirecting() if has_api else None))
    assert goes_on_by_itself(provider, line_of(tmp_path, keys), NOON) == expected


@pytest.mark.parametrize("end", list(EndReason))
def test_what_follows_instead_is_told_of_every_end_but_failures(tmp_path: Path, end: EndReason) -> None:
    """A failure is what the document is for; a caller who has gone needs nothing."""
    line = line_of(tmp_path, BOTH)
    gone = end in (EndReason.CALLER_HUNG_UP, EndReason.TRANSFERRED)
    assert follows_instead(line, end, NOON) == (None if gone or EXPECTED[end] == RESCUE else EXPECTED[end])


def test_the_url_that_is_asked_names_the_line() -> None:
    """In a path that any name of a line may stand in."""
    assert then_url("https://x", "plivo", "the desk") == "https://x/answer/plivo/the%20desk?stream=ended"
