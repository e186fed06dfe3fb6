"""Bandwidth's end of a call: its stream as text, its webhooks with Basic credentials, BXML, the Calls API.

Source: dev.bandwidth.com, "Start Stream" (execution behaviour, bidirectional streams), "Stop Stream", "Webhooks",
"Calls API"; the messages from package pipecat-bandwidth, which Bandwidth maintains.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from urllib.parse import urljoin
from uuid import uuid4
from xml.etree import ElementTree as Xml

import msgspec

from gateway.audio.formats import PCMU
from gateway.errors import GatewayError, WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.continuation import Verb, behind_stream, verbs_of
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse
from gateway.sim.phone.turned_away import connected, verbs_of_an_end
from gateway.sim.phone.webhook import Reply, SimProvider, Webhook
from gateway.sim.phone.wire import (
    Clear,
    HangUp,
    Media,
    Message,
    Order,
    SimCall,
    StreamOpening,
    Transfer,
    Violated,
    Wire,
)

ACCOUNT_ID = "5555555"
APPLICATION_ID = "04e88489-df02-4e34-a0ee-27a91849555f"
KEEPING_VERBS = frozenset({"Pause", "Gather", "Redirect", "Bridge", "Conference"})
"""Verbs that keep a call while a stream runs, besides ``<StopStream wait="true">``, which ends with it."""
TOKEN = "simulated-token"  # noqa: S105 -- that of a simulated API


class _Strict(msgspec.Struct, tag_field="eventType", forbid_unknown_fields=True):
    pass


class _Audio(msgspec.Struct, forbid_unknown_fields=True):
    content_type: str = msgspec.field(name="contentType")
    payload: bytes


class _PlayAudio(_Strict, tag="playAudio"):
    media: _Audio


class _Clear(_Strict, tag="clear"):
    pass


_MESSAGES = msgspec.json.Decoder(_PlayAudio | _Clear)


class BandwidthWire(Wire):
    """The messages of one stream. Nothing is confirmed, and keys are not sent. Quirk ``mime``: ``audio/PCMU``."""

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._sequence = 0
        encoding = "audio/PCMU" if "mime" in call.quirks else "PCMU"
        self._metadata = {
            "accountId": ACCOUNT_ID,
            "callId": call.call_id,
            "streamId": call.stream_id,
            "streamName": "stream",
            "tracks": [{"name": "inbound", "mediaFormat": {"encoding": encoding, "sampleRate": 8000}}],
        }

    def opening(self) -> Sequence[str]:
        """Return start, with the document's parameters where it has any."""
        parameters = {"streamParams": dict(self.stream.parameters)} if self.stream.parameters else {}
        return (_written({"eventType": "start", "metadata": self._metadata, **parameters}),)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[str]:
        """Return a frame of the caller's audio."""
        self._sequence += 1
        payload = base64.b64encode(audio).decode()
        return (f'{{"eventType":"media","track":"inbound","payload":"{payload}","sequenceNumber":"{self._sequence}"}}',)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse playAudio and clear."""
        if isinstance(message, bytes):
            raise WireError(f"a binary message of {len(message)} bytes; expected text")
        try:
            read: _PlayAudio | _Clear = _MESSAGES.decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {message[:120]!r}") from None
        if isinstance(read, _Clear):
            return (Clear(),)
        if read.media.content_type.lower() != "audio/pcmu":
            raise WireError(f"contentType {read.media.content_type!r}: this phone plays audio/pcmu alone")
        return (Media(read.media.payload),)

    def stop(self) -> Sequence[str]:
        """Return the last message."""
        return (_written({"eventType": "stop", "metadata": self._metadata}),)


class BandwidthWebhook(Webhook):
    """The webhook: asks for BXML with ``webhook_user`` and ``webhook_password``, obeys it; plays the Calls API.

    Where the API is played, ``api_url`` is its address, ``token_url`` ``/api/v1/oauth2/token`` there; the secrets
    ``client_id`` and ``client_secret`` are exchanged for the token.
    """

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade, with both numbers as parameters, as a document of the operator's may pass them."""
        numbers = {"from": self.call.from_, "to": self.call.to}
        return StreamOpening(url, parameters={name: number for name, number in numbers.items() if number})

    async def call_in(self) -> StreamOpening:
        """Post ``initiate``; the stream is the one of the answer's ``<StartStream>``."""
        if self.has_api:
            self.api.on("POST", "/api/v1/oauth2/token", self._token)
            self.api.on("POST", "/api/v2/accounts/{account}/calls/{call}", self._update)
        reply = await connected(
            self.call.answer_url,
            lambda url: self._post(url, "initiate" if url == self.call.answer_url else "redirect"),
            lambda reply, url: verbs_of_an_end(reply.text, url),
        )
        verbs = _verbs(reply.text, self.call.answer_url)
        opening, rest = _started(verbs, self.call.answer_url)
        self.next_verbs = tuple(behind_stream(rest, self.call.answer_url))
        return opening

    async def ended(self) -> None:
        """Carry out what follows the stream, and send the status callback, ``disconnect``."""
        await self.go_on(self.next_verbs, self._fetch)
        if self.call.status_url:
            await self.report(self._post(self.call.status_url, "disconnect", "the status callback", (200, 204)))

    async def _fetch(self, url: str, failed: str) -> Sequence[Verb]:
        return verbs_of((await self._post(url, "redirect", "what follows the stream")).text, url)

    async def _post(
        self, url: str, event: str, what: str = "the answer webhook", expected: Sequence[int] = (200,)
    ) -> Reply:
        body = {
            "eventType": event,
            "eventTime": "2026-01-01T00:00:00.000Z",
            "accountId": ACCOUNT_ID,
            "applicationId": APPLICATION_ID,
            "from": self.call.from_,
            "to": self.call.to,
            "direction": "inbound",
            "callId": self.call.call_id,
            "callUrl": f"https://voice.bandwidth.com/api/v2/accounts/{ACCOUNT_ID}/calls/{self.call.call_id}",
            "startTime": "2026-01-01T00:00:00.000Z",
        }
        if event == "disconnect":
            body["cause"] = "hangup"
        headers = {"Content-Type": "application/json; charset=utf-8"}
        user, password = self.call.secrets.get("webhook_user", ""), self.call.secrets.get("webhook_password", "")
        if user:
            headers["Authorization"] = _basic(user, password)
        return await self.ask(url, body=_written(body).encode(), headers=headers, what=what, expected=expected)

    def _token(self, request: ApiRequest) -> ApiResponse:
        secrets = self.call.secrets
        expected = _basic(secrets.get("client_id", ""), secrets.get("client_secret", ""))
        if request.headers.get("authorization") != expected:
            return ApiResponse(401, {"error": "invalid_client"})
        if request.data != {"grant_type": "client_credentials"}:
            return ApiResponse(400, {"error": "unsupported_grant_type"})
        return ApiResponse(200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})

    async def _update(self, request: ApiRequest) -> ApiResponse:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return ApiResponse(401)
        if request.match["call"] != self.call.call_id:
            return ApiResponse(404)
        match request.data:
            case {"state": "completed"}:
                return ApiResponse(200 if self.end(HangUp("by REST")) else 404)
            case {"state": "active", "redirectUrl": str() as url}:
                return await self._send_on(url)
            case _:
                return ApiResponse(400, {"type": "validation", "description": "expected state completed or active"})

    async def _send_on(self, url: str) -> ApiResponse:
        self.may_transfer()
        try:
            reply = await self._post(url, "redirect", "the redirect webhook")
            first, *more = _verbs(reply.text, url)
            if more:
                return ApiResponse(200 if self.redirect(behind_stream([first, *more], url)) else 404)
            target = first.find("./*")
        except GatewayError as error:
            if self.phone is not None:
                self.phone.warn(Violated(str(error)))
            return ApiResponse(200)
        to = (target.text or "") if target is not None else ""
        return ApiResponse(200 if self.end(Transfer(to) if to else HangUp("by BXML")) else 404)


