"""Vonage's call control objects: the JSON that says what happens to a call. Pure.

developer.vonage.com, "NCCO reference": connect, talk.
"""

from typing import Any

from gateway.addresses import is_sip
from gateway.phone.shared.numbers import without_plus
from gateway.phone.webhook import After, Connect, IncomingCall
from gateway.text import json_bytes, json_text

HEADERS_LIMIT = 512
"""Bytes of a WebSocket endpoint's ``headers``, as JSON."""

Ncco = list[dict[str, Any]]


def stream(call: IncomingCall, connect: Connect, rate_hz: int) -> Ncco:
    """Connect a call to its stream.

    No action follows: further actions run as soon as the socket is up. What follows the stream is the answer to
    the event that reports its end, which ``synchronous`` lets us answer.
    """
    endpoint = {
        "type": "websocket",
        "uri": connect.stream_url,
        "content-type": f"audio/l16;rate={rate_hz}",
        "headers": _headers(call),
        "authorization": {"type": "vonage"},
    }
    action: dict[str, Any] = {"action": "connect"}
    if connect.call_url:
        action |= {"eventType": "synchronous", "eventUrl": [connect.call_url]}
    elif connect.callback_url:
        action |= {"eventUrl": [connect.callback_url]}
    return [action | {"from": without_plus(call.called), "endpoint": [endpoint]}]


def following(after: After, shown: str = "") -> Ncco:
    """Return what follows the stream: words, then a transfer; ``shown`` is the number that the called party sees."""
    actions: Ncco = []
    if after.say:
        actions.append({"action": "talk", "text": after.say} | ({"language": after.language} if after.language else {}))
    if after.transfer:
        actions.append(
            {"action": "connect"}
            | ({"from": without_plus(shown)} if shown else {})
            | {"endpoint": [_endpoint(after.transfer)]}
        )
    return actions


def written(ncco: Ncco) -> str:
    """Write an NCCO as JSON."""
    return json_text(ncco)


def _endpoint(target: str) -> dict[str, str]:
    if is_sip(target):
        return {"type": "sip", "uri": target}
    return {"type": "phone", "number": without_plus(target)}


def _headers(call: IncomingCall) -> dict[str, str]:
    """Return the call's identity, as much as there is room for. The first message of the stream repeats it."""
    headers: dict[str, str] = {}
    for name, value in (("call_uuid", call.call_id), ("to", call.called), ("from", call.caller)):
        longer = headers | {name: without_plus(value)}
        if len(json_bytes(longer)) <= HEADERS_LIMIT:
            headers = longer
    return headers
