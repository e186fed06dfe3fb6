"""The HTTP of a call on the provider's side: ask the gateway for an answer, obey it, report the end."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aiohttp

from gateway.audio.formats import PCMU, AudioFormat
from gateway.errors import InputError
from gateway.sim.phone.accounts import Account, Keys, no_account
from gateway.sim.phone.connecting import RefusedError, UnreachableError, reaching, status_text
from gateway.sim.phone.continuation import Fetch, Step, Verb, followed
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.rest_api import ApiRefusal, SimulatedApi
from gateway.sim.phone.wire import HangUp, SimCall, StreamOpening, Transfer, Wire

T = TypeVar("T")


@dataclass(frozen=True)
class Reply:
    """The gateway's answer; ``content_type`` without parameters."""

    status: int
    content_type: str
    text: str


class Webhook(ABC):
    """The provider's HTTP of one call: both of the gateway's requests to it and of its own to the gateway.

    Routes of the provider's REST API are added to :attr:`api`, in :meth:`call_in` or :meth:`connected`, and obeyed on
    ``phone``, which is set once the stream is open.
    """

    next_verbs: tuple[Verb, ...] = ()
    """The verbs after the stream, once :meth:`call_in` knows."""

    def __init__(self, call: SimCall, http: aiohttp.ClientSession, api: SimulatedApi | None = None) -> None:
        self.call = call
        self.http = http
        self.has_api = api is not None
        self._api = api
        self.phone: SimulatedPhone | None = None
        self._ordered = False

    @property
    def api(self) -> SimulatedApi:
        """The provider's REST API; ``InputError`` where it is not simulated."""
        if self._api is None:
            raise InputError("this provider's calls are commanded by REST: expected its API, as SimulatedApi plays it")
        return self._api

    @abstractmethod
    def stream(self, url: str) -> StreamOpening:
        """Return how the stream ``url`` is opened where the gateway was not asked: with the provider's upgrade."""

    @abstractmethod
    async def call_in(self) -> StreamOpening:
        """Ask the gateway at ``call.answer_url``, and obey until the stream is to be opened.

        Raises ``GatewayError`` where the gateway cannot be reached, refuses, or answers with no stream.
        """

    def connected(self, phone: SimulatedPhone) -> None:
        """Act on the opening of the stream."""
        self.phone = phone

    async def stream_failed(self) -> None:
        """Report, as far as the provider does, that the stream of an answered call could not be opened."""
        return

    async def ended(self) -> None:
        """Act on the end of an answered call's stream: go on with the answer's next verb, report it to the gateway.

        :meth:`report` sends that. ``phone.warn`` takes what the gateway should have done by now and has not.
        """
        return

    def redirect(self, verbs: Sequence[Verb]) -> bool:
        """Leave the stream for other verbs, as the gateway asked of the REST API; false where no call is left."""
        if self.phone is None or self.phone.closed.is_set():
            return False
        self.next_verbs = tuple(verbs)
        self.phone.end(HangUp("sent on to another document"))
        return True

    def may_transfer(self) -> None:
        """Raise ``ApiRefusal`` where the API is set to refuse transfers; before anything else is done for one."""
        if self._api is not None and self._api.transfer_refusal is not None:
            raise ApiRefusal(self._api.transfer_refusal)

    def end(self, order: HangUp | Transfer) -> bool:
        """End the stream as the gateway asked of the REST API; false where no call is left.

        Raises ``ApiRefusal`` as :meth:`may_transfer` does.
        """
        if isinstance(order, Transfer):
            self.may_transfer()
        if self.phone is None or self.phone.closed.is_set():
            return False
        self._ordered = True
        self.phone.end(order)
        return True

    async def go_on(self, verbs: Iterable[Verb], fetch: Fetch) -> None:
        """Carry out the verbs after the stream, unless the caller or the REST API has ended the call."""
        if self.phone is not None and self.phone.ended_by != "caller" and not self._ordered:
            self.phone.continuation = await followed(verbs, fetch, self.call.fallback_url)

    def met(self, step: Step) -> None:
        """Note a step of a call that outlives its stream, which the REST API commanded."""
        if self.phone is not None and self.phone.closed.is_set():
            self.phone.continuation += (step,)

    async def report(self, request: Awaitable[T]) -> T | None:
        """Send a request that tells the gateway what has happened; ``None`` where the gateway is gone.

        That is no fault: a provider goes on without an answer. A gateway that refuses, or does not answer, is one.
        """
        try:
            return await request
        except UnreachableError:
            return None

    async def ask(
        self,
        url: str,
        *,
        method: str = "POST",
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        what: str = "the answer webhook",
        expected: Sequence[int] = (200,),
        timeout_s: float = 10.0,
    ) -> Reply:
        """Send a request to the gateway and return its answer; a signature and a content type belong into ``headers``.

        Raises ``GatewayError`` where the gateway cannot be reached or answers with another status.
        """
        limit = aiohttp.ClientTimeout(total=timeout_s)
        with reaching(url, what, timeout_s):
            async with self.http.request(
                method, url, data=body if form is None else form, headers=headers, timeout=limit
            ) as response:
                reply = Reply(response.status, response.content_type, await response.text())
        if response.status not in expected:
            wanted = " or ".join(map(str, expected))
            message = f"{what} {url} refused the call: {status_text(response.status)}; expected {wanted}"
            raise RefusedError(message, response.status, said=reply.text.strip())
        return reply


def stream_beside(answer_url: str) -> str:
    """Return the stream's address next to that of the answer webhook, as providers without a webhook are set to it."""
    parts = urlsplit(answer_url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path.replace("/answer/", "/stream/", 1), parts.query, ""))


def _uuid() -> str:
    return str(uuid4())


@dataclass(frozen=True)
class SimProvider:
    """A simulated provider: its wire and its webhook for one call, and the form of its ids.

    ``account`` opens an account there, whose REST API is played at the address that it is given. ``audio_formats`` are
    those that a phone of this provider may speak, the usual one first; ``keys`` is false where its streams carry no
    keys. ``commanded`` is true where calls are answered by the REST API, which gateway and caller must then both
    reach. ``serve`` adds to the API what is there before any call, such as published keys.
    """

    name: str
    title: str
    wire: Callable[[SimCall, StreamOpening], Wire]
    webhook: Callable[[SimCall, aiohttp.ClientSession, SimulatedApi | None], Webhook]
    audio_formats: tuple[AudioFormat, ...] = (PCMU,)
    keys: bool = True
    new_call_id: Callable[[], str] = _uuid
    new_stream_id: Callable[[], str] = _uuid
    account: Callable[[Keys, str], Account] = no_account
    commanded: bool = False
    serve: Callable[[SimulatedApi], None] | None = None
