"""Call control at ACS: the Call Automation REST API and its request signing. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from email.utils import formatdate
from urllib.parse import urlsplit

from gateway.addresses import is_sip
from gateway.path_segment import segment
from gateway.phone.provider import CallCommands
from gateway.phone.providers.acs.connections import Connections
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.shared.http_request import ending
from gateway.phone.webhook import After
from gateway.text import json_bytes

API_VERSION = "2025-05-15"
TONES = {
    "0": "zero",
    "1": "one",
    "2": "two",
    "3": "three",
    "4": "four",
    "5": "five",
    "6": "six",
    "7": "seven",
    "8": "eight",
    "9": "nine",
    "#": "pound",
    "*": "asterisk",
    "A": "a",
    "B": "b",
    "C": "c",
    "D": "d",
}


class AcsCommands(CallCommands):
    """The commands of one resource. ``now_s`` returns Unix time: requests to the REST API are dated."""

    def __init__(self, endpoint: str, access_key: bytes, connections: Connections, now_s: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._access_key = access_key
        self._connections = connections
        self._now_s = now_s

    def answer(self, context: str, callback_url: str, stream_url: str, rate_hz: int) -> HttpRequest:
        """Return the request that answers a call, with its audio on our stream."""
        body = {
            "incomingCallContext": context,
            "callbackUri": callback_url,
            "mediaStreamingOptions": {
                "transportUrl": stream_url,
                "transportType": "websocket",
                "contentType": "audio",
                "audioChannelType": "mixed",
                "startMediaStreaming": True,
                "enableBidirectional": True,
                "audioFormat": f"pcm{rate_hz // 1000}KMono",
                "enableDtmfTones": True,
            },
        }
        return self._request("/calling/callConnections:answer", body)

    def reject(self, context: str) -> HttpRequest:
        """Return the request that rejects a call as busy."""
        body = {"incomingCallContext": context, "callRejectReason": "busy"}
        return self._request("/calling/callConnections:reject", body)

    def send_on(self, context: str, target: str) -> Requests:
        """Redirect a call that is not answered yet ("Redirect call"); none without a number to dial."""
        if not target or is_sip(target):
            return ()
        body = {"incomingCallContext": context, "target": _participant(target)}
        return (self._request("/calling/callConnections:redirect", body),)

    def after_stream(self, call_id: str, after: After) -> Requests:
        """Transfer or end the call, which outlives its stream. Words would need a speech resource of ACS' own."""
        return (after.transfer and self.transfer(call_id, after.transfer)) or self.hang_up(call_id)

    def hang_up(self, call_id: str) -> Requests:
        """End the call for everyone."""
        return ending([self._request(f"/calling/callConnections/{segment(call_id)}:terminate")])

    def transfer(self, call_id: str, target: str) -> Requests:
        """Transfer the caller to a number; ACS dials no ``sip:`` address."""
        if is_sip(target):
            return ()
        path = f"/calling/callConnections/{segment(call_id)}:transferToParticipant"
        return (self._request(path, {"targetParticipant": _participant(target)}),)

    def send_digits(self, call_id: str, digits: str) -> Requests:
        """Dial digits to the caller; none where the caller of that call is not known here."""
        caller = self._connections.caller(call_id)
        tones = [TONES[digit] for digit in digits.upper() if digit in TONES]
        if not caller or not tones:
            return ()
        path = f"/calling/callConnections/{segment(call_id)}:sendDtmfTones"
        return (self._request(path, {"tones": tones, "targetParticipant": _participant(caller)}),)

    def _request(self, path: str, body: Mapping[str, object] | None = None) -> HttpRequest:
        url = f"{self._endpoint}{path}?api-version={API_VERSION}"
        content = b"" if body is None else json_bytes(body)
        headers = sign("POST", url, content, self._access_key, formatdate(self._now_s(), usegmt=True))
        if content:
            headers["Content-Type"] = "application/json"
        return HttpRequest("POST", url, headers, content)


def sign(method: str, url: str, body: bytes, access_key: bytes, date: str) -> dict[str, str]:
    """Return the headers that sign a request ("Sign an HTTP request with HMAC"); ``date`` as in RFC 1123, in GMT."""
    parts = urlsplit(url)
    content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
    text = f"{method}\n{parts.path}?{parts.query}\n{date};{parts.netloc};{content_hash}"
    signature = base64.b64encode(hmac.digest(access_key, text.encode(), "sha256")).decode()
    return {
        "x-ms-date": date,
        "x-ms-content-sha256": content_hash,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }


def _participant(address: str) -> dict[str, object]:
    if address.startswith("8:"):
        return {"kind": "communicationUser", "communicationUser": {"id": address}}
    return {"kind": "phoneNumber", "phoneNumber": {"value": address}}
