"""Genesys' end of a call: the transactions of its session, what it calls an error, its signature."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession

from gateway.audio.formats import PCMU
from gateway.errors import GatewayError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.wire import Clear, Close, HangUp, Media, Send, SimCall, StreamOpening, Transfer, Violated
from gateway.sim.providers.genesys import (
    AUDIO_LIMIT,
    BURST,
    NIL,
    ORGANIZATION_ID,
    PROBE,
    GenesysWebhook,
    GenesysWire,
    provider,
    signature,
    upgrade_headers,
)
from tests.sim.scripted import Peer, scripted

CALL = SimCall("+18005551212", "+15551234567", "090eaa2f-72fa-480a-83e0-8667ff89c0ec", "e160e428", PCMU)
OPENING = StreamOpening("ws://gw/stream", parameters={"k": "v"})
MEDIA = {"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000}


def server(seq: int, kind: str, parameters: object = None, clientseq: int = 1, id_: str = CALL.stream_id) -> str:
    message = {"version": "2", "id": id_, "type": kind, "seq": seq, "clientseq": clientseq}
    return json.dumps({**message, "parameters": parameters or {}})


def opened(seq: int = 1) -> str:
    return server(seq, "opened", {"startPaused": False, "media": [MEDIA]})


@pytest.fixture
def wire() -> GenesysWire:
    """An open session."""
    wire = GenesysWire(CALL, OPENING)
    wire.opening()
    assert wire.parse(opened()) == ()
    assert wire.ready
    return wire


def read(messages: Sequence[str | bytes]) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages]


def sent(orders: Sequence[object]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (message["type"], message["parameters"])
        for order in orders
        if isinstance(order, Send)
        for message in read(order.messages)
    ]


def test_the_open_transaction_is_that_of_the_vendor_s_document() -> None:
    """Numbers from 1, who calls whom, one medium."""
    (message,) = read(GenesysWire(CALL, OPENING).opening())
    participant = message["parameters"].pop("participant")
    assert (participant["ani"], participant["dnis"]) == ("+15551234567", "+18005551212")
    assert message == {
        "version": "2",
        "id": "e160e428",
        "type": "open",
        "seq": 1,
        "serverseq": 0,
        "position": "PT0S",
        "parameters": {
            "organizationId": ORGANIZATION_ID,
            "conversationId": CALL.call_id,
            "media": [MEDIA],
            "language": "en-US",
            "customConfig": {},
            "inputVariables": {"k": "v"},
        },
    }


def test_a_probe_has_all_zero_ids() -> None:
    """Conversation and participant; no numbers."""
    (message,) = read(GenesysWire(replace(CALL, quirks=frozenset({PROBE})), OPENING).opening())
    parameters = message["parameters"]
    assert parameters["conversationId"] == parameters["participant"]["id"] == NIL
    assert parameters["participant"]["ani"] == ""


def test_happenings_are_numbered_messages(wire: GenesysWire) -> None:
    """Each with the server's last number and the position of the audio."""
    wire.tick(20, 0)
    messages = read([*wire.key("5"), *wire.playback_started(), *wire.playback_ended()])
    assert [(m["type"], m["seq"], m["serverseq"], m["position"], m["parameters"]) for m in messages] == [
        ("dtmf", 2, 1, "PT0.02S", {"digit": "5"}),
        ("playback_started", 3, 1, "PT0.02S", {}),
        ("playback_completed", 4, 1, "PT0.02S", {}),
    ]
    assert wire.media(b"\xff" * 160, 0) == (b"\xff" * 160,)


def test_pings_come_after_a_second_twice_then_every_five(wire: GenesysWire) -> None:
    """The second follows the first pong, so that the server learns the round trip early."""
    assert wire.tick(980, 0) == ()
    assert read(wire.tick(1000, 0))[0]["type"] == "ping"
    assert sent(wire.parse(server(2, "pong", clientseq=2))) == [("ping", {"rtt": "PT0.05S"})]
    assert wire.parse(server(3, "pong", clientseq=3)) == ()
    assert wire.tick(5980, 0) == ()
    assert [message["type"] for message in read(wire.tick(6000, 0))] == ["ping"]


def test_a_ping_that_stays_unanswered_ends_the_session(wire: GenesysWire) -> None:
    """At the next one's time: error 408, then close."""
    wire.tick(1000, 0)
    messages = read(wire.tick(6000, 0))
    assert [(m["type"], m["parameters"].get("code", m["parameters"].get("reason"))) for m in messages] == [
        ("error", 408),
        ("close", "error"),
    ]


