"""Bandwidth's simulated end, against gateways that are scripted."""

import base64
import json

import pytest
from aiohttp import ClientSession, encode_basic_auth, web

from gateway.audio.formats import PCMU
from gateway.errors import GatewayError, WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import Clear, Media, SimCall, StreamOpening
from gateway.sim.providers.bandwidth import BandwidthWire, provider
from tests.sim.scripted import Hook, Peer, scripted

SECRETS = {"webhook_user": "bw", "webhook_password": "pw", "client_id": "id", "client_secret": "secret"}
CALL = SimCall("+2", "+1", "c-1", "s-1", PCMU)
KEPT = '<StartStream name="a" mode="bidirectional" destination="{url}" destinationUsername="u" destinationPassword="p">\
<StreamParam name="tok" value="abc"/></StartStream><StopStream name="a" wait="true"/><SpeakSentence>x</SpeakSentence>'


def wire(*quirks: str) -> BandwidthWire:
    return BandwidthWire(SimCall("+2", "+1", "c-1", "s-1", PCMU, quirks=frozenset(quirks)), StreamOpening("ws://x"))


def play(content_type: str, payload: bytes) -> str:
    media = {"contentType": content_type, "payload": base64.b64encode(payload).decode()}
    return json.dumps({"eventType": "playAudio", "media": media})


def document(text: str) -> str:
    return f"<Response>{text}</Response>"


def test_the_wire_s_messages() -> None:
    """As documented: media on top, the numbers nowhere; either name of the encoding."""
    (start,) = wire().opening()
    assert json.loads(start)["metadata"]["callId"] == "c-1"
    assert '"encoding":"PCMU"' in start
    assert '"encoding":"audio/PCMU"' in str(wire("mime").opening()[0])
    assert wire().media(b"\xff", 0) == (
        '{"eventType":"media","track":"inbound","payload":"/w==","sequenceNumber":"1"}',
    )
    assert json.loads(wire().stop()[0])["eventType"] == "stop"
    assert wire().key("1") == wire().mark_returned("m", cleared=False) == wire().cleared() == ()


def test_what_is_understood() -> None:
    """Audio in either letter case, and a clear."""
    assert wire().parse(play("audio/pcmu", b"ab")) == (Media(b"ab"),)
    assert wire().parse(play("audio/PCMU", b"ab")) == (Media(b"ab"),)
    assert wire().parse('{"eventType":"clear"}') == (Clear(),)


@pytest.mark.parametrize(
    "message",
    [
        b"\xff",
        "x",
        '{"eventType":"mark"}',
        '{"eventType":"clear","streamId":"s-1"}',
        '{"eventType":"playAudio"}',
        play("audio/pcm;rate=24000;channels=1;bit-depth=16;endian=little;encoding=signed", b"ab"),
    ],
)
def test_what_is_not(message: str | bytes) -> None:
    """It would be ignored."""
    with pytest.raises(WireError):
        wire().parse(message)


