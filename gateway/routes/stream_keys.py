"""Decides who may open a media stream: a token of ours, the provider's secret or its signature proves it."""

import math
import time
from collections.abc import Collection, Mapping

import msgspec
import structlog
from msgspec import Struct

from gateway.call.metrics import Metrics
from gateway.errors import WireError
from gateway.fleet.used import UsedKeys
from gateway.phone.events import CallStarted
from gateway.phone.provider import Grant, Proof, Provider, SignatureError, StartProof, UnsignedError, Upgrade
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.http_request import is_one_of
from gateway.phone.token import Claims, StreamTokens
from gateway.routes.published_keys import PublishedKeys

log = structlog.get_logger()

ANY_LINE = "-"
"""Means "the line of the called number" in a stream's path in which a secret follows."""
CALL_KEPT_S = 24 * 3600.0
"""Seconds for which a call is remembered that had its stream or is over; no provider lets a call last longer."""


RECONNECT_S = 60.0
"""Seconds after the loss of a stream in which its provider may open it again, where the provider does so."""


class Unproven(Struct, frozen=True):
    """A stream that its start message must prove; ``line`` is that of its address, if it names one."""

    line: str


class StreamKeys:
    """Decides before the upgrade is answered, so that a peer without a key gets neither a socket nor a session.

    Where a provider proves its streams by their start message, a peer without a key gets a socket until that has come.

    Streams of the accounts ``always`` need a proof even where none is ``required``.

    ``secrets`` are the ``stream_secret`` of each account, for streams that a static document or a dialplan opens. If a
    provider signs each upgrade, a token is valid only with the signature, because proxies log the token.
    """

    def __init__(
        self,
        tokens: StreamTokens,
        secrets: Mapping[str, tuple[str, ...]],
        published_keys: PublishedKeys,
        used: UsedKeys,
        metrics: Metrics,
        *,
        required: bool,
        always: Collection[str] = (),
    ) -> None:
        self._tokens = tokens
        self._secrets = secrets
        self._published_keys = published_keys
        self._used = used
        self._metrics = metrics
        self._required = required
        self._always = always
        self._settled: set[str] = set()
        """Providers whose guessed form of signature has been right in this worker; the other workers know it too."""
        self._warned: set[str] = set()

    async def authorize(self, provider: Provider, upgrade: Upgrade, line: str, token: str) -> Grant | Unproven:
        """Return whose stream it is, or that its start message must prove it; then ``authorize_start`` is to be called.

        Raises ``SignatureError`` if nothing proves that it may be opened.

        The token is read first, which is cheap, and marked as used last.
        """
        now_s = time.time()
        by_secret = bool(token) and is_one_of(token, self._secrets.get(provider.name, ()))
        claims = self._read(provider, token, now_s) if token and not by_secret else None
        if claims is not None and claims.grant.line != line:
            raise SignatureError(f"the stream's token is for line {claims.grant.line}")
        proof = await self._published_keys.checked(
            provider, upgrade.headers, lambda: self._proof(provider, upgrade, now_s, by_secret, claims)
        )
        if claims is not None:
            return self._use(provider, claims)
        line = "" if line == ANY_LINE else line
        if by_secret or proof is Proof.STREAM:
            return Grant(line=line)
        if provider.verify_start is not None:
            return Unproven(line)
        if not self._required and provider.name not in self._always:
            return Grant(line=line)
        raise SignatureError("the stream has no token")

    def authorize_start(self, provider: Provider, started: CallStarted, line: str) -> Grant:
        """Return whose stream it is that is proven by its start message; ``line`` is that of the stream's address.

        Raises ``SignatureError`` where the message proves nothing, or another call than it names.
        """
        now_s = time.time()
        said = StartProof() if provider.verify_start is None else provider.verify_start(started, now_s)
        if said.token:
            claims = self._tokens.read(provider.name, said.token, now_s)
            if line and claims.grant.line != line:
                raise SignatureError(f"the token of the stream's start is for line {claims.grant.line}")
            try:
                call_of(claims.grant.call_id, started.call_id)
            except WireError as error:
                raise SignatureError(str(error)) from None
            return self._use(provider, claims)
        if said.proof is Proof.STREAM or not self._required:
            return Grant(line=line)
        raise SignatureError("the stream's start has no token")

    def _read(self, provider: Provider, token: str, now_s: float) -> Claims:
        """Read a token; one that is too old only where the call's lost stream may be opened again."""
        try:
            return self._tokens.read(provider.name, token, now_s)
        except SignatureError:
            if not provider.traits.reconnects:
                raise
            claims = self._tokens.read(provider.name, token, now_s, CALL_KEPT_S)
            if not may_reconnect(self._used, provider, claims.grant.call_id):
                raise
            return claims

    def _proof(
        self, provider: Provider, upgrade: Upgrade, now_s: float, by_secret: bool, claims: Claims | None
    ) -> Proof:
        if provider.verify_upgrade is None:
            return Proof.NONE
        try:
            proof = provider.verify_upgrade(upgrade, now_s)
        except SignatureError as error:
            if isinstance(error, UnsignedError) and claims is None and not (by_secret and provider.traits.signs_all):
                return Proof.NONE  # the operator's own document need not ask for a signature
            is_guess = provider.traits.guesses_upgrade and not self._is_settled(provider)
            if is_guess and (by_secret or claims is not None):
                self._note_unproven(provider, str(error))
                return Proof.NONE
            raise
        if proof is not Proof.NONE:
            self._settle(provider)
            if provider.upgrade_key is not None:
                nonce, life_s = provider.upgrade_key(upgrade)
                if not self._used.use(f"nonce {provider.name} {nonce}", life_s):
                    raise SignatureError("the signature was used before")
        return proof

    def _settle(self, provider: Provider) -> None:
        if provider.traits.guesses_upgrade and provider.name not in self._settled:
            self._settled.add(provider.name)
            self._used.use(f"settled {provider.name}", math.inf)

    def _is_settled(self, provider: Provider) -> bool:
        return provider.name in self._settled or self._used.is_used(f"settled {provider.name}")

    def _note_unproven(self, provider: Provider, detail: str) -> None:
        self._metrics.upgrades_unproven.labels(provider.name).inc()
        if provider.name not in self._warned:
            self._warned.add(provider.name)
            hint = "the stream's token was right; from the first right signature on it is demanded"
            log.warning("upgrade_unproven", provider=provider.name, detail=detail, hint=hint)

    def _use(self, provider: Provider, claims: Claims) -> Grant:
        """Mark a token as used: it is valid once, and its call gets one stream, or another where that was lost."""
        grant = claims.grant
        is_gone = bool(grant.call_id) and is_over(self._used, provider.name, grant.call_id)
        if not is_gone and use_reconnect(self._used, provider, grant.call_id):
            log.info("stream_reconnected", provider=provider.name, call=grant.call_id)
            return grant
        if not self._used.use(f"token {claims.nonce}", self._tokens.ttl_s + 60):
            raise SignatureError("the stream's token was used before")
        if not grant.call_id:
            return grant
        if is_gone:
            raise SignatureError("the call is over: its provider has reported its end")
        if not note_stream(self._used, provider.name, grant.call_id):
            raise SignatureError("the call had its stream before")
        return grant


