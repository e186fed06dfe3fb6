"""Vobiz audio streams: Plivo's wire with a message for the end, and its own signatures and REST headers. Pure.

Vobiz documentation: "Stream", "WebSocket events", "Validating webhooks", "Calls API".
"""

from collections.abc import Sequence

from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import first, values_of
from gateway.path_segment import segment
from gateway.phone.commands import EndStream, PhoneCommand, PlayAudio, StreamCommand
from gateway.phone.dialects.plivo import xml as stream_xml
from gateway.phone.dialects.plivo.signature import verify_v3
from gateway.phone.dialects.plivo.stream import FORMATS, CheckpointCodec
from gateway.phone.events import Playout
from gateway.phone.provider import (
    After,
    Answer,
    CallStatus,
    Confirmation,
    Connect,
    Grant,
    HttpRequest,
    IncomingCall,
    Proof,
    Setup,
    SignatureError,
    StreamEnded,
    Traits,
    Upgrade,
    WebhookRequest,
)
from gateway.phone.shared.http_request import ending
from gateway.phone.shared.signed_url import spellings
from gateway.text import json_bytes

MESSAGE_MS = 60
"""Vobiz takes ``playAudio`` of 20 to 60 ms."""

TRAITS = Traits(
    title="Vobiz",
    formats=FORMATS,
    playout=Playout(),
    confirmation=Confirmation.PLAYED_MARKS,
    hang_up="stream",
    transfer="REST",
    signature="HMAC-SHA256 of URL and nonce (V3); form and query are not covered",
    stream_key="token in the path",
    unsure=True,
)


class VobizCodec(CheckpointCodec):
    """The wire of one stream: Plivo's, in shorter messages."""

    def __init__(self, grant: Grant) -> None:
        super().__init__(grant, TRAITS.playout, names_stream=True)

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Return the messages that carry the command; after ``stop`` Vobiz goes on with the document's next element."""
        match command:
            case PlayAudio(audio=audio) if len(audio) > (size := self.audio_format.bytes_for(MESSAGE_MS)):
                pieces = (PlayAudio(audio[start : start + size]) for start in range(0, len(audio), size))
                return [message for piece in pieces for message in super(VobizCodec, self).encode(piece)]
            case EndStream():
                return (f'{{"event":"stop","streamId":{self.stream_id}}}',)
            case _:
                return super().encode(command)


class Vobiz:
    """The provider Vobiz. It asks ``answer_url``, our ``/answer/vobiz``, whom a transferred call is for."""

    name = "vobiz"
    traits = TRAITS
    subprotocols = ()

    def __init__(self, settings: settings.Vobiz, answer_url: str = "") -> None:
        self._auth_id = settings.auth_id or ""
        self._auth_tokens = values_of(settings.auth_token)
        self._api_url = settings.api_url
        self._answer_url = answer_url

    def codec(self, upgrade: Upgrade, grant: Grant) -> VobizCodec:
        """Return a fresh wire for one stream."""
        return VobizCodec(grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Return ``Proof.NONE``: Vobiz sends no proof."""
        return Proof.NONE

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check ``X-Vobiz-Signature-V3`` over address and nonce, without query and form; return a hash of both."""
        if not self._auth_tokens:
            raise SignatureError(f"{variable_of(self.name, 'auth_token')} is not set")
        address, _, _ = request.url.partition("?")
        addresses = spellings(address, request.headers.get("host", ""))
        return verify_v3(request.headers, "x-vobiz", self._auth_tokens, addresses)

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call of an answer webhook, the stream that has ended, or whom a transferred call is for."""
        return stream_xml.incoming(request)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return Vobiz XML. The stream itself carries no numbers, so they must come with its token."""
        return stream_xml.stream_xml(connect)

    def refuse(self, call: IncomingCall) -> Answer:
        """Hang up as busy, without answering the call."""
        return stream_xml.busy()

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a hang-up or stream callback reports."""
        return stream_xml.status(request)

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        """Return nothing: the provider asks what follows."""
        return ()

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        """End the call by the REST API."""
        return ending(self._call("DELETE", call_id))

    def transfer(self, call_id: str, target: str) -> Sequence[HttpRequest]:
        """Send the call on to a document that dials, as at Plivo; none without ``answer_url``."""
        if not self._answer_url:
            return ()
        url = stream_xml.transfer_url(self._answer_url, target)
        return self._call("POST", call_id, {"legs": "aleg", "aleg_url": url, "aleg_method": "POST"})

    def send_digits(self, call_id: str, digits: str) -> Sequence[HttpRequest]:
        """Return nothing: no request that dials digits is documented."""
        return ()

    def _call(self, method: str, call_id: str, body: dict[str, str] | None = None) -> Sequence[HttpRequest]:
        if not self._auth_id or not self._auth_tokens:
            return ()
        url = f"{self._api_url}/api/v1/Account/{segment(self._auth_id)}/Call/{segment(call_id)}/"
        headers = {"X-Auth-ID": self._auth_id, "X-Auth-Token": first(self._auth_tokens)}
        if body is None:
            return (HttpRequest(method, url, headers),)
        headers["Content-Type"] = "application/json"
        return (HttpRequest(method, url, headers, json_bytes(body)),)


def make(settings: settings.Vobiz, setup: Setup) -> Vobiz:
    """Make the provider from its section of ``gateway.yaml``."""
    return Vobiz(settings, setup.answer_url)
