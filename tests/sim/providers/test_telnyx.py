"""Telnyx' end of a call: its messages, its signature, TeXML and Call Control."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audio.formats import L16_16K, PCMA, PCMU
from gateway.errors import InputError, WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import Clear, Mark, Media, Send, SimCall, StreamOpening, Violated
from gateway.sim.providers import telnyx
from gateway.sim.providers._telnyx_wire import ACCOUNT_SID, OUT_OF_ORDER, TelnyxWire
from gateway.sim.providers.telnyx import CALL_CONTROL, public_key, signature
from tests.sim.providers.stub_gateway import Asked, StubGateway, cxml, stub_gateway

PRIVATE_KEY = base64.b64encode(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
).decode()
SECRETS = {"private_key": PRIVATE_KEY, "api_key": "KEY1", "stream_secret": "s3cret"}
BEARER = {"Authorization": "Bearer KEY1"}
RTP = 'bidirectionalMode="rtp"'
CALL = SimCall("+2", "+1", "v3:abc", "32DE0DEA", PCMU)


@pytest.fixture
def wire() -> TelnyxWire:
    """A fresh stream."""
    return TelnyxWire(CALL, StreamOpening("ws://gw/stream"))


def test_messages_are_those_of_the_vendor_s_document(wire: TelnyxWire) -> None:
    """snake_case, numbers as strings, both numbers of the call, the stream's id at the top."""
    messages = (
        *wire.opening(),
        *wire.media(b"\xff" * 3, 20),
        *wire.key("5"),
        *wire.mark_returned("g1-1", cleared=True),
        *wire.stop(),
    )
    call = {"user_id": ACCOUNT_SID, "call_control_id": "v3:abc"}
    assert [json.loads(message) for message in messages] == [
        {"event": "connected", "version": "1.0.0"},
        {
            "event": "start",
            "sequence_number": "1",
            "start": {
                **call,
                "call_session_id": "ff55a038-6f5d-11ef-9692-02420aeffb1f",
                "from": "+1",
                "to": "+2",
                "tags": [],
                "client_state": None,
                "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
            },
            "stream_id": "32DE0DEA",
        },
        {
            "event": "media",
            "sequence_number": "2",
            "media": {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": "////"},
            "stream_id": "32DE0DEA",
        },
        {
            "event": "dtmf",
            "sequence_number": "3",
            "occurred_at": "2025-06-05T08:54:19.698408Z",
            "dtmf": {"digit": "5"},
            "stream_id": "32DE0DEA",
        },
        {"event": "mark", "sequence_number": "4", "mark": {"name": "g1-1"}, "stream_id": "32DE0DEA"},
        {"event": "stop", "sequence_number": "5", "stop": call, "stream_id": "32DE0DEA"},
    ]


def test_orders(wire: TelnyxWire) -> None:
    """No stream is named in them."""
    payload = base64.b64encode(bytes(160)).decode()
    assert wire.parse(f'{{"event":"media","media":{{"payload":"{payload}"}}}}') == (Media(bytes(160)),)
    assert wire.parse('{"event":"mark","mark":{"name":"m"}}') == (Mark("m"),)
    assert wire.parse('{"event":"clear"}') == (Clear(),)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x00", 100003),
        ("x", 100003),
        ('{"event":"clear","stream_id":"32DE0DEA"}', 100003),
        ('{"event":"media","media":{"payload":"AAAA"}}', 100004),
    ],
)
def test_what_is_refused_is_answered_with_an_error(wire: TelnyxWire, message: str | bytes, code: int) -> None:
    """Malformed frames, and media of less than 20 ms."""
    violated, answer = wire.parse(message)
    assert isinstance(violated, Violated)
    assert violated.code == code
    assert isinstance(answer, Send)
    assert json.loads(str(answer.messages[0]))["payload"]["code"] == code


def test_linear_audio_is_in_network_byte_order() -> None:
    """Both ways."""
    wire = TelnyxWire(replace(CALL, audio_format=L16_16K), StreamOpening("ws://gw/stream"))
    (message,) = wire.media(b"\x01\x02", 0)
    assert json.loads(message)["media"]["payload"] == base64.b64encode(b"\x02\x01").decode()
    payload = base64.b64encode(b"\x02\x01" * 320).decode()
    assert wire.parse(f'{{"event":"media","media":{{"payload":"{payload}"}}}}') == (Media(b"\x01\x02" * 320),)


def test_neighbours_change_places() -> None:
    """Every tenth frame, where that is asked for; none is lost."""
    wire = TelnyxWire(replace(CALL, quirks=frozenset({OUT_OF_ORDER})), StreamOpening("ws://gw/stream"))
    sent = [json.loads(message) for number in range(12) for message in wire.media(b"", number)]
    assert [message["media"]["chunk"] for message in sent] == [*map(str, range(1, 10)), "11", "10", "12"]


