"""The sign-in by OpenID Connect: at a real server, and at one that answers wrongly."""

import asyncio
import base64
import hashlib
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from structlog.testing import capture_logs

from gateway.config.console.users import OpenId
from gateway.console.access.openid import BEGUN_S, MOST_BEGUN, OpenIdSignIn, RefusedSignInError
from gateway.console.visitors import Need
from tests.console.access.people import another, browser, console_of_people
from tests.console.conftest import text_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the server still uses what authlib has moved to joserfc
    from oidc_provider_mock import User, run_server_in_thread

Claims = dict[str, Any]
ROLES = "{viewer: [staff], listener: [quality]}"
CONSOLE = "http://localhost:8088"
DONE = "/sign-in/openid/done"


def yaml_of(issuer: str) -> str:
    """Return a console whose people come from an issuer."""
    openid = f"issuer: {issuer}, client_id: console, client_secret: '${{HASH}}', roles: {ROLES}"
    return f"console:\n  url: {CONSOLE}\n  openid: {{{openid}}}\n"


async def come_back(client: aiohttp.ClientSession, sub: str) -> str:
    """Go to the issuer, say who one is, and return the path and query with which one comes back."""
    async with client.get("/sign-in/openid?next=/audit", allow_redirects=False) as answer:
        assert answer.status == 303
        address = answer.headers["Location"]
    async with (
        aiohttp.ClientSession() as at_issuer,
        at_issuer.post(address, data={"sub": sub}, allow_redirects=False) as answer,
    ):
        back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == CONSOLE + DONE
    return f"{back.path}?{back.query}"


async def test_people_of_an_issuer_get_the_roles_of_their_groups(tmp_path: Path) -> None:
    """Who has none is known and not let in; a code and a state work once, and in the browser that began."""
    users = [
        User(sub="lisa", claims={"email": "lisa@example.com", "groups": ["quality", "other"]}),
        User(sub="gina", claims={"email": "gina@example.com", "groups": ["guests"]}),
    ]
    with warnings.catch_warnings(), run_server_in_thread(user_claims=users) as issuer, capture_logs() as logs:
        warnings.simplefilter("ignore")
        console = console_of_people(tmp_path, yaml_of(f"http://localhost:{issuer.server_port}"))
        async with asyncio.timeout(30), browser(console) as client:
            assert "your organisation" in await text_of(client, "/sign-in")
            path = await come_back(client, "lisa")
            async with another(client) as thief:
                await text_of(thief, path, 403)
            await text_of(client, path, 403)  # the thief has used it up
            path = await come_back(client, "lisa")
            cross_site = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
            async with client.get(path, allow_redirects=False, headers=cross_site) as answer:
                assert (answer.status, answer.headers["Location"]) == (303, "/audit")
            assert "lisa@example.com" in await text_of(client, "/")
            await text_of(client, "/audit", 403)
            await text_of(client, path, 403)
            async with another(client) as gina:
                assert "no role here" in await text_of(gina, await come_back(gina, "gina"), 403)
                await text_of(gina, "/", 303)
    acts = [(entry["who"], entry["act"]) for entry in logs if entry["event"] == "console_audit"]
    assert ("lisa@example.com", "signed_in") in acts
    assert ("gina@example.com", "sign_in_failed") in acts


