"""Azure Communication Services' end of a call: media streaming, Event Grid, callbacks, the Call Automation REST API.

Source: Microsoft Learn, "Audio streaming", "Incoming call concepts", "Secure webhook endpoint", "Sign an HTTP request
with HMAC"; Azure/azure-rest-api-specs, CallAutomation.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import aiohttp
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from gateway.audio.formats import L16_16K, L16_24K, AudioFormat
from gateway.errors import GatewayError, WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.continuation import Step
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse, SimulatedApi
from gateway.sim.phone.turned_away import TurnedAwayError
from gateway.sim.phone.webhook import SimProvider, Webhook
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

ISSUER = "https://acscallautomation.communication.azure.com"
KEYS_PATH = "/calling/keys"
KEY_ID = "simulated"
TOPIC = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Communication/CommunicationServices/simulated"
CONNECTIONS = "/calling/callConnections"
FORMATS: Mapping[str, AudioFormat] = {"pcm16KMono": L16_16K, "pcm24KMono": L16_24K}
TONE_NAMES = "zero one two three four five six seven eight nine a b c d pound asterisk"
TONES = dict(zip(TONE_NAMES.split(), "0123456789ABCD#*", strict=True))
"""A key for each of ACS's names of keys."""
DATE_SKEW_S, TIME = 300, "2026-01-01T00:00:00Z"
FAREWELL_S = 5.0
"""The time that the call waits for the gateway to end or transfer it, when the gateway has closed its stream."""


