"""Cloudonix' end of a call: CXML, Twilio's media messages, its webhook's headers, its REST API by session.

Source: Cloudonix documentation, Voice Applications and REST API, sessions.
"""

import json
from collections.abc import Sequence
from uuid import uuid4

from gateway.audio.formats import PCMU
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.continuation import Redirect, Verb, redirected, verbs_of
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse, ApiRoute
from gateway.sim.phone.turned_away import connected, verbs_of_an_end
from gateway.sim.phone.webhook import Reply, SimProvider, Webhook
from gateway.sim.phone.wire import HangUp, SimCall, StreamOpening, Transfer
from gateway.sim.providers.twilio import TwilioWire, dialled, new_sid, parse_answer, without_query

DOMAIN = "example.cloudonix.net"


class CloudonixWire(TwilioWire):
    """Twilio's messages. The stream's ``callSid`` is not the session's token, which is the call's id elsewhere."""

    def opening(self) -> Sequence[str]:
        """Return connected and start, the latter with an id that the REST API does not know."""
        connected, start = super().opening()
        message = json.loads(start)
        message["start"] |= {"callSid": f"CA{self.call.call_id}", "accountSid": _domain(self.call)}
        return connected, json.dumps(message, separators=(",", ":"))


def _domain(call: SimCall) -> str:
    return call.secrets.get("domain", DOMAIN)


class CloudonixWebhook(Webhook):
    """The webhook: asks for CXML, opens its stream, obeys the session's REST API, reports the end.

    The secret ``api_key`` goes with every webhook, and is the API's bearer token.
    """

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade without headers of its own; the numbers as parameters."""
        numbers = {"from": self.call.from_, "to": self.call.to}
        return StreamOpening(without_query(url), parameters={name: value for name, value in numbers.items() if value})

    async def call_in(self) -> StreamOpening:
        """Post the incoming call as JSON; the stream is the one of the answer's ``<Connect>``."""
        if self.has_api:
            for method, path, route in self._routes:
                self.api.on(method, path, route)
        reply = await connected(
            self.call.answer_url,
            lambda url: self._post(url, "in-progress"),
            lambda reply, url: verbs_of_an_end(reply.text, url),
        )
        answer = parse_answer(reply.text, self.call.answer_url)
        self.next_verbs = answer.next_verbs
        return StreamOpening(answer.url, parameters=answer.parameters)

    async def ended(self) -> None:
        """Carry out what follows the stream, and send the status callback."""
        await self.go_on(self.next_verbs, self._fetch)
        if self.has_api:
            for method, path, _ in self._routes:
                self.api.off(method, path)
        if self.call.status_url:
            await self.report(self._post(self.call.status_url, "completed", "the status callback", (200, 204)))

    @property
    def _routes(self) -> tuple[tuple[str, str, ApiRoute], ...]:
        session = f"{_domain(self.call)}/sessions/{self.call.call_id}"
        return (
            ("DELETE", f"/customers/self/domains/{session}", self._delete),
            ("POST", f"/calls/{session}/application", self._replace),
        )

    def _delete(self, request: ApiRequest) -> ApiResponse:
        return self._obey(request, HangUp("REST"), 204)

    def _replace(self, request: ApiRequest) -> ApiResponse:
        document = str(request.data.get("cxml", ""))
        target = dialled(document)
        order = Transfer(target) if target else redirected(document)
        return self._obey(request, order, 202) if order else ApiResponse(400)

    def _obey(self, request: ApiRequest, order: HangUp | Transfer | Redirect, status: int) -> ApiResponse:
        if request.headers.get("authorization") != f"Bearer {self.call.secrets.get('api_key', '')}":
            return ApiResponse(401)
        done = self.redirect([order]) if isinstance(order, Redirect) else self.end(order)
        return ApiResponse(status if done else 404)

    async def _fetch(self, url: str, failed: str) -> Sequence[Verb]:
        return verbs_of((await self._post(url, "in-progress", "what follows the stream")).text, url)

    async def _post(
        self, url: str, status: str, what: str = "the answer webhook", expected: Sequence[int] = (200,)
    ) -> Reply:
        session, domain = self.call.call_id, _domain(self.call)
        body = {
            "ApiVersion": "1",
            "CallStatus": status,
            "From": self.call.from_,
            "CallSid": session,
            "To": self.call.to,
            "SessionData": {"token": session, "destination": self.call.to, "callerId": self.call.from_},
            "Domain": domain,
            "Direction": "inbound",
            "AccountSid": domain,
            "Session": session,
        }
        headers = {
            "Content-Type": "application/json",
            "x-cx-apikey": self.call.secrets.get("api_key", ""),
            "x-cx-domain": domain,
            "x-cx-session": session,
            "x-cx-source": "DNID",
        }
        return await self.ask(url, body=json.dumps(body).encode(), headers=headers, what=what, expected=expected)


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = keys.texts("domain", "api_key")
    return Account({**known, "api_url": api_url}, known)


provider = SimProvider(
    name="cloudonix",
    title="Cloudonix",
    wire=CloudonixWire,
    webhook=CloudonixWebhook,
    account=open_account,
    audio_formats=(PCMU,),
    new_call_id=lambda: uuid4().hex,
    new_stream_id=lambda: new_sid("MZ"),
)
