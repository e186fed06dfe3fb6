"""Which way leads to Voice Live: by the SDK's private names where they do what they did."""

import sys

import pytest
from structlog.testing import capture_logs

from gateway.connecting import by_connect, by_manager, choice

lack_of = choice.lack_of_sdk.__wrapped__
"""Looks again each time."""


@pytest.mark.needs_fast_sockets
def test_the_installed_sdk_is_asked_by_its_private_names() -> None:
    """No name is missing, and all do what they did."""
    assert lack_of() == ""
    assert choice.opener("fast") == ("fast", by_manager.open_socket)
    assert choice.opener("public") == ("public", by_connect.open_socket)


def test_without_aiohttp_s_names_the_sdk_s_are_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast way needs both."""
    monkeypatch.setattr("gateway.sockets.choice.lack_of_aiohttp", lambda: "gone")
    assert choice.opener("fast") == ("public", by_connect.open_socket)


def test_a_later_sdk_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, and the public way taken."""
    monkeypatch.delattr("azure.ai.voicelive.aio._patch._VoiceLiveConnectionManager")
    assert "_VoiceLiveConnectionManager" in lack_of()
    monkeypatch.setitem(sys.modules, "azure.ai.voicelive.aio._patch", None)
    assert "azure.ai.voicelive.aio._patch" in lack_of()
    monkeypatch.setattr(choice, "lack_of_sdk", lambda: "gone")
    assert choice.opener("fast")[0] == "public"


async def _no_headers(_: object) -> dict[str, str]:
    return {}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("_prepare_url", lambda _: "https://host/elsewhere", "it prepares"),
        ("_get_auth_headers", _no_headers, "expected api-key"),
        ("__init__", lambda _: None, "TypeError"),
    ],
)
def test_a_name_that_does_something_else_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, words: str
) -> None:
    """By what it does, and not by a version."""
    monkeypatch.setattr(f"azure.ai.voicelive.aio._patch._VoiceLiveConnectionManager.{name}", value)
    assert lack_of().startswith("azure-ai-voicelive's connection manager differs: ")
    assert words in lack_of()


@pytest.mark.needs_fast_sockets
def test_the_legs_on_public_names_are_logged_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, at the start; nothing where it was asked for, or where all is there."""
    with capture_logs() as logged:
        assert choice.public_legs("fast") == ()
        assert choice.public_legs("public") == ("phone", "voice")
        assert logged == []
        monkeypatch.setattr(choice, "lack_of_sdk", lambda: "gone")
        assert choice.public_legs("fast") == ("voice",)
    assert [(entry["event"], entry["legs"], entry["detail"]) for entry in logged] == [
        ("sockets_public", ("voice",), "gone")
    ]