class _Audio(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    data: bytes


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _Message(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    kind: Literal["AudioData", "StopAudio"]
    audio_data: _Audio | None
    stop_audio: _Nothing | None


_decode = msgspec.json.Decoder(_Message).decode


@cache
def _private_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def published_keys() -> dict[str, Any]:
    """Return the JWKS document of the key that streams and callbacks are signed with."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_private_key().public_key()))
    return {"keys": [{**public, "kid": KEY_ID, "use": "sig"}]}


def publish_keys(api: SimulatedApi) -> None:
    """Serve that document where the gateway's ``keys_url`` may point: ``api.url`` and ``KEYS_PATH``."""
    api.on("GET", KEYS_PATH, lambda _: ApiResponse(200, published_keys()))


def token(resource_id: str, lifetime_s: int) -> str:
    """Sign the token that a stream's upgrade (24 hours) and a callback (5 minutes) carry in ``Authorization``."""
    now_s = int(time.time())
    claims = {"iss": ISSUER, "aud": resource_id, "nbf": now_s, "exp": now_s + lifetime_s, "jti": str(uuid4())}
    return "Bearer " + jwt.encode(claims, _private_key(), "RS256", headers={"kid": KEY_ID})


class AcsWire(Wire):
    """One stream's messages, as text; nothing is acknowledged, and the socket's close is its end."""

    def opening(self) -> Sequence[str]:
        """Return the format of what follows."""
        metadata = {
            "subscriptionId": self.call.stream_id,
            "encoding": "PCM",
            "sampleRate": self.audio_format.rate_hz,
            "channels": 1,
            "length": self.audio_format.bytes_for(self.frame_ms),
        }
        return (_compact({"kind": "AudioMetadata", "audioMetadata": metadata}),)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[str]:
        """Return 20 ms of the mixed call, which names no participant."""
        stamp = f"2026-01-01T{timestamp_ms // 3_600_000:02}:{timestamp_ms // 60_000 % 60:02}:"
        stamp += f"{timestamp_ms // 1000 % 60:02}.{timestamp_ms % 1000:03}Z"
        data = base64.b64encode(audio).decode()
        body = {"timestamp": stamp, "participantRawID": None, "data": data, "silent": not any(audio)}
        return (_compact({"kind": "AudioData", "audioData": body}),)

    def key(self, digit: str) -> Sequence[str]:
        """Return a key, where ``enableDtmfTones`` was asked for."""
        if not self.stream.keys:
            return ()
        return (_compact({"kind": "DtmfData", "dtmfData": {"data": digit}}),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse AudioData and StopAudio, spelled as in Microsoft's samples; ``WireError`` for anything else."""
        if isinstance(message, bytes):
            raise WireError(f"a binary message of {len(message)} bytes; expected text")
        try:
            read = _decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {message[:120]!r}") from None
        match read:
            case _Message(kind="StopAudio", audio_data=None, stop_audio=_Nothing()):
                return (Clear(),)
            case _Message(kind="AudioData", audio_data=_Audio(data=audio), stop_audio=None) if len(audio) % 2 == 0:
                return (Media(audio),)
            case _:
                raise WireError(f"neither StopAudio nor AudioData in whole samples: {message[:120]!r}")


def _compact(message: Mapping[str, object]) -> str:
    return json.dumps(message, separators=(",", ":"))


def refusal(request: ApiRequest, access_key: str, now_s: float) -> str:
    """Return why the REST API would not believe a request; nothing where it is signed as it should be."""
    date = request.headers.get("x-ms-date", "")
    content_hash = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    if request.headers.get("x-ms-content-sha256") != content_hash:
        return "x-ms-content-sha256 is not the body's"
    try:
        age_s = abs(now_s - parsedate_to_datetime(date).timestamp())
    except ValueError:
        return f"x-ms-date {date!r} is no date"
    if age_s > DATE_SKEW_S:
        return f"x-ms-date {date!r} is {age_s:.0f} s away"
    target = f"{request.path}?{urlencode(request.query)}"
    text = f"{request.method}\n{target}\n{date};{request.headers.get('host', '')};{content_hash}"
    proof = base64.b64encode(hmac.new(base64.b64decode(access_key), text.encode(), hashlib.sha256).digest()).decode()
    expected = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={proof}"
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
        return "the HMAC in Authorization is wrong"
    return "" if request.query.get("api-version") else "api-version is missing"


class AcsWebhook(Webhook):
    """The webhook: Event Grid's deliveries, callbacks, and the REST API that answers, ends and transfers the call.

    Secrets: ``stream_secret`` goes into the URL of the delivery, ``access_key`` is what requests must be signed with,
    ``resource_id`` is the audience of the tokens of stream and callbacks.
    """

    def __init__(self, call: SimCall, http: aiohttp.ClientSession, api: SimulatedApi | None = None) -> None:
        super().__init__(call, http, api)
        self.connection_id = call.call_id
        self.callback_url = call.status_url
        self.answered: Mapping[str, Any] | None = None
        """The request that answered the call."""
        self.digits: list[str] = []
        """Tones that the gateway sent, as ACS names them."""
        self._over = asyncio.Event()
        self._is_rejected = False
        self._redirected: tuple[Step, ...] = ()

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade, with the ids of the call and its token."""
        headers = {"x-ms-call-connection-id": self.connection_id, "x-ms-call-correlation-id": self.call.stream_id}
        return StreamOpening(url, headers={**headers, **self._authorization(86_400)})

    async def call_in(self) -> StreamOpening:
        """Validate the subscription, deliver the incoming call, and expect it answered meanwhile by the REST API."""
        await self._validate()
        self._serve(f"{CONNECTIONS}:answer", self._answer)
        self._serve(f"{CONNECTIONS}:reject", self._reject)
        self._serve(f"{CONNECTIONS}:redirect", self._redirect)
        await self.ask(self._delivery_url(), body=self._incoming(), headers=_event_grid("Notification"))
        if self._is_rejected:
            raise BusyError(self.call.answer_url)
        if self._redirected:
            raise TurnedAwayError(self.call.answer_url, self._redirected)
        if self.answered is None:
            raise GatewayError(f"{self.call.answer_url} took the incoming call and did not answer it by the REST API")
        options = self.answered["mediaStreamingOptions"]
        await self._call_back("CallConnected", "MediaStreamingStarted")
        opening = self.stream(str(options["transportUrl"]))
        audio_format = FORMATS[options["audioFormat"]]
        keys = options.get("enableDtmfTones") is True
        return StreamOpening(opening.url, headers=opening.headers, keys=keys, audio_format=audio_format)

    def connected(self, phone: SimulatedPhone) -> None:
        """Let the call be ended and transferred, and digits be sent, from now on."""
        super().connected(phone)
        if self.has_api:
            call = f"{CONNECTIONS}/{self.connection_id}"
            self._serve(f"{call}:terminate", self._terminate)
            self._serve(f"{call}:transferToParticipant", self._transfer)
            self._serve(f"{call}:sendDtmfTones", self._send_tones)

    async def stream_failed(self) -> None:
        """Send ``MediaStreamingFailed``: the call goes on."""
        await self._call_back("MediaStreamingFailed")

    async def ended(self) -> None:
        """Report the end. A call outlives its stream: if the gateway closed that, it has to end the call too."""
        if self.phone is not None and self.phone.ended_by != "caller":
            try:
                async with asyncio.timeout(FAREWELL_S):
                    await self._over.wait()
            except TimeoutError:
                self.phone.warn(Violated(f"the stream was closed, and the call left to itself for {FAREWELL_S:g} s"))
        await self.report(self._call_back("MediaStreamingStopped", "CallDisconnected"))

    async def _validate(self) -> None:
        code = str(uuid4())
        event = _event("Microsoft.EventGrid.SubscriptionValidationEvent", {"validationCode": code, "validationUrl": ""})
        headers = _event_grid("SubscriptionValidation")
        answer = await self.ask(self._delivery_url(), body=event, headers=headers, what="the subscription's validation")
        try:
            valid = json.loads(answer.text) == {"validationResponse": code}
        except ValueError:
            valid = False
        if not valid:
            raise GatewayError(f"{self.call.answer_url} did not return the validation code: {answer.text[:120]!r}")

    def _delivery_url(self) -> str:
        secret = self.call.secrets.get("stream_secret", "")
        url = self.call.answer_url
        if not secret or "secret" in parse_qs(urlsplit(url).query):
            return url
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode({'secret': secret})}"

    def _incoming(self) -> bytes:
        data = {
            "to": _identifier(self.call.to),
            "from": _identifier(self.call.from_),
            "serverCallId": str(uuid4()),
            "callerDisplayName": "",
            "incomingCallContext": self._context(),
            "correlationId": self.call.stream_id,
        }
        return _event("Microsoft.Communication.IncomingCall", data)

    def _context(self) -> str:
        return base64.b64encode(f"context of {self.call.call_id}".encode()).decode()

    def _reject(self, request: ApiRequest) -> ApiResponse:
        self._is_rejected = request.data == {"incomingCallContext": self._context(), "callRejectReason": "busy"}
        return ApiResponse(204 if self._is_rejected else 400)

    def _redirect(self, request: ApiRequest) -> ApiResponse:
        self._redirected = (Step("transfer", request.data["target"]["phoneNumber"]["value"]), Step("hang_up"))
        return ApiResponse(204)

    def _answer(self, request: ApiRequest) -> ApiResponse:
        if wrong := self._wrong(request.data):
            return ApiResponse(400, {"error": {"code": "BadRequest", "message": wrong}})
        self.answered = request.data
        self.callback_url = request.data["callbackUri"]
        return ApiResponse(200, {"callConnectionId": self.connection_id, "callConnectionState": "connecting"})

    def _wrong(self, body: Mapping[str, Any]) -> str:
        options = body.get("mediaStreamingOptions")
        if body.get("incomingCallContext") != self._context():
            return "incomingCallContext is not the call's"
        if not str(body.get("callbackUri", "")).startswith(("https://", "http://")):
            return "callbackUri is missing"
        if not isinstance(options, dict) or options.get("transportType") != "websocket":
            return "mediaStreamingOptions without transportType websocket"
        if not str(options.get("transportUrl", "")).startswith(("wss://", "ws://")):
            return "transportUrl is no address of a WebSocket"
        if options.get("audioFormat") not in FORMATS or options.get("audioChannelType") != "mixed":
            return f"audioFormat {options.get('audioFormat')!r}, audioChannelType {options.get('audioChannelType')!r}"
        if not options.get("startMediaStreaming") or not options.get("enableBidirectional"):
            return "the stream would not start, or not take audio"
        return ""

    def _terminate(self, request: ApiRequest) -> ApiResponse:
        return self._obey(HangUp("terminate"), ApiResponse(204))

    def _transfer(self, request: ApiRequest) -> ApiResponse:
        if number := request.data.get("targetParticipant", {}).get("phoneNumber", {}).get("value", ""):
            return self._obey(Transfer(number), ApiResponse(202, {"operationContext": ""}))
        return ApiResponse(400, {"error": {"code": "BadRequest", "message": "targetParticipant has no number"}})

    def _obey(self, order: HangUp | Transfer, response: ApiResponse) -> ApiResponse:
        if self._over.is_set():
            return ApiResponse(404, {"error": {"code": "CallNotFound", "message": "the call is over"}})
        if isinstance(order, Transfer):
            self.may_transfer()
        self._over.set()
        self.met(Step("transfer", order.to) if isinstance(order, Transfer) else Step("hang_up"))
        if self.phone is not None:
            self.phone.end(order)
        return response

    def _send_tones(self, request: ApiRequest) -> ApiResponse:
        tones = request.data.get("tones", [])
        if not tones or not set(tones) <= TONES.keys() or "targetParticipant" not in request.data:
            return ApiResponse(400, {"error": {"code": "BadRequest", "message": f"tones {tones}"}})
        self.digits += tones
        if self.phone is not None:
            self.phone.hear_digits("".join(TONES[tone] for tone in tones))
        return ApiResponse(202, {"operationContext": ""})

    def _serve(self, path: str, answer: Callable[[ApiRequest], ApiResponse]) -> None:
        self.api.on("POST", path, lambda request: self._denied(request) or answer(request))

    def _denied(self, request: ApiRequest) -> ApiResponse | None:
        reason = refusal(request, self.call.secrets.get("access_key", ""), time.time())
        return ApiResponse(401, {"error": {"code": "Denied", "message": reason}}) if reason else None

    async def _call_back(self, *kinds: str) -> None:
        if not self.callback_url:
            return
        events = [
            {
                "id": str(uuid4()),
                "source": f"calling/callConnections/{self.connection_id}",
                "type": f"Microsoft.Communication.{kind}",
                "data": {
                    "callConnectionId": self.connection_id,
                    "serverCallId": "",
                    "correlationId": self.call.stream_id,
                    "resultInformation": {"code": 200, "subCode": 0, "message": ""},
                },
                "time": TIME,
                "specversion": "1.0",
                "datacontenttype": "application/json",
                "subject": f"calling/callConnections/{self.connection_id}",
            }
            for kind in kinds
        ]
        headers = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8", **self._authorization(300)}
        body = json.dumps(events).encode()
        await self.ask(self.callback_url, body=body, headers=headers, what="the callback", expected=(200, 202, 204))

    def _authorization(self, lifetime_s: int) -> dict[str, str]:
        resource_id = self.call.secrets.get("resource_id", "")
        return {"Authorization": token(resource_id, lifetime_s)} if resource_id else {}


def _identifier(number: str) -> dict[str, Any]:
    return {"kind": "phoneNumber", "rawId": f"4:{number}", "phoneNumber": {"value": number}}


def _event(kind: str, data: Mapping[str, object]) -> bytes:
    event = {"id": str(uuid4()), "topic": TOPIC, "subject": "", "eventType": kind, "data": data, "eventTime": TIME}
    return json.dumps([event | {"dataVersion": "1.0", "metadataVersion": "1"}]).encode()


def _event_grid(kind: str) -> dict[str, str]:
    return {"Content-Type": "application/json; charset=utf-8", "aeg-event-type": kind}


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = {**keys.texts("resource_id"), "access_key": keys.base64("access_key")}
    return Account({**known, "endpoint": api_url, "keys_url": api_url + KEYS_PATH}, known)


provider = SimProvider(
    name="acs",
    title="Azure Communication Services",
    wire=AcsWire,
    webhook=AcsWebhook,
    account=open_account,
    commanded=True,
    serve=publish_keys,
    audio_formats=(L16_24K, L16_16K),
)