async def test_a_call_with_webhook_and_document() -> None:
    """Credentials on the webhook and, as the document says, on the upgrade; parameters; what follows; the end."""
    events: list[tuple[str, str]] = []

    async def hook(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == encode_basic_auth("bw", "pw")
        event = await request.json()
        events.append((event["eventType"], event["callId"]))
        return web.Response(text=document(KEPT.format(url=gateway.url)), content_type="application/xml")

    async def script(peer: Peer) -> None:
        await peer.next()
        await peer.send(play("audio/pcmu", b"\x00" * 800))
        await peer.until(lambda message: '"sequenceNumber":"10"' in str(message))
        await peer.socket.close()

    async with scripted(script, hooks={"/answer": hook, "/status": hook}) as gateway:
        async with dial(
            "bandwidth",
            answer_url=f"{gateway.base_url}/answer",
            status_url=f"{gateway.base_url}/status",
            to="+2",
            from_="+1",
            secrets=SECRETS,
            call_id="c-7",
        ) as phone:
            await phone.closed.wait()
        peer = await gateway.peer()
    assert json.loads(peer.texts[0])["streamParams"] == {"tok": "abc"}
    assert peer.headers["Authorization"] == encode_basic_auth("u", "p")
    assert events == [("initiate", "c-7"), ("disconnect", "c-7")]
    assert (phone.ended_by, phone.violations) == ("gateway", [])
    assert phone.bot_audio.count(0) == 800


async def test_hang_up_and_transfer_by_rest() -> None:
    """A token, then the update; a redirect is asked for and obeyed."""

    async def hook(request: web.Request) -> web.Response:
        if "transfer" in request.query:
            verbs = f"<Transfer><PhoneNumber>{request.query['transfer']}</PhoneNumber></Transfer>"
        else:
            verbs = KEPT.format(url=gateway.url)
        return web.Response(text=document(verbs), content_type="application/xml")

    async def listen(peer: Peer) -> None:
        await peer.next()

    for body, event in (
        ({"state": "completed"}, "hang_up"),
        ({"state": "active", "redirectUrl": "{base}/answer?transfer=%2B3"}, "transfer"),
    ):
        async with SimulatedApi.serving() as api, scripted(listen, hooks={"/answer": hook}) as gateway:
            answer_url = f"{gateway.base_url}/answer"
            async with (
                dial("bandwidth", answer_url=answer_url, secrets=SECRETS, call_id="c-7", api=api) as phone,
                ClientSession() as http,
            ):
                token_url = f"{api.url}/api/v1/oauth2/token"
                form = {"grant_type": "client_credentials"}
                wrong, secret = (
                    {"Authorization": encode_basic_auth("id", password)} for password in ("wrong", "secret")
                )
                async with http.post(token_url, data=form, headers=wrong) as reply:
                    assert reply.status == 401
                async with http.post(token_url, data=form, headers=secret) as reply:
                    bearer = {"Authorization": f"Bearer {(await reply.json())['access_token']}"}
                calls = f"{api.url}/api/v2/accounts/5555555/calls"
                update = {name: value.format(base=gateway.base_url) for name, value in body.items()}
                async with http.post(f"{calls}/c-7", json=update) as reply:
                    assert reply.status == 401
                async with http.post(f"{calls}/c-8", json=update, headers=bearer) as reply:
                    assert reply.status == 404
                async with http.post(f"{calls}/c-7", json={}, headers=bearer) as reply:
                    assert reply.status == 400
                async with http.post(f"{calls}/c-7", json=update, headers=bearer) as reply:
                    assert reply.status == 200
                await phone.closed.wait()
            await gateway.peer()
        assert phone.messages[-1].event == event
        assert phone.messages[-1].name == ("+3" if event == "transfer" else "by REST")


def answering(text: str, content_type: str = "application/xml") -> Hook:
    async def hook(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=content_type)

    return hook


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("{}", "is not XML"),
        ("<Response/>", "has no verbs"),
        (document("<Hangup/>"), "rejected the call: busy"),
        (document('<StartStream destination="wss://x"/><Pause duration="9"/>'), "one-way"),
        (document('<StartStream mode="bidirectional" destination="wss://x"/>'), "ends at once: .* is nothing"),
        (document('<StartStream mode="bidirectional" destination="wss://x"/><Hangup/>'), "ends at once: .* is Hangup"),
        (
            document('<StartStream name="a" mode="bidirectional" destination="wss://x"/><StopStream name="a"/>'),
            "ends at once",
        ),
        (
            document('<StartStream mode="bidirectional" tracks="both" destination="wss://x"/><Pause duration="9"/>'),
            "expected inbound",
        ),
    ],
)
async def test_documents_that_make_no_call(answer: str, says: str) -> None:
    """The gateway's mistake is named."""

    async def never(_: Peer) -> None:
        raise AssertionError

    async with scripted(never, hooks={"/answer": answering(answer)}) as gateway:
        with pytest.raises(GatewayError, match=says):
            async with dial("bandwidth", answer_url=f"{gateway.base_url}/answer"):
                pass


async def test_a_stream_that_is_opened_without_asking() -> None:
    """With the numbers as parameters; fresh ids in Bandwidth's form."""

    async def listen(peer: Peer) -> None:
        await peer.next()

    async with scripted(listen) as gateway:
        async with dial("bandwidth", gateway.url, to="+2", from_="+1"):
            pass
        peer = await gateway.peer()
    assert json.loads(peer.texts[0])["streamParams"] == {"from": "+1", "to": "+2"}
    assert json.loads(peer.texts[-1])["eventType"] == "stop"
    assert provider.new_call_id()[:2] == "c-"
