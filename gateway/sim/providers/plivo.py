"""Plivo's end of a call: its media stream as text, its V3 signatures, its webhooks and REST API.

Source: Plivo, Audio Streaming ("Stream", "Stream events"); plivo-stream-sdk-python; plivo-python, ``signature_v3``.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

import msgspec

from gateway.audio.formats import L16_8K, L16_16K, PCMU
from gateway.sim.phone.webhook import SimProvider
from gateway.sim.phone.wire import Clear, Digits, Mark, Order, SimCall, StreamOpening
from gateway.sim.providers._plivo_dialect import (
    CheckpointWebhook,
    CheckpointWire,
    PlayedAudio,
    new_nonce,
    open_account,
    without_query,
)

ACCOUNT_ID = "MAXXXXXXXXXXXXXXXXXX"
NUMBERS_AS_TEXT = "numbers_as_text"
"""Quirk: ``playedStream`` has its number as a string, as the SDK notes."""


class _Strict(msgspec.Struct, tag_field="event", forbid_unknown_fields=True, rename="camel", kw_only=True):
    pass


class _PlayAudio(_Strict, tag="playAudio"):
    media: PlayedAudio


class _Checkpoint(_Strict, tag="checkpoint"):
    stream_id: str
    name: str


class _ClearAudio(_Strict, tag="clearAudio"):
    stream_id: str


class _SendDtmf(_Strict, tag="sendDTMF"):
    dtmf: str


_MESSAGES = msgspec.json.Decoder(_PlayAudio | _Checkpoint | _ClearAudio | _SendDtmf)


class PlivoWire(CheckpointWire):
    """The messages of one stream."""

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self.extra_headers = stream.parameters.get("extra_headers", "").replace(",", ";")

    @property
    def account_id(self) -> str:
        """The account of the call."""
        return self.call.secrets.get("auth_id", ACCOUNT_ID)

    def read(self, message: str) -> Order:
        """Return what playAudio, checkpoint, clearAudio and sendDTMF order."""
        read: _PlayAudio | _Checkpoint | _ClearAudio | _SendDtmf = _MESSAGES.decode(message)
        match read:
            case _PlayAudio(media=media):
                return self.media_of(media)
            case _Checkpoint(stream_id=stream_id, name=name):
                self.of_this_stream(stream_id)
                return Mark(name)
            case _ClearAudio(stream_id=stream_id):
                self.of_this_stream(stream_id)
                return Clear()
            case _SendDtmf(dtmf=digits):
                if not digits or set(digits) - set("0123456789*#"):
                    raise msgspec.ValidationError(f"dtmf {digits!r}: expected keys")
                return Digits(digits)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return playedStream, if the audio was played."""
        if cleared:
            return ()
        played = self._numbered("playedStream", name=name)
        if NUMBERS_AS_TEXT in self.call.quirks:
            played = played.replace(f'"sequenceNumber":{self._number}', f'"sequenceNumber":"{self._number}"')
        return (played,)


def signature_v3(token: str, method: str, url: str, form: Mapping[str, str], nonce: str) -> str:
    """Return ``X-Plivo-Signature-V3``: over the address, the sorted query, the sorted form of a POST, and the nonce."""
    text = without_query(url)
    query = sorted(
        parse_qsl(urlsplit(url).query, keep_blank_values=True) + (list(form.items()) if method == "GET" else [])
    )
    fields = "".join(name + form[name] for name in sorted(form)) if method == "POST" else ""
    if query or fields:
        text += "?"
    text += "&".join(f"{name}={value}" for name, value in query)
    if query and fields:
        text += "."
    text += fields
    return base64.b64encode(hmac.new(token.encode(), f"{text}.{nonce}".encode(), hashlib.sha256).digest()).decode()


class PlivoWebhook(CheckpointWebhook):
    """Plivo's HTTP; signed if there is a secret ``auth_token``."""

    default_auth_id = ACCOUNT_ID

    def signed(self, url: str, form: Mapping[str, str]) -> dict[str, str]:
        """Return the V3 headers, with a nonce of their own."""
        return self._signature("POST", url, form)

    def upgrade(self, url: str) -> dict[str, str]:
        """Return V3 of a GET, over the address as the stream SDK takes it: ``http``, ``/websocket`` after the path."""
        parts = urlsplit(url)
        return self._signature("GET", f"http://{parts.netloc}{parts.path}/websocket", {})

    def may_command(self, headers: Mapping[str, str]) -> bool:
        """Check the Basic credentials."""
        credentials = f"{self.auth_id}:{self.call.secrets.get('auth_token', '')}"
        return headers.get("authorization") == f"Basic {base64.b64encode(credentials.encode()).decode()}"

    def calls_path(self) -> str:
        """Return the path with a slash at the end."""
        return f"/v1/Account/{self.auth_id}/Call/{self.call.call_id}/"

    def _signature(self, method: str, url: str, form: Mapping[str, str]) -> dict[str, str]:
        token = self.call.secrets.get("auth_token")
        if not token:
            return {}
        nonce = new_nonce()
        signature = signature_v3(token, method, url, form, nonce)
        return {
            "X-Plivo-Signature-V3": signature,
            "X-Plivo-Signature-Ma-V3": signature,
            "X-Plivo-Signature-V3-Nonce": nonce,
        }


provider = SimProvider(
    name="plivo",
    title="Plivo",
    wire=PlivoWire,
    webhook=PlivoWebhook,
    account=open_account,
    audio_formats=(PCMU, L16_8K, L16_16K),
)