class Issuer:
    """An issuer whose ID tokens are as a test wants them."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "a"})
        self.url = ""
        self.make: Callable[[Claims], str] = self.signed
        self.told: Claims = {}
        """Members that its metadata have instead; empty for one that they lack."""
        self.asked: Claims = {}
        self.form: dict[str, str] = {}
        self.authorization = ""

    def signed(self, claims: Claims, *, key: Any = None, alg: str = "RS256") -> str:
        """Return an ID token."""
        return jwt.encode({"alg": alg, "kid": "a"}, claims, key or self.key, algorithms=[alg])

    async def metadata(self, request: web.Request) -> web.Response:
        """Answer discovery."""
        paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        told = {"issuer": self.url, **{name: self.url + path for name, path in paths.items()}} | self.told
        return web.json_response({name: value for name, value in told.items() if value})

    async def keys(self, request: web.Request) -> web.Response:
        """Answer with the public key."""
        return web.json_response(KeySet([self.key]).as_dict(private=False))

    async def token(self, request: web.Request) -> web.Response:
        """Answer a code."""
        self.form = {name: str(value) for name, value in (await request.post()).items()}
        self.authorization = request.headers.get("Authorization", "")
        now = int(time.time())
        claims = {"iss": self.url, "aud": "console", "sub": "lisa", "iat": now, "exp": now + 60, "groups": "quality"}
        claims["nonce"] = self.asked["nonce"]
        return web.json_response({"access_token": "t", "token_type": "Bearer", "id_token": self.make(claims)})


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """An issuer that is served."""
    made = Issuer()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", made.metadata)
    app.router.add_get("/keys", made.keys)
    app.router.add_post("/token", made.token)
    async with served(app) as url:
        made.url = url
        yield made


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """Serve an application."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def sign_in_at(issuer: Issuer, clock: Callable[[], float] = time.monotonic) -> OpenIdSignIn:
    """Return the sign-in at an issuer."""
    settings = OpenId.model_validate(
        {"issuer": issuer.url, "client_id": "console", "roles": {"listener": ("quality",), "viewer": ("staff",)}}
    )
    return OpenIdSignIn(settings, CONSOLE, clock)


async def query_of(sign_in: OpenIdSignIn, issuer: Issuer, cookie: str = "c") -> dict[str, str]:
    """Begin, and return the query with which the issuer sends somebody back."""
    issuer.asked = dict(parse_qsl(urlsplit(await sign_in.begin(cookie, "/")).query))
    return {"state": issuer.asked["state"], "code": "abc"}


