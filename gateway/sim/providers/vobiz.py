"""Vobiz' end of a call: Plivo's messages with a stream's id in each, a message for the end, and its own signatures.

Source: Vobiz documentation ("Stream", "WebSocket events", "Validating webhooks", "Calls").
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

import msgspec

from gateway.audio.formats import L16_8K, L16_16K, PCMU
from gateway.sim.phone.webhook import SimProvider
from gateway.sim.phone.wire import Clear, HangUp, Mark, Order
from gateway.sim.providers._plivo_dialect import (
    CheckpointWebhook,
    CheckpointWire,
    PlayedAudio,
    new_nonce,
    open_account,
    without_query,
)

ACCOUNT_ID = "500123"
LONGEST_MS = 60


class _Strict(msgspec.Struct, tag_field="event", forbid_unknown_fields=True, rename="camel", kw_only=True):
    stream_id: str


class _PlayAudio(_Strict, tag="playAudio"):
    media: PlayedAudio


class _Checkpoint(_Strict, tag="checkpoint"):
    name: str


class _ClearAudio(_Strict, tag="clearAudio"):
    pass


class _Stop(_Strict, tag="stop"):
    pass


_MESSAGES = msgspec.json.Decoder(_PlayAudio | _Checkpoint | _ClearAudio | _Stop)


class VobizWire(CheckpointWire):
    """The messages of one stream: numbered from 0, without extra headers."""

    first_number = 0
    extra_headers = "{}"
    account_id = ACCOUNT_ID

    def read(self, message: str) -> Order:
        """Return what playAudio of at most 60 ms, checkpoint, clearAudio and stop order, each with the stream's id."""
        read: _PlayAudio | _Checkpoint | _ClearAudio | _Stop = _MESSAGES.decode(message)
        self.of_this_stream(read.stream_id)
        match read:
            case _PlayAudio(media=media):
                if len(media.payload) > self.bot_format.bytes_for(LONGEST_MS):
                    raise msgspec.ValidationError(f"playAudio of {len(media.payload)} bytes: expected 20 to 60 ms")
                return self.media_of(media)
            case _Checkpoint(name=name):
                return Mark(name)
            case _ClearAudio():
                return Clear()
            case _Stop():
                return HangUp("stop")

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return playedStream, if the audio was played: its name alone."""
        return () if cleared else (json.dumps({"event": "playedStream", "name": name}, separators=(",", ":")),)


def signature_v3(token: str, url: str, nonce: str) -> str:
    """Return ``X-Vobiz-Signature-V3``: over the address without its query, and the nonce."""
    signed = f"{without_query(url)}.{nonce}".encode()
    return base64.b64encode(hmac.new(token.encode(), signed, hashlib.sha256).digest()).decode()


class VobizWebhook(CheckpointWebhook):
    """Vobiz' HTTP; signed if there is a secret ``auth_token``."""

    default_auth_id = "MA_EXAMPLE"

    def signed(self, url: str, form: Mapping[str, str]) -> dict[str, str]:
        """Return the V3 headers, with a nonce of their own."""
        token = self.call.secrets.get("auth_token")
        if not token:
            return {}
        nonce = new_nonce()
        return {"X-Vobiz-Signature-V3": signature_v3(token, url, nonce), "X-Vobiz-Signature-V3-Nonce": nonce}

    def upgrade(self, url: str) -> dict[str, str]:
        """Return nothing: the upgrade is not signed."""
        return {}

    def may_command(self, headers: Mapping[str, str]) -> bool:
        """Check the credentials, which are in headers of their own."""
        given = headers.get("x-auth-id"), headers.get("x-auth-token")
        return given == (self.auth_id, self.call.secrets.get("auth_token", ""))

    def calls_path(self) -> str:
        """Return the path with a slash at the end."""
        return f"/api/v1/Account/{self.auth_id}/Call/{self.call.call_id}/"


provider = SimProvider(
    name="vobiz",
    title="Vobiz",
    wire=VobizWire,
    webhook=VobizWebhook,
    account=open_account,
    audio_formats=(PCMU, L16_8K, L16_16K),
)
