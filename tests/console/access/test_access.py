"""Who signs in with a password, and what others get."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.records.audit import entries
from tests.console.access.people import PASSWORD, another, browser, console_of_people, sign_in, token_in, url_of
from tests.console.conftest import fill, text_of


async def test_somebody_signs_in_and_out(tmp_path: Path) -> None:
    """The cookie changes with both, and the old one is worth nothing."""
    console = console_of_people(tmp_path)
    await fill(console, [])
    async with browser(console) as client:
        assert "Sign in" in await text_of(client, "/sign-in")
        before = {cookie.value for cookie in client.cookie_jar}
        assert await sign_in(client, "vera") == 303
        signed_in = {cookie.value for cookie in client.cookie_jar}
        assert signed_in.isdisjoint(before)
        page = await text_of(client, "/")
        assert "vera" in page
        async with another(client) as thief:
            thief.cookie_jar.update_cookies({"gateway_console": next(iter(before))}, url_of(client))
            await text_of(thief, "/", 303)
        async with client.post("/sign-out", data={"csrf": token_in(page)}, allow_redirects=False) as answer:
            assert answer.status == 303
        async with another(client) as thief:
            thief.cookie_jar.update_cookies({"gateway_console": next(iter(signed_in))}, url_of(client))
            await text_of(thief, "/", 303)
        await text_of(client, "/", 303)
    assert console.database is not None
    async with console.database as database:
        found = await entries(database, 10)
    assert [(row.who, row.act) for row in reversed(found)] == [("vera", "signed_in"), ("vera", "signed_out")]


async def test_who_signs_in_again_ends_the_session_before(tmp_path: Path) -> None:
    """A planted session cookie gains nothing: that session is over, and the new one has another name."""
    async with browser(console_of_people(tmp_path)) as client:
        assert await sign_in(client, "vera") == 303
        before = next(cookie.value for cookie in client.cookie_jar)
        form = {"csrf": token_in(await text_of(client, "/")), "name": "otto", "password": PASSWORD}
        async with client.post("/sign-in", data=form, allow_redirects=False) as answer:
            assert answer.status == 303
        assert "otto" in await text_of(client, "/")
        async with another(client) as thief:
            thief.cookie_jar.update_cookies({"gateway_console": before}, url_of(client))
            await text_of(thief, "/", 303)


async def test_a_wrong_password_and_a_wrong_name_look_alike(tmp_path: Path) -> None:
    """Both are noted, with the name; after ten the right one is refused, too, for a while."""
    with capture_logs() as logs:
        async with browser(console_of_people(tmp_path)) as client:
            assert await sign_in(client, "nobody") == await sign_in(client, "vera", "wrong") == 403
            for _ in range(9):
                assert await sign_in(client, "vera", "wrong") == 403
            assert await sign_in(client, "vera") == 429
            assert await sign_in(client, "otto") == 303
    failed = [entry["who"] for entry in logs if entry["event"] == "console_audit" and entry["act"] == "sign_in_failed"]
    assert failed == ["nobody", *["vera"] * 11]


async def test_a_name_that_nobody_has_takes_as_long_as_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is checked all the same: nobody learns by a clock whose names there are."""
    checked: list[str] = []

    def matches(password: str, known: str) -> bool:
        checked.append(password)
        return False

    monkeypatch.setattr("gateway.console.access.access.matches", matches)
    async with browser(console_of_people(tmp_path)) as client:
        assert [await sign_in(client, name, name) for name in ("nobody", "vera")] == [403, 403]
        assert await sign_in(client, "vera", "x" * 1025) == 403
    assert checked == ["nobody", "vera"]  # one that is too long for anybody's takes no time of a core


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/\n"])
async def test_nobody_is_sent_elsewhere_after_signing_in(tmp_path: Path, path: str) -> None:
    """An address that comes with a link is one of ours, or the first page."""
    async with browser(console_of_people(tmp_path)) as client:
        form = {"name": "vera", "password": "correct horse battery", "next": path}
        form["csrf"] = token_in(await text_of(client, "/sign-in"))
        async with client.post("/sign-in", data=form, allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/"


async def test_the_cookie_is_for_tls_where_people_come_by_tls(tmp_path: Path) -> None:
    """With the prefix that no other host can set."""
    yaml = 'console: {url: "https://console.example.com", users: {vera: {password: "${HASH}"}}}\n'
    async with browser(console_of_people(tmp_path, yaml)) as client:
        async with client.get("/sign-in", headers={"Host": "console.example.com"}) as answer:
            cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-gateway_console=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        for host, origin, status in (
            ("console.example.com", "https://console.example.com", 200),
            ("console.example.com", "http://console.example.com", 403),
            ("evil.example", "https://evil.example", 421),
        ):
            await text_of(client, "/sign-in", status, headers={"Host": host, "Origin": origin})


async def test_a_session_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After as many idle minutes as the deployment says."""
    now = 1000.0
    monkeypatch.setattr("gateway.console.access.access.monotonic", lambda: now)
    async with browser(console_of_people(tmp_path)) as client:
        assert await sign_in(client, "vera") == 303
        now += 29 * 60
        await text_of(client, "/audit", 403)
        now += 31 * 60
        await text_of(client, "/audit", 303)