def test_a_pong_that_is_not_its_ping_s(wire: GenesysWire) -> None:
    """400 for a wrong clientseq, 409 for a pong that nobody waits for; the session goes on."""
    wire.tick(1000, 0)
    wrong = Violated("the pong's clientseq 1 is not its ping's seq 2", 400)
    assert wire.parse(server(2, "pong", clientseq=1))[0] == wrong
    violated = wire.parse(server(3, "pong", clientseq=2))[0]
    assert isinstance(violated, Violated)
    assert violated.code == 409


def test_what_the_server_orders(wire: GenesysWire) -> None:
    """Audio, a barge-in, a bot's turn, a pause; the customer's audio stops with the pause."""
    assert wire.parse(b"\x01") == (Media(b"\x01"),)
    assert wire.parse(server(2, "event", {"entities": [{"type": "barge_in", "data": {}}]})) == [Clear()]
    turn = {"type": "bot_turn_response", "data": {"disposition": "match", "text": "x", "confidence": 1.0}}
    assert wire.parse(server(3, "event", {"entities": [turn]})) == []
    assert sent(wire.parse(server(4, "pause"))) == [("paused", {})]
    assert wire.media(b"\xff", 0) == ()
    assert sent(wire.parse(server(5, "resume")))[0][0] == "resumed"
    assert wire.media(b"\xff", 0) == (b"\xff",)
    assert wire.parse(server(6, "reconnect", {"info": ""})) == ()


def test_a_disconnect_is_answered_by_close_and_ends_with_closed(wire: GenesysWire) -> None:
    """The flow gets its variables and goes on."""
    variables = {"action": "transfer", "target": "+14255550199"}
    order = wire.parse(server(2, "disconnect", {"reason": "completed", "outputVariables": variables}))
    assert order == (Transfer("+14255550199"),)
    assert wire.output_variables == variables
    (close,) = read(wire.stop())
    assert (close["type"], close["parameters"]) == ("close", {"reason": "disconnect"})
    assert wire.stop() == ()
    assert wire.media(b"\xff", 0) == ()
    assert not wire.stopped
    assert wire.parse(server(3, "closed", clientseq=2)) == ()
    assert wire.stopped


def test_a_disconnect_without_variables_ends_the_call(wire: GenesysWire) -> None:
    """With its reason."""
    assert wire.parse(server(2, "disconnect", {"reason": "completed"})) == (HangUp("completed"),)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", 400),
        ("[]", 400),
        (server(2, "hello"), 400),
        (server(2, "pong").replace('"version": "2"', '"version": "1"'), 400),
        (server(2, "pong").replace('"parameters": {}', '"parameters": {}, "position": "PT0S"'), 400),
        (server(2, "pong", id_="another"), 400),
        (server(2, "pong", clientseq=9), 400),
        (server(1, "pong"), 500),
        (server(3, "pong"), 500),
        (opened(2), 409),
        (server(2, "closed"), 409),
        (server(2, "disconnect", {"reason": "bored"}), 400),
        (server(2, "pong", {"x": "y" * 70_000}), 413),
        (b"\xff" * (AUDIO_LIMIT + 1), 413),
    ],
)
def test_what_breaks_the_protocol_ends_the_session(wire: GenesysWire, message: str | bytes, code: int) -> None:
    """The client says which error it is and closes; ``closed`` lets it close the socket."""
    orders = wire.parse(message)
    assert isinstance(orders[0], Violated)
    assert orders[0].code == code
    messages = sent(orders)
    assert messages[0][1]["code"] == code
    assert messages[1] == ("close", {"reason": "error"})
    assert wire.parse(server(wire._server_seq + 1, "closed")) == (Close(),)


@pytest.mark.parametrize(
    ("media", "says"),
    [
        ([], "not one of the offered"),
        ([MEDIA, MEDIA], "More than one media"),
        ([{**MEDIA, "format": "L16"}], "not one of the offered"),
        (None, "More than one media"),
    ],
)
def test_a_medium_that_was_not_offered(media: object, says: str) -> None:
    """Exactly one of the offer is to be chosen, unchanged."""
    wire = GenesysWire(CALL, OPENING)
    wire.opening()
    violated = wire.parse(server(1, "opened", {"media": media}))[0]
    assert isinstance(violated, Violated)
    assert says in violated.what
    assert not wire.ready


