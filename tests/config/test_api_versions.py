import re
from pathlib import Path

import pytest

from gateway.config.api_versions import (
    API_VERSION,
    DEFAULT_API_VERSION,
    RESPONSE_SINCE,
    SESSION_SINCE,
    is_api_version,
    newer_members,
    without_newer,
)
from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.refusing.versions import check_response, check_session

VERSIONS = ("2025-05-01-preview", "2025-10-01", "2026-01-01-preview", "2026-04-10", "2026-06-01-preview", "2026-07-15")
SESSION = {
    "interim_response": {"type": "static_interim_response"},
    "metadata": {"call_id": "c1"},
    "parallel_tool_calls": False,
    "voice": {"type": "azure-standard", "name": "a", "custom_text_normalization_url": "https://a.example/n"},
    "turn_detection": None,
}


def test_the_default_version_knows_every_member() -> None:
    """What the gateway sends is made for it."""
    assert newer_members(DEFAULT_API_VERSION) == newer_members(DEFAULT_API_VERSION, RESPONSE_SINCE) == []
    assert without_newer(SESSION, DEFAULT_API_VERSION) == (SESSION, [])


@pytest.mark.parametrize(
    ("version", "left_out"),
    [
        ("2026-06-01-preview", []),
        ("2026-04-10", ["parallel_tool_calls"]),
        ("2026-01-01-preview", ["metadata", "parallel_tool_calls"]),
        (
            "2025-10-01",
            [
                "interim_response",
                "voice.custom_text_normalization_url",
                "metadata",
                "parallel_tool_calls",
            ],
        ),
    ],
)
def test_newer_members_are_left_out(version: str, left_out: list[str]) -> None:
    """Those that are there, inner ones alone from their section, and the session itself stays whole."""
    before = {key: dict(value) if isinstance(value, dict) else value for key, value in SESSION.items()}
    known, found = without_newer(SESSION, version)
    assert found == left_out
    assert before == SESSION
    outer = {path for path in left_out if "." not in path}
    assert known.keys() == SESSION.keys() - outer
    assert ("custom_text_normalization_url" in known["voice"]) is (version >= "2026-01-01-preview")
    assert known["voice"]["name"] == "a"


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_left_is_taken_by_the_emulator(version: str) -> None:
    """Its table is its own; each member that one of them knows as newer is refused by the other as well."""
    for since, check in ((SESSION_SINCE, check_session), (RESPONSE_SINCE, check_response)):
        for path in since:
            outer, _, inner = path.partition(".")
            body = {outer: {inner: 1} if inner else 1}
            known, left_out = without_newer(body, version, since)
            check(known, version)
            if left_out:
                with pytest.raises(Rejected, match=path):
                    check(body, version)
            else:
                check(body, version)


def test_versions_are_dates() -> None:
    """A preview says so; words are none."""
    assert all(is_api_version(version) for version in VERSIONS)
    assert not is_api_version("latest")
    assert not is_api_version("2026-07-15-beta")
    assert re.fullmatch(API_VERSION, DEFAULT_API_VERSION)


def test_the_page_has_the_table() -> None:
    """``docs/voice-live.md`` names every member with its version."""
    page = (Path(__file__).parents[2] / "docs" / "voice-live.md").read_text("utf-8")
    for since in (SESSION_SINCE, RESPONSE_SINCE):
        for member, version in since.items():
            assert any(f"`{member}`" in row and version in row for row in page.splitlines()), member