def test_signature() -> None:
    """RFC 8032's first key pair, over time, a bar and the body."""
    assert public_key(PRIVATE_KEY) == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    assert signature(PRIVATE_KEY, "1700000000", b'{"data":{"event_type":"call.initiated"}}') == (
        "MGVTDtGuYLW5kjFwnqNofgeDUyzsF7r4H1L6jz1lD6palyxYTP6fEPDmGoaV769eef2agFBoHmAp47aBRgOyAw=="
    )


def assert_signed(asked: Asked) -> None:
    """By the key that the portal shows."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key(PRIVATE_KEY)))
    given = base64.b64decode(asked.headers["telnyx-signature-ed25519"])
    key.verify(given, asked.headers["telnyx-timestamp"].encode() + b"|" + asked.body)


async def test_texml_from_the_webhook_to_the_status_callback() -> None:
    """Signed forms; the caller's leg in A-law, playback in the codec that the document asks for."""
    async with stub_gateway(cxml(f'{RTP} bidirectionalCodec="PCMU"')) as gateway:
        async with dial(
            "telnyx",
            answer_url=f"{gateway.url}/answer",
            status_url=f"{gateway.url}/status",
            to="+2",
            from_="+1",
            secrets=SECRETS,
            audio_format=PCMA,
        ) as phone:
            assert (phone.audio_format, phone.bot_format) == (PCMA, PCMU)
        for asked in gateway.asked:
            assert_signed(asked)
        form = dict(parse_qsl(gateway.asked[0].body.decode()))
        assert (form["CallSid"], form["AccountSid"], form["From"]) == (phone.call_id, ACCOUNT_SID, "+1")
        assert dict(parse_qsl(gateway.asked[1].body.decode()))["CallStatus"] == "completed"


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [("", "MP3"), ('bidirectionalMode="mp3"', "MP3"), (f'{RTP} bidirectionalCodec="OPUS"', "OPUS")],
)
async def test_playback_that_nobody_would_hear(attributes: str, reason: str) -> None:
    """The default mode is MP3."""
    async with stub_gateway(cxml(attributes)) as gateway:
        with pytest.raises(WireError, match=reason):
            async with dial("telnyx", answer_url=f"{gateway.url}/answer"):
                pass


async def test_the_caller_s_copy_may_be_transcoded() -> None:
    """From one law to the other, where the document asks for it."""
    async with (
        stub_gateway(cxml(f'{RTP} codec="PCMU"')) as gateway,
        dial("telnyx", answer_url=f"{gateway.url}/answer", audio_format=PCMA) as phone,
    ):
        assert phone.audio_format is PCMU


async def test_texml_by_rest() -> None:
    """Hang-up of a call, once; whoever is not authorised does nothing."""
    async with SimulatedApi.serving() as api, stub_gateway(cxml(RTP)) as gateway, aiohttp.ClientSession() as http:
        async with dial("telnyx", answer_url=f"{gateway.url}/answer", secrets=SECRETS, api=api) as phone:
            url = f"{api.url}/v2/texml/Accounts/{ACCOUNT_SID}/Calls/{phone.call_id}"
            statuses = []
            for form, headers in (
                ({"Status": "completed"}, {}),
                ({"Texml": "<a/>"}, BEARER),
                ({"Status": "completed"}, BEARER),
            ):
                async with http.post(url, data=form, headers=headers) as response:
                    statuses.append(response.status)
            assert statuses == [401, 422, 200]
            await phone.closed.wait()
            async with http.post(url, data={"Texml": "<R><Dial>+3</Dial></R>"}, headers=BEARER) as response:
                assert response.status == 404
        assert [order.event for order in phone.messages] == ["hang_up"]


async def test_a_static_stream_brings_its_secret() -> None:
    """As ``stream_auth_token`` of an application of one's own."""
    async with stub_gateway(cxml()) as gateway:
        async with dial("telnyx", gateway.stream_url, secrets=SECRETS):
            pass
        assert gateway.streams[0].headers["x-telnyx-streaming-auth-token"] == "s3cret"


def kind_of(asked: Asked) -> str:
    return str(json.loads(asked.body)["data"]["event_type"])


@dataclass
class Commander:
    """A gateway that commands a Call Control call: ``answers`` it, and once its words were said does ``then``."""

    api: SimulatedApi
    http: aiohttp.ClientSession
    answers: dict[str, str] = field(default_factory=lambda: {"stream_bidirectional_mode": "rtp"})
    then: str = "hangup"

    async def command(self, call_id: str, action: str, body: dict[str, str], key: str = "KEY1") -> int:
        """Returns the status."""
        url, headers = f"{self.api.url}/v2/calls/{call_id}/actions/{action}", {"Authorization": f"Bearer {key}"}
        async with self.http.post(url, json=body, headers=headers) as response:
            return response.status

    async def __call__(self, stub: StubGateway, asked: Asked) -> None:
        """Obey a webhook."""
        payload = json.loads(asked.body)["data"]["payload"]
        if kind_of(asked) == "call.initiated" and self.answers:
            body = {"stream_url": stub.stream_url, "webhook_url": f"{stub.url}/events", **self.answers}
            assert await self.command(payload["call_control_id"], "answer", body) == 200
        elif kind_of(asked) == "call.speak.ended":
            assert payload["client_state"] == "c3RhdGU="
            assert await self.command(payload["call_control_id"], self.then, {"to": "+3"}) == 200