def granted(started: CallStarted, grant: Grant) -> CallStarted:
    """Return the start of a stream with what our answer granted, which counts more than what the message says."""
    return msgspec.structs.replace(
        started,
        call_id=grant.call_id or started.call_id,
        caller=grant.caller or started.caller,
        called=grant.called or started.called,
    )


def note_stream(used: UsedKeys, provider: str, call_id: str) -> bool:
    """Remember that a call had its stream, or gets none any more; return ``False`` if that was known."""
    return used.use(f"stream {provider} {call_id}", CALL_KEPT_S)


def note_lost(used: UsedKeys, provider: Provider, call_id: str) -> None:
    """Remember that a call's stream was lost, so that its provider may open it again, as often as its traits say."""
    for number in range(provider.traits.reconnects if call_id else 0):
        if not used.is_used(_reconnect(provider, call_id, number)):
            used.use(_lost(provider, call_id, number), RECONNECT_S)
            return


def may_reconnect(used: UsedKeys, provider: Provider, call_id: str) -> bool:
    """Return ``True`` if a call's stream was lost and has not been opened again."""
    return _to_reconnect(used, provider, call_id) is not None


def use_reconnect(used: UsedKeys, provider: Provider, call_id: str) -> bool:
    """Let a call's lost stream be opened again, once for each loss; ``False`` where none was lost."""
    number = _to_reconnect(used, provider, call_id)
    return number is not None and used.use(_reconnect(provider, call_id, number), CALL_KEPT_S)


def _to_reconnect(used: UsedKeys, provider: Provider, call_id: str) -> int | None:
    for number in range(provider.traits.reconnects):
        if not used.is_used(_reconnect(provider, call_id, number)):
            return number if used.is_used(_lost(provider, call_id, number)) else None
    return None


def _lost(provider: Provider, call_id: str, number: int) -> str:
    return f"lost {provider.name} {call_id} {number}"


def _reconnect(provider: Provider, call_id: str, number: int) -> str:
    return f"reconnect {provider.name} {call_id} {number}"


def note_over(used: UsedKeys, provider: str, call_id: str) -> None:
    """Remember that a call is over, so that it opens no further stream."""
    used.use(f"over {provider} {call_id}", CALL_KEPT_S)


def is_over(used: UsedKeys, provider: str, call_id: str) -> bool:
    """Return ``True`` if a call was reported as over."""
    return used.is_used(f"over {provider} {call_id}")
