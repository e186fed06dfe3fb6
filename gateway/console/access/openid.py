"""The sign-in by OpenID Connect (Core 1.0, section 3.1): authorization code, PKCE (RFC 7636), state and nonce.

The issuer is asked over HTTP; authlib checks the claims of the ID token, joserfc its signature.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import structlog
from msgspec import Struct

from gateway.config.console.users import OpenId
from gateway.config.secrets import value_of
from gateway.console.visitors import ROLES, Need, Visitor
from gateway.errors import InputError

log = structlog.get_logger()

DONE = "/sign-in/openid/done"
BEGUN_S = 600.0
"""Seconds for which somebody may stay at the issuer."""
MOST_BEGUN = 1000
ANSWER_S = 10.0
LEEWAY_S = 60
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key that the issuer publishes; one with our own secret, or none, proves nothing."""
FAILED = "The sign-in did not succeed. Try again."
NOBODYS = "You are known, and have no role here. Ask who runs this console."


class RefusedSignInError(Exception):
    """Somebody is not let in: the message is for the audit, ``shown`` for the page."""

    def __init__(self, message: str, shown: str = FAILED, who: str = "") -> None:
        super().__init__(message)
        self.shown = shown
        self.who = who


class _Begun(Struct, frozen=True):
    cookie: bytes
    nonce: str
    verifier: str
    next_path: str
    at: float


class OpenIdSignIn:
    """Signs people in at one issuer. ``url`` is the address of the console; ``clock`` does not go back.

    Raises ``InputError`` where what it needs is not installed.
    """

    def __init__(self, settings: OpenId, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        _require_extra()
        self._settings = settings
        self._redirect = f"{url}{DONE}"
        self._clock = clock
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._metadata: Mapping[str, Any] = {}
        self._keys: Any = None

    async def begin(self, cookie: str, next_path: str) -> str:
        """Return the address at the issuer to which the visitor with this cookie goes. Raises RefusedSignInError."""
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: PLC0415 -- an extra

        metadata = await self._known()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        self._begun[state] = _Begun(_hash(cookie), nonce, verifier, next_path, self._clock())
        while len(self._begun) > MOST_BEGUN:
            self._begun.popitem(last=False)
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._redirect,
            "scope": self._settings.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        address = str(metadata["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    async def end(self, cookie: str, query: Mapping[str, str]) -> tuple[Visitor, str]:
        """Return who has come back, and the path to go on to. Raises RefusedSignInError."""
        begun = self._begun.pop(query.get("state", ""), None)
        if begun is None or self._clock() - begun.at > BEGUN_S:
            raise RefusedSignInError("state is not known, or too old")
        if begun.cookie != _hash(cookie):
            raise RefusedSignInError("state belongs to another browser")
        if "code" not in query:
            raise RefusedSignInError(f"the issuer refuses: {query.get('error', 'no code')[:100]}")
        token = await self._token(query["code"], begun.verifier)
        claims = await self._claims(token, begun.nonce)
        visitor = self._visitor(claims)
        return visitor, begun.next_path

    async def _token(self, code: str, verifier: str) -> Mapping[str, Any]:
        settings, metadata = self._settings, await self._known()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "client_id": settings.client_id,
            "code_verifier": verifier,
        }
        secret = value_of(settings.client_secret)
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        headers = {}
        if secret and "client_secret_basic" in methods:
            headers["Authorization"] = aiohttp.encode_basic_auth(settings.client_id, secret)
        elif secret:
            form["client_secret"] = secret
        return await self._asked("POST", str(metadata["token_endpoint"]), data=form, headers=headers)

    async def _claims(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """Return the claims of the ID token. Raises RefusedSignInError unless it is the issuer's, for us, and fresh."""
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 -- an extra
        from joserfc import jwt  # noqa: PLC0415 -- the same
        from joserfc.errors import InvalidKeyIdError, JoseError  # noqa: PLC0415 -- the same

        text, metadata = token.get("id_token"), await self._known()
        if not isinstance(text, str):
            raise RefusedSignInError("the issuer sends no ID token")
        try:
            try:
                decoded = jwt.decode(text, await self._key_set(), algorithms=list(ALGORITHMS))
            except InvalidKeyIdError:  # the issuer has changed its keys
                decoded = jwt.decode(text, await self._key_set(anew=True), algorithms=list(ALGORITHMS))
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": metadata["issuer"]},
                    "aud": {"essential": True, "value": self._settings.client_id},
                },
                {"nonce": nonce, "client_id": self._settings.client_id, "access_token": token.get("access_token")},
            )
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError) as error:
            raise RefusedSignInError(f"the ID token is refused: {error}"[:200]) from None
        return dict(claims)

    def _visitor(self, claims: Mapping[str, Any]) -> Visitor:
        settings = self._settings
        name = claims.get(settings.name) or claims["sub"]
        held = claims.get(settings.claim)
        several = held if isinstance(held, list) else [held]
        values = {one for one in several if isinstance(one, str)}
        roles = frozenset(Need(role) for role, wanted in settings.roles.items() if values.intersection(wanted)) & ROLES
        if not roles:
            raise RefusedSignInError("no role", NOBODYS, who=str(name))
        return Visitor(str(name), roles)

    async def _key_set(self, *, anew: bool = False) -> Any:
        from joserfc.jwk import KeySet  # noqa: PLC0415 -- an extra

        if self._keys is None or anew:
            metadata = await self._known()
            self._keys = KeySet.import_key_set(await self._asked("GET", str(metadata["jwks_uri"])))  # type: ignore[arg-type]  # what is no set of keys raises
        return self._keys

    async def _known(self) -> Mapping[str, Any]:
        """Return the issuer's metadata (OpenID Connect Discovery 1.0, section 4)."""
        if not self._metadata:
            found = await self._asked("GET", f"{self._settings.issuer}/.well-known/openid-configuration")
            needed = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
            missing = [name for name in needed if not isinstance(found.get(name), str)]
            if missing or str(found["issuer"]).rstrip("/") != self._settings.issuer:
                raise RefusedSignInError(f"the issuer's metadata lack {', '.join(missing) or 'its own address'}")
            self._metadata = found
        return self._metadata

    @staticmethod
    async def _asked(method: str, url: str, **request: Any) -> Mapping[str, Any]:
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as http,
                http.request(method, url, allow_redirects=False, **request) as answer,
            ):
                body = await answer.json(content_type=None) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.error("openid_failed", url=url, detail=type(error).__name__)
            raise RefusedSignInError(f"the issuer does not answer: {type(error).__name__}") from None
        if not isinstance(body, dict):
            log.error("openid_failed", url=url, detail=f"status {answer.status}")
            raise RefusedSignInError(f"the issuer answers with {answer.status}")
        return body


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


def _require_extra() -> None:
    try:
        import authlib  # noqa: F401, PLC0415 -- an extra
        import joserfc  # noqa: F401, PLC0415 -- an extra
    except ImportError:
        raise InputError('console.openid needs the extra "openid": pip install "voice-line-gateway[openid]"') from None