@pytest.fixture
async def commander() -> AsyncIterator[Commander]:
    async with SimulatedApi.serving() as api, aiohttp.ClientSession() as http:
        yield Commander(api, http)


def call(commander: Commander, stub: StubGateway) -> AbstractAsyncContextManager[SimulatedPhone]:
    answer_url = f"{stub.url}/answer"
    quirks = (CALL_CONTROL,)
    return dial("telnyx", answer_url=answer_url, to="+2", secrets=SECRETS, quirks=quirks, api=commander.api)


async def test_a_call_control_call_that_the_caller_ends(commander: Commander) -> None:
    """Signed events, the later ones where the command asked for them."""
    async with stub_gateway(commander) as stub:
        async with call(commander, stub) as phone:
            assert phone.bot_format is PCMU
            assert await commander.command(phone.call_id, "send_dtmf", {"digits": "1#"}) == 200
            assert await commander.command(phone.call_id, "send_dtmf", {}, "wrong") == 401
            assert await commander.command(phone.call_id, "dance", {}) == 404
        assert [(kind_of(asked), asked.path) for asked in stub.asked] == [
            ("call.initiated", "/answer"),
            ("call.answered", "/events"),
            ("call.hangup", "/events"),
        ]
        for asked in stub.asked:
            assert_signed(asked)
        assert phone.violations == []
        assert [order.name for order in phone.messages if order.event == "digits"] == ["1#"]


@pytest.mark.parametrize(("action", "event"), [("hangup", "hang_up"), ("transfer", "transfer")])
async def test_a_command_ends_the_stream(commander: Commander, action: str, event: str) -> None:
    """And a call that has been hung up says so to the next one."""
    async with stub_gateway(commander) as stub:
        async with call(commander, stub) as phone:
            if action == "transfer":
                commander.api.transfer_refusal = 422
                assert await commander.command(phone.call_id, action, {"to": "+3"}) == 422
                commander.api.transfer_refusal = None
            assert await commander.command(phone.call_id, action, {"to": "+3"}) == 200
            await phone.closed.wait()
            assert await commander.command(phone.call_id, "hangup", {}) == (422 if action == "hangup" else 200)
        assert [order.event for order in phone.messages] == [event]


@pytest.mark.parametrize("then", ["hangup", "transfer"])
async def test_words_after_the_stream(commander: Commander, then: str) -> None:
    """The stream is closed, words are said, and their end is told with the state that came with them."""
    commander.then = then
    async with stub_gateway(commander) as stub:
        async with call(commander, stub) as phone:
            await stub.sockets[0].close()
            await phone.closed.wait()
            body = {"payload": "Bye", "client_state": "c3RhdGU="}
            assert await commander.command(phone.call_id, "speak", body) == 200
        assert [kind_of(asked) for asked in stub.asked][2:] == ["call.speak.ended", "call.hangup"]
        assert phone.violations == []


async def test_a_call_that_is_left_alone(commander: Commander, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing the stream does not end it: that nobody says what follows is a violation."""
    monkeypatch.setattr(telnyx, "PATIENCE_S", 0.01)
    async with stub_gateway(commander) as stub:
        async with call(commander, stub) as phone:
            await stub.sockets[0].close()
            await phone.closed.wait()
        assert [violation.what for violation in phone.violations] == [
            "the stream was closed and the call left alone; expected a command for it"
        ]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [({}, "to be answered"), ({"stream_url": ""}, "no stream_url"), ({"stream_bidirectional_mode": "mp3"}, "MP3")],
)
async def test_commands_that_do_not_open_a_stream(
    commander: Commander, monkeypatch: pytest.MonkeyPatch, answers: dict[str, str], reason: str
) -> None:
    """The call is not answered, without a stream, or with one in which nothing would be heard."""
    monkeypatch.setattr(telnyx, "PATIENCE_S", 0.01)
    commander.answers = answers
    async with stub_gateway(commander) as stub:
        with pytest.raises(WireError, match=reason):
            async with call(commander, stub):
                pass


async def test_call_control_needs_the_rest_api() -> None:
    """It is told."""
    with pytest.raises(InputError, match="REST"):
        async with dial("telnyx", answer_url="http://127.0.0.1/answer", quirks=(CALL_CONTROL,)):
            pass