async def test_a_sign_in_proves_itself_by_pkce(issuer: Issuer) -> None:
    """The challenge is the hash of the verifier that comes with the code (RFC 7636 §4.2); state and nonce are new."""
    sign_in = sign_in_at(issuer)
    first = await query_of(sign_in, issuer)
    challenge, nonce = issuer.asked["code_challenge"], issuer.asked["nonce"]
    visitor, path = await sign_in.end("c", first)
    assert (visitor.name, visitor.roles, path) == ("lisa", frozenset({Need.LISTENER}), "/")
    digest = hashlib.sha256(issuer.form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge
    assert issuer.asked["code_challenge_method"] == "S256"
    second = await query_of(sign_in, issuer)
    assert second["state"] != first["state"]
    assert issuer.asked["nonce"] != nonce


SHARED = OctKey.import_key("a secret that both sides know, of some length")
NONE = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "a"})
BAD: dict[str, Callable[[Issuer, Claims], str]] = {
    "another audience": lambda issuer, claims: issuer.signed(claims | {"aud": "another"}),
    "another audience with our party": lambda issuer, claims: issuer.signed(
        claims | {"aud": "another", "azp": "console"}
    ),
    "several audiences without a party": lambda issuer, claims: issuer.signed(claims | {"aud": ["console", "b"]}),
    "another party": lambda issuer, claims: issuer.signed(claims | {"azp": "another"}),
    "another issuer": lambda issuer, claims: issuer.signed(claims | {"iss": "https://evil.example"}),
    "expired": lambda issuer, claims: issuer.signed(claims | {"exp": claims["iat"] - 120}),
    "no expiry": lambda issuer, claims: issuer.signed({name: claims[name] for name in claims if name != "exp"}),
    "another nonce": lambda issuer, claims: issuer.signed(claims | {"nonce": "another"}),
    "no nonce": lambda issuer, claims: issuer.signed({name: claims[name] for name in claims if name != "nonce"}),
    "another key": lambda issuer, claims: issuer.signed(claims, key=OTHER_KEY),
    "another access token": lambda issuer, claims: issuer.signed(claims | {"at_hash": "AAAA"}),
    "a shared secret": lambda issuer, claims: issuer.signed(claims, key=SHARED, alg="HS256"),
    "the algorithm none": lambda issuer, claims: NONE + "." + issuer.signed(claims).split(".")[1] + ".",
    "no signature": lambda issuer, claims: f"{issuer.signed(claims).rpartition('.')[0]}.",
    "no token": lambda issuer, claims: "rubbish",
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_token_that_proves_nothing_lets_nobody_in(issuer: Issuer, kind: str) -> None:
    """Whatever is wrong with it."""
    issuer.make = lambda claims: BAD[kind](issuer, claims)
    sign_in = sign_in_at(issuer)
    with pytest.raises(RefusedSignInError, match="ID token"):
        await sign_in.end("c", await query_of(sign_in, issuer))


async def test_a_state_is_used_once_in_time_and_by_its_browser(issuer: Issuer) -> None:
    """Another browser cannot sign somebody in as somebody else."""
    now = 0.0
    sign_in = sign_in_at(issuer, lambda: now)
    for state, cookie, waits in (("made up", "c", 0.0), ("", "d", 0.0), ("", "c", BEGUN_S + 1)):
        asked = {"state": state, "code": "abc"} if state else await query_of(sign_in, issuer)
        now += waits
        with pytest.raises(RefusedSignInError, match="state"):
            await sign_in.end(cookie, asked)
    query = await query_of(sign_in, issuer)
    with pytest.raises(RefusedSignInError, match="access_denied"):
        await sign_in.end("c", {"state": query["state"], "error": "access_denied"})


async def test_sign_ins_that_were_begun_are_bounded(issuer: Issuer) -> None:
    """Many begun sign-ins take no memory: the oldest is forgotten."""
    sign_in = sign_in_at(issuer)
    first = await query_of(sign_in, issuer)
    for _ in range(MOST_BEGUN - 1):
        await sign_in.begin("another", "/")
    second = await query_of(sign_in, issuer)
    assert len(sign_in._begun) == MOST_BEGUN
    with pytest.raises(RefusedSignInError, match="state"):
        await sign_in.end("c", first)
    assert (await sign_in.end("c", second))[0].name == "lisa"


async def test_keys_that_the_issuer_has_changed_are_fetched_anew(issuer: Issuer) -> None:
    """Once, when a token names one that is not known."""
    sign_in = sign_in_at(issuer)
    await sign_in.end("c", await query_of(sign_in, issuer))
    issuer.key = RSAKey.generate_key(2048, {"kid": "b"})
    issuer.make = lambda claims: jwt.encode({"alg": "RS256", "kid": "b"}, claims, issuer.key)
    visitor, _ = await sign_in.end("c", await query_of(sign_in, issuer))
    assert visitor.name == "lisa"


@pytest.mark.parametrize(
    ("told", "lacks"),
    [
        ({"issuer": "https://evil.example"}, "its own address"),
        ({"jwks_uri": ""}, "jwks_uri"),
        ({"token_endpoint": "", "authorization_endpoint": 1}, "authorization_endpoint, token_endpoint"),
    ],
)
async def test_metadata_that_are_another_s_or_lack_something_are_not_used(
    issuer: Issuer, told: Claims, lacks: str
) -> None:
    """Nobody is sent to where they say (OpenID Connect Discovery 1.0, section 4.3)."""
    issuer.told = told
    with pytest.raises(RefusedSignInError, match=f"lack {lacks}$"):
        await sign_in_at(issuer).begin("c", "/")
    issuer.told = {}
    assert await query_of(sign_in_at(issuer), issuer)


async def test_an_issuer_that_is_away_is_no_way_in(unused_tcp_port: int) -> None:
    """The page says that it did not succeed, the log why."""
    settings = OpenId.model_validate({"issuer": f"http://127.0.0.1:{unused_tcp_port}", "client_id": "console"})
    with capture_logs() as logs, pytest.raises(RefusedSignInError, match="does not answer"):
        await OpenIdSignIn(settings, CONSOLE).begin("c", "/")
    assert [entry["event"] for entry in logs] == ["openid_failed"]