def test_audio_before_opened_is_an_error() -> None:
    """415, as the reference client has it."""
    wire = GenesysWire(CALL, OPENING)
    wire.opening()
    assert wire.parse(b"\xff")[0] == Violated("Unexpected binary message", 415)


def test_many_small_messages_are_too_many(wire: GenesysWire) -> None:
    """A burst is taken, then five a second; what is beyond is dropped and answered with 429."""
    assert [wire.parse(b"\xff") for _ in range(BURST)] == [(Media(b"\xff"),)] * BURST
    limited = wire.parse(b"\xff")
    assert isinstance(limited[0], Violated)
    assert (limited[0].code, sent(limited)[0][1]["code"]) == (429, 429)
    wire.tick(200, 0)
    assert wire.parse(b"\xff") == (Media(b"\xff"),)
    assert wire.parse(b"\xff") != (Media(b"\xff"),)


def test_the_upgrade_is_signed_as_in_the_vendor_s_document() -> None:
    """The example of the reference implementation."""
    headers = {
        "Audiohook-Organization-Id": "d7934305-0972-4844-938e-9060eef73d05",
        "Audiohook-Session-Id": "30b0e395-84d3-4570-ac13-9a62d8f514c0",
        "Audiohook-Correlation-Id": "e160e428-53e2-487c-977d-96989bf5c99d",
        "X-API-KEY": "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh",
    }
    signed = (
        '("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" '
        '"audiohook-correlation-id" "x-api-key");keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";'
        'nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1641013200;expires=3282026430'
    )
    url = "wss://audiohook.example.com/api/v1/voicebiometrics/ws"
    proof = signature(url, headers, "TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU=", signed)
    assert proof == "sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:"


def test_without_a_client_secret_the_key_goes_alone() -> None:
    """Genesys signs only where a secret was entered."""
    headers = upgrade_headers(replace(CALL, secrets={"api_key": "k"}), "wss://gw/stream", 0)
    assert headers["X-API-KEY"] == "k"
    assert "Signature" not in headers


async def test_a_call_is_its_stream() -> None:
    """No webhook is called: the stream is the integration's, beside the answer webhook of others; Genesys closes it."""

    async def gateway(peer: Peer) -> None:
        session = json.loads(str(await peer.next()))
        await peer.send(opened().replace(CALL.stream_id, session["id"]), b"\x01" * 1600)
        closing = json.loads(str(await peer.until(lambda message: b'"close"' in _bytes(message))))
        await peer.send(server(2, "closed", clientseq=closing["seq"], id_=session["id"]))

    async with scripted(gateway) as held, asyncio.timeout(10):
        secrets = {"api_key": "k", "client_secret": "c2VjcmV0"}
        async with dial("genesys", held.url, to="+2", from_="+1", secrets=secrets) as phone:
            while len(phone.bot_audio) < 1600:  # noqa: ASYNC110 -- the phone's clock is real; bounded above
                await asyncio.sleep(0.02)
        peer = await held.peer()
    assert phone.violations == []
    assert phone.ended_by == "caller"
    assert b"\x01" * 1600 in bytes(phone.bot_audio)
    assert peer.headers["X-API-KEY"] == "k"
    assert peer.headers["Audiohook-Session-Id"] == phone.stream_id
    kinds = [json.loads(text)["type"] for text in peer.texts]
    assert kinds == ["open", "playback_started", "playback_completed", "close"]


async def test_a_gateway_that_does_not_open_the_session_is_told() -> None:
    """The stream is there, and nothing may flow."""

    async def gateway(peer: Peer) -> None:
        await peer.next()

    async with scripted(gateway) as held:
        with pytest.raises(GatewayError, match="not accepted within"):
            async with dial("genesys", held.url, timeout_s=0.1):
                pass


async def test_the_stream_stands_beside_the_answer_webhook() -> None:
    """So that one base URL serves for every provider."""
    call = replace(CALL, answer_url="https://gw.example.com/answer/genesys/support")
    async with ClientSession() as http:
        opening = await GenesysWebhook(call, http).call_in()
    assert opening.url == "wss://gw.example.com/stream/genesys/support"
    assert provider.audio_formats == (PCMU,)


def _bytes(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message
