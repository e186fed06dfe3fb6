"""The common code of providers with checkpoints: the JSON of their streams, the XML and forms of their webhooks.

Source: Plivo, Audio Streaming ("Stream", "Stream events"); plivo-stream-sdk-python, types; Plivo API, Calls.
"""

import base64
import json
import secrets
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree import ElementTree as Xml

import msgspec

from gateway.audio.formats import L16_8K, L16_16K, PCMU, AudioFormat, Encoding
from gateway.errors import GatewayError, WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.continuation import Step, Verb, behind_stream, verbs_of
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse
from gateway.sim.phone.turned_away import connected, verbs_of_an_end
from gateway.sim.phone.webhook import Webhook
from gateway.sim.phone.wire import HangUp, Media, Message, Order, SimCall, StreamOpening, Transfer, Violated, Wire

CONTENT_TYPES = {
    "audio/x-mulaw;rate=8000": PCMU,
    "audio/x-l16;rate=8000": L16_8K,
    "audio/x-l16;rate=16000": L16_16K,
}
DEFAULT_CONTENT_TYPE = "audio/x-l16;rate=8000"
ENCODINGS = {Encoding.PCMU: "audio/x-mulaw", Encoding.L16: "audio/x-l16"}


class PlayedAudio(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The ``media`` of a ``playAudio``."""

    content_type: str
    sample_rate: int | str
    payload: bytes


class CheckpointWire(Wire):
    """One stream: messages numbered as they go, checkpoints confirmed when they were played and never otherwise."""

    first_number = 1
    extra_headers = ""

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._number = self.first_number - 1
        self._chunk = 0

    @property
    @abstractmethod
    def account_id(self) -> str:
        """The account, as in ``start.accountId``."""

    @abstractmethod
    def read(self, message: str) -> Order:
        """Return what a text message orders; ``msgspec.DecodeError`` where it is none of the provider's."""

    def opening(self) -> Sequence[str]:
        """Return start, and nothing before it; no numbers in it."""
        start = {
            "callId": self.call.call_id,
            "streamId": self.call.stream_id,
            "accountId": self.account_id,
            "tracks": ["inbound"],
            "mediaFormat": {
                "encoding": ENCODINGS[self.audio_format.encoding],
                "sampleRate": self.audio_format.rate_hz,
            },
        }
        return (self._numbered("start", of_stream=False, start=start, extra_headers=self.extra_headers),)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[str]:
        """Return a frame of the caller's audio."""
        self._chunk += 1
        payload = base64.b64encode(audio).decode()
        media = {"track": "inbound", "timestamp": str(timestamp_ms), "chunk": self._chunk, "payload": payload}
        return (self._numbered("media", media=media, extra_headers=self.extra_headers),)

    def key(self, digit: str) -> Sequence[str]:
        """Return a dtmf message."""
        dtmf = {"track": "inbound", "digit": digit, "timestamp": str(self._chunk * self.frame_ms)}
        return (self._numbered("dtmf", dtmf=dtmf, extra_headers=self.extra_headers),)

    def cleared(self) -> Sequence[str]:
        """Return the only confirmation of a clear."""
        return (self._numbered("clearedAudio"),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse a message; ``WireError`` for binary and for what is no message of this provider's."""
        if isinstance(message, bytes):
            raise WireError(f"a binary message of {len(message)} bytes; expected text")
        try:
            return (self.read(message),)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {excerpt(message)}") from None

    def of_this_stream(self, stream_id: str) -> None:
        """Check the stream's id; ``WireError`` where a message names another stream."""
        if stream_id != self.call.stream_id:
            raise WireError(f"streamId {stream_id!r} is not this stream's")

    def media_of(self, media: PlayedAudio) -> Media:
        """Return the audio, if it is written in the stream's format; otherwise nothing is heard."""
        expected = ENCODINGS[self.bot_format.encoding], str(self.bot_format.rate_hz)
        if (media.content_type, str(media.sample_rate)) != expected:
            raise WireError(
                f"playAudio of {media.content_type} at {media.sample_rate}, on a stream of {self.bot_format}"
            )
        if media.payload.startswith(b"RIFF"):
            raise WireError("playAudio begins with a file header: expected audio alone")
        return Media(media.payload)

    def _numbered(self, event: str, *, of_stream: bool = True, **body: object) -> str:
        self._number += 1
        stream = {"streamId": self.call.stream_id} if of_stream else {}
        return json.dumps({"event": event, "sequenceNumber": self._number, **stream, **body}, separators=(",", ":"))


@dataclass(frozen=True)
class Document:
    """The content of an answer: the stream and its format, who gets its events, and what runs when it has closed."""

    url: str
    audio_format: AudioFormat
    extra_headers: str
    callback_url: str
    next_verbs: tuple[Verb, ...]


def parse_document(text: str, url: str = "") -> Document:
    """Return the ``<Stream>`` of an answer document that ``url`` gave.

    Raises ``WireError`` where the call would not be connected both ways by it, ``BusyError`` where it is rejected.
    """
    response = _response(text)
    if len(response) and response[0].tag == "Hangup" and response[0].get("reason") == "busy":
        raise BusyError(url)
    stream = response.find("./Stream")
    if stream is None or not (stream.text or "").strip().startswith(("ws://", "wss://")):
        raise WireError(f"the answer connects no stream: {excerpt(text)}")
    if stream.get("bidirectional") != "true":
        raise WireError(f"the answer's stream is not bidirectional, nothing would be heard: {excerpt(text)}")
    if stream.get("audioTrack", "inbound") != "inbound":
        raise WireError(f"audioTrack {stream.get('audioTrack')!r} cannot be had with bidirectional")
    if stream.get("keepCallAlive") != "true":
        raise WireError(f"without keepCallAlive the call goes on at once with what is behind: {excerpt(text)}")
    content_type = stream.get("contentType", DEFAULT_CONTENT_TYPE)
    if content_type not in CONTENT_TYPES:
        raise WireError(f"contentType {content_type!r}: expected one of {', '.join(CONTENT_TYPES)}")
    extra_headers = stream.get("extraHeaders", "")
    if len(extra_headers.encode()) > 512:
        raise WireError(f"extraHeaders of {len(extra_headers.encode())} bytes: expected at most 512")
    verbs = list(response)
    return Document(
        (stream.text or "").strip(),
        CONTENT_TYPES[content_type],
        extra_headers,
        stream.get("statusCallbackUrl", ""),
        tuple(behind_stream(verbs[verbs.index(stream) + 1 :], url)),
    )


def parse_dial(text: str) -> str:
    """Return whom a document dials; ``WireError`` where it dials no one."""
    dialled = _response(text).find("./Dial/*")
    if dialled is None or dialled.tag not in ("Number", "User") or not (dialled.text or "").strip():
        raise WireError(f"the document dials nobody: {excerpt(text)}")
    return (dialled.text or "").strip()


def _response(text: str) -> Xml.Element:
    try:
        response = Xml.fromstring(text)  # noqa: S314 -- the document of the gateway under test
    except Xml.ParseError as error:
        raise WireError(f"the answer is not XML ({error}): {excerpt(text)}") from None
    if response.tag != "Response":
        raise WireError(f"the answer is no <Response>: {excerpt(text)}")
    return response


def excerpt(text: str) -> str:
    """Return the beginning of a text, quoted."""
    return f"{text[:120]!r}{' …' if len(text) > 120 else ''}"


def new_nonce() -> str:
    """Return digits, as the provider's nonces are."""
    return str(secrets.randbelow(10**20))


RINGING = {"Event": "StartApp", "CallStatus": "ringing"}
REDIRECTED = {"Event": "Redirect", "CallStatus": "in-progress"}


class CheckpointWebhook(Webhook):
    """The webhook: asks for the document, opens its stream, reports both ends; plays the calls of the REST API."""

    default_auth_id = "MAXXXXXXXXXXXXXXXXXX"
    next_verbs: tuple[Verb, ...] = ()
    """The verbs after the stream, once :meth:`call_in` knows."""
    _document: Document | None = None
    _calls_path = ""

    @property
    def auth_id(self) -> str:
        """The id of the account."""
        return self.call.secrets.get("auth_id", self.default_auth_id)

    @abstractmethod
    def signed(self, url: str, form: Mapping[str, str]) -> dict[str, str]:
        """Return the signature's headers of a POST."""

    @abstractmethod
    def upgrade(self, url: str) -> dict[str, str]:
        """Return the headers of a stream's upgrade."""

    @abstractmethod
    def may_command(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request to the REST API carries the account's credentials."""

    @abstractmethod
    def calls_path(self) -> str:
        """Return the path of the call in the REST API."""

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade as it is for a document of the operator's own."""
        return StreamOpening(url, headers=self.upgrade(url))

    async def call_in(self) -> StreamOpening:
        """Post the incoming call; the stream is the answer's."""
        text = await connected(
            self.call.answer_url,
            lambda url: self.post(url, RINGING if url == self.call.answer_url else REDIRECTED),
            verbs_of_an_end,
        )
        document = self._document = self._checked(text)
        self.next_verbs = document.next_verbs
        if self.has_api:
            self._calls_path = self.calls_path()
            self.api.on("DELETE", self._calls_path, self._hang_up)
            self.api.on("POST", self._calls_path, self._transfer)
        url = document.url
        return StreamOpening(
            url,
            headers=self.upgrade(url),
            parameters={"extra_headers": document.extra_headers},
            audio_format=document.audio_format,
        )

    async def ended(self) -> None:
        """Report the stream's end, then the call's."""
        if self._document is not None and self._document.callback_url:
            stream = {"Event": "StopStream", "StreamID": self.call.stream_id, "CallStatus": "in-progress"}
            what = "the stream's status callback"
            await self.report(self.post(self._document.callback_url, stream, what, (200, 204)))
        await self.go_on(self.next_verbs, self._fetch)
        if self._calls_path:
            self.api.off("DELETE", self._calls_path)
            self.api.off("POST", self._calls_path)
        if self.call.status_url:
            over = {"Event": "Hangup", "CallStatus": "completed", "HangupCause": "NORMAL_CLEARING"}
            await self.report(self.post(self.call.status_url, over, "the hangup callback", (200, 204)))

    async def _fetch(self, url: str, failed: str) -> Sequence[Verb]:
        return verbs_of(await self.post(url, REDIRECTED, "what follows the stream"), url)

    async def post(
        self,
        url: str,
        more: Mapping[str, str],
        what: str = "the answer webhook",
        expected: Sequence[int] = (200,),
    ) -> str:
        """Send a form about the call, signed; numbers without their plus."""
        form = {
            "CallUUID": self.call.call_id,
            "From": self.call.from_.removeprefix("+"),
            "To": self.call.to.removeprefix("+"),
            "Direction": "inbound",
            **more,
        }
        reply = await self.ask(url, form=form, headers=self.signed(url, form), what=what, expected=expected)
        if expected == (200,) and reply.content_type not in ("text/xml", "application/xml"):
            raise GatewayError(f"{what} {url} answered with {reply.content_type}; expected text/xml")
        return reply.text

    def _checked(self, text: str) -> Document:
        try:
            return parse_document(text, self.call.answer_url)
        except WireError as error:
            raise GatewayError(f"{self.call.answer_url}: {error}") from None

    def _hang_up(self, request: ApiRequest) -> ApiResponse:
        if not self.may_command(request.headers):
            return ApiResponse(401, {"error": "authentication failed"})
        return ApiResponse(204) if self.end(HangUp("REST")) else ApiResponse(404, {"error": "not found"})

    async def _transfer(self, request: ApiRequest) -> ApiResponse:
        if not self.may_command(request.headers):
            return ApiResponse(401, {"error": "authentication failed"})
        if request.data.get("legs") != "aleg" or not str(request.data.get("aleg_url", "")).startswith("http"):
            return ApiResponse(400, {"error": "legs and aleg_url are required"})
        self.may_transfer()
        redirect = {"Event": "Redirect", "CallStatus": "in-progress"}
        url = str(request.data["aleg_url"])
        try:
            text = await self.post(url, redirect, "the transfer's document")
            verbs = verbs_of(text, url)
            goes_on = len(verbs) > 1 and not any(isinstance(verb, Step) and verb.kind == "failed" for verb in verbs)
            done = self.redirect(verbs) if goes_on else self.end(Transfer(parse_dial(text)))
        except GatewayError as error:
            if self.phone is not None:
                self.phone.warn(Violated(f"{url}: {error}"))
            return ApiResponse(202, {"message": "call transferred"})  # it comes before the document is asked for
        return ApiResponse(202, {"message": "call transferred"}) if done else ApiResponse(404, {"error": "not found"})


def without_query(url: str) -> str:
    """Return scheme, host and path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = keys.texts("auth_id", "auth_token")
    return Account({**known, "api_url": api_url}, known)