def _verbs(document: str, url: str) -> Sequence[Xml.Element]:
    """Return the verbs of a BXML document that ``url`` gave; ``WireError`` where it has none."""
    try:
        response = Xml.fromstring(document)  # noqa: S314 -- the document of the gateway under test
    except Xml.ParseError as error:
        raise WireError(f"the answer of {url} is not XML ({error}): {document[:120]!r}") from None
    if response.tag != "Response" or not len(response):
        raise WireError(f"the answer of {url} has no verbs: {document[:120]!r}")
    return list(response)


def _started(verbs: Sequence[Xml.Element], url: str) -> tuple[StreamOpening, Sequence[Xml.Element]]:
    """Return how the stream is opened, and the verbs after the one that keeps the call meanwhile."""
    at = next((number for number, verb in enumerate(verbs) if verb.tag == "StartStream"), None)
    if [verb.tag for verb in verbs] == ["Hangup"]:
        raise BusyError(url)
    if at is None or not verbs[at].get("destination"):
        raise WireError(f"the answer of {url} starts no stream")
    start, behind = verbs[at], verbs[at + 1 :]
    if start.get("mode") != "bidirectional":
        raise WireError(f"the stream of {url} is one-way: expected mode bidirectional")
    if start.get("tracks", "inbound") != "inbound":
        raise WireError(f"the stream of {url} has tracks {start.get('tracks')!r}; expected inbound")
    if not behind or not _keeps(behind[0], start.get("name", "")):
        found = behind[0].tag if behind else "nothing"
        raise WireError(f"the call ends at once: behind <StartStream> of {url} is {found}, which does not keep it")
    parameters = {item.get("name", ""): item.get("value", "") for item in start.findall("StreamParam")}
    if len(parameters) > 12:
        raise WireError(f"{len(parameters)} <StreamParam>; expected 12 at most")
    user = start.get("destinationUsername", "")
    headers = {"Authorization": _basic(user, start.get("destinationPassword", ""))} if user else {}
    destination = urljoin(url, start.get("destination", ""))
    return StreamOpening(destination, headers, parameters=parameters), behind[1:]


def _keeps(verb: Xml.Element, stream_name: str) -> bool:
    if verb.tag == "StopStream":
        return verb.get("wait") == "true" and verb.get("name") == stream_name != ""
    return verb.tag in KEEPING_VERBS


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _written(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = keys.texts("account_id", "client_id", "webhook_user", "webhook_password")
    known["client_secret"] = keys.base64("client_secret")
    return Account({**known, "api_url": api_url, "token_url": f"{api_url}/api/v1/oauth2/token"}, known)


provider = SimProvider(
    name="bandwidth",
    title="Bandwidth",
    wire=BandwidthWire,
    webhook=BandwidthWebhook,
    account=open_account,
    audio_formats=(PCMU,),
    keys=False,
    new_call_id=lambda: f"c-{uuid4()}",
    new_stream_id=lambda: f"s-{uuid4()}",
)
