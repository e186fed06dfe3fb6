"""Gives a repeated webhook the answer that it got before, and refuses one that is replayed later."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog
from msgspec import Struct

from gateway.call.refusal import Refusal
from gateway.fleet.used import SharedUsedKeys
from gateway.phone.webhook import Answer, WebhookRequest
from gateway.routes.refusing.refusals import Refused

log = structlog.get_logger()

SAME_ANSWER_S = 60.0
"""Seconds for which a repeated request gets the same answer; a provider without an answer asks again within seconds."""
REPLAY_WINDOW_S = 24 * 3600.0
"""Seconds for which the key of a request is remembered; without a signed time, signatures never expire."""
ANSWERS_LIMIT = 10_000
RETRY_HEADER = "i-twilio-idempotency-token"
"""Twilio's header: the same in each retry of one webhook, different when a flow sends the same request anew."""

Outcome = Answer | Refused


class _Given(Struct, eq=False):
    """The answer to a request, or the wait for it; ``None`` if there was no answer."""

    since_s: float
    outcome: asyncio.Future[Outcome | None]


class Repeats:
    """Remembers verified webhooks and their answers. Times are Unix time in seconds.

    An answer is kept for ``token_ttl_s`` at most, because the token in it expires then. Any other outcome is forgotten
    at once, so that the provider may ask again.

    The answers are known to this worker alone; ``used`` is shared by all. A request that one worker has answered is
    refused by another as a replay. Within the time in which it would get the same answer, the other answers it anew.
    """

    def __init__(self, token_ttl_s: float, used: SharedUsedKeys) -> None:
        self._same_answer_s = min(SAME_ANSWER_S, token_ttl_s)
        self._given: OrderedDict[bytes, _Given] = OrderedDict()
        self._used = used

    async def once(
        self, provider: str, webhook: WebhookRequest, key: str, now_s: float, act: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        """Return the result of ``act``; a repeated request gets the first one's result without calling ``act``.

        ``key`` is the result of the provider's ``verify``.
        """
        self._forget(now_s)
        request = _digest(provider, webhook, key)
        while (given := self._given.get(request)) is not None:
            outcome = await asyncio.shield(given.outcome)
            if outcome is not None:
                log.info("webhook_repeated", provider=provider)
                return outcome
        if not key:
            return await self._act(request, now_s, act)
        used = f"key {provider} {key}"
        if not self._used.use_for(used, f"request {request.hex()}", self._same_answer_s):
            return Refused(Refusal.REPLAYED, f"it came before{self._since(used)}")
        outcome = await self._act(request, now_s, act)
        if isinstance(outcome, Answer):  # otherwise it may come again, unless another worker answered it
            self._used.remember(used, REPLAY_WINDOW_S)
        return outcome

    def _since(self, used: str) -> str:
        left_s = self._used.left_s(used)
        return f", {REPLAY_WINDOW_S - left_s:.0f} s ago" if left_s > self._same_answer_s else ""

    async def _act(self, request: bytes, now_s: float, act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        given = self._given[request] = _Given(now_s, asyncio.get_running_loop().create_future())
        outcome: Outcome | None = None
        try:
            outcome = await act()
        finally:
            if not isinstance(outcome, Answer) and self._given.get(request) is given:
                del self._given[request]
            given.outcome.set_result(outcome)
        return outcome

    def _forget(self, now_s: float) -> None:
        while self._given and (
            next(iter(self._given.values())).since_s + self._same_answer_s <= now_s or len(self._given) >= ANSWERS_LIMIT
        ):
            self._given.popitem(last=False)


def _digest(provider: str, webhook: WebhookRequest, key: str) -> bytes:
    """Return a digest that identifies a request.

    With a key, it covers the key and what some provider's signature does not cover: method, address and form. It does
    not cover a JSON body, which may number the retries. Without a key, it covers the whole request.
    """
    parts = [provider, webhook.method, webhook.url, key, *(text for field in webhook.form for text in field)]
    if not key:
        parts.append(webhook.headers.get(RETRY_HEADER, ""))
    digest = hashlib.sha256(b"" if key else webhook.body)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.digest()
