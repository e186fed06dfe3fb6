"""What people do is noted; tests/console/access/test_access.py shows the table."""

from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from gateway.console.access.audit import AGAIN_S, Heard, address_of
from gateway.console.application import application
from gateway.console.state import Console
from tests.console.access.people import another, browser, console_of_people, sign_in
from tests.console.conftest import console_with, fill, text_of
from tests.records.kept import rows_of


def seen(console: Console, remote: str, forwarded: str = "") -> str:
    """Return the address that is noted of a request."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("GET", "/", headers, app=application(console)).clone(remote=remote)
    return address_of(request)


@pytest.mark.parametrize(
    ("remote", "forwarded", "noted"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.1, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.9", "203.0.113.1", "192.0.2.9"),
    ],
)
def test_an_address_is_what_a_proxy_of_our_own_has_seen(
    tmp_path: Path, remote: str, forwarded: str, noted: str
) -> None:
    """What others write into the header is worth nothing; without a proxy, the header is."""
    yaml = 'console: {url: "https://console.example.com", users: {vera: {password: "${HASH}"}}}\n'
    assert seen(console_of_people(tmp_path, yaml), remote, forwarded) == noted
    assert seen(console_with(tmp_path), remote, forwarded) == remote


async def test_an_entry_that_cannot_be_written_is_in_the_log(tmp_path: Path) -> None:
    """Somebody signs in all the same."""
    console = console_of_people(tmp_path)
    await fill(console, [])
    assert console.database is not None
    assert console.database.file is not None
    with capture_logs() as logs:
        async with browser(console) as client:
            console.database.file.write_bytes(b"no database" * 1000)
            assert await sign_in(client, "vera") == 303
    assert [entry["event"] for entry in logs if "audit" in entry["event"]] == ["console_audit", "console_audit_lost"]


def test_the_parts_of_a_sound_are_noted_once_in_a_while() -> None:
    """A player asks for many; somebody else, another act, another call and a later time are noted apart."""
    heard = Heard()
    assert not heard.is_known(("lisa", "heard", "k1"), 0)
    assert heard.is_known(("lisa", "heard", "k1"), AGAIN_S - 1)
    assert not heard.is_known(("lisa", "heard", "k2"), 1)
    assert not heard.is_known(("lisa", "downloaded", "k1"), 1)
    assert not heard.is_known(("otto", "heard", "k1"), 1)
    assert not heard.is_known(("lisa", "heard", "k1"), AGAIN_S)


async def test_who_reads_a_call_is_noted(tmp_path: Path) -> None:
    """A listener who opens its page and takes its file; not a viewer, who sees no word of it."""
    console = console_of_people(tmp_path)
    await fill(console, rows_of())
    with capture_logs() as logs:
        async with browser(console) as client:
            for name in ("vera", "lisa"):
                async with another(client) as somebody:
                    assert await sign_in(somebody, name) == 303
                    await text_of(somebody, "/calls/k1")
                    await text_of(somebody, "/calls/k1/call.json")
    acts = [(entry["who"], entry["act"], entry["call"]) for entry in logs if entry["event"] == "console_audit"]
    assert [act for act in acts if act[2]] == [("lisa", "read", "k1"), ("lisa", "downloaded", "k1")]
