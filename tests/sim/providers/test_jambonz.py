"""jambonz' simulated end: its buffer and marks, its signature, its verbs, against gateways that are scripted."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth, web

from gateway.audio.formats import L16_8K, L16_16K
from gateway.errors import GatewayError, WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import Clear, HangUp, Mark, Media, Send, SimCall, StreamOpening, Violated
from gateway.sim.providers.jambonz import JambonzWire, signature
from tests.sim.scripted import Peer, scripted

SECRETS = {"webhook_secret": "my_auth_token", "api_key": "key"}
BOTH = {"enabled": True, "streaming": True, "sampleRate": 16000}


def wire() -> JambonzWire:
    return JambonzWire(SimCall("+2", "+1", "c-1", "s-1", L16_8K), StreamOpening("ws://x", parameters={"k": "v"}))


def mark(name: str) -> str:
    return json.dumps({"type": "mark", "data": {"name": name}})


def ms(duration: int) -> bytes:
    return b"\x01\x00" * 8 * duration


def test_the_wire_s_messages() -> None:
    """The attributes with the verb's metadata, binary audio, a key, a mark's two ends."""
    (start,) = wire().opening()
    read = json.loads(start)
    assert (read["callSid"], read["sampleRate"], read["from"], read["k"]) == ("c-1", 8000, "+1", "v")
    assert wire().media(b"ab", 0) == (b"ab",)
    assert wire().key("5") == ('{"event":"dtmf","dtmf":"5","duration":"1600"}',)
    assert wire().mark_returned("m", cleared=False) == ('{"type":"mark","data":{"name":"m","event":"playout"}}',)
    assert wire().mark_returned("m", cleared=True) == ('{"type":"mark","data":{"name":"m","event":"cleared"}}',)


def test_audio_waits_until_there_is_enough() -> None:
    """160 ms before the first is played, 80 ms later; marks stand in front of the audio that came behind them."""
    phone = wire()
    assert phone.parse(ms(100)) == ()
    assert phone.parse(mark("a")) == ()
    assert phone.parse(ms(60)) == [Media(ms(100)), Mark("a"), Media(ms(60))]
    assert phone.parse(ms(60)) == ()
    assert phone.parse(mark("b")) == ()
    assert phone.parse(ms(20)) == [Media(ms(60)), Mark("b"), Media(ms(20))]


def test_a_mark_without_audio_behind_it_waits() -> None:
    """However long."""
    phone = wire()
    phone.parse(ms(160))
    assert phone.parse(mark("a")) == ()
    assert phone.parse(ms(80)) == [Mark("a"), Media(ms(80))]


def test_a_dangling_byte_waits_for_its_other_half() -> None:
    """It goes in front of the next message."""
    phone = wire()
    assert phone.parse(ms(160) + b"\x02") == [Media(ms(160))]
    assert phone.parse(b"\x00" + ms(80)) == [Media(b"\x02\x00" + ms(80))]


def test_kill_audio_returns_every_mark() -> None:
    """Those that wait in the buffer, and those that wait for audio, too."""
    phone = wire()
    phone.parse(mark("a"))
    phone.parse(ms(20))
    phone.parse(mark("b"))
    returned = [phone.mark_returned(name, cleared=True)[0] for name in ("a", "b")]
    assert phone.parse('{"type":"killAudio"}') == (Clear(), Send(returned))
    assert phone.parse('{"type":"killAudio"}') == (Clear(),)
    assert phone.parse(ms(160)) == [Media(ms(160))]


def test_marks_beyond_the_limit_are_discarded() -> None:
    """30 outstanding; one that came back makes room."""
    phone = wire()
    for number in range(30):
        assert phone.parse(mark(str(number))) == ()
    (violated,) = phone.parse(mark("30"))
    assert isinstance(violated, Violated)
    phone.parse(ms(160))
    phone.mark_returned("0", cleared=False)
    assert phone.parse(mark("31")) == ()


def test_disconnect_ends_the_verb() -> None:
    """And with it the stream."""
    assert wire().parse('{"type":"disconnect"}') == (HangUp("disconnect"),)


@pytest.mark.parametrize("message", ["x", "[]", '{"type":"mark"}', '{"type":"playAudio","data":{}}', "[" * 100_000])
def test_what_is_not_understood(message: str) -> None:
    """It would be ignored."""
    with pytest.raises(WireError):
        wire().parse(message)


def test_signature_vector() -> None:
    """Computed as the vendor's client does."""
    expected = "dd28b17efb23ffb7f20a460f4cb56c5253c47bbf7f369993410cc94d6f2c19f2"
    assert signature("my_auth_token", b'{"call_sid":"abc"}', 1_700_000_000) == f"t=1700000000,v1={expected}"


def listen(url: str, **more: Any) -> list[dict[str, Any]]:
    verb = {"verb": "listen", "url": url, "sampleRate": 16000, "bidirectionalAudio": BOTH, **more}
    return [{"verb": "answer"}, verb, {"verb": "hangup"}]


async def test_a_call_with_webhook_and_verbs() -> None:
    """Signed webhooks, the verb's rates, credentials and metadata on the stream, its end told to both hooks."""
    told: list[tuple[str, str]] = []

    async def hook(request: web.Request) -> web.Response:
        given = request.headers["Jambonz-Signature"]
        at = int(given.partition(",")[0].removeprefix("t="))
        assert given == signature("my_auth_token", await request.read(), at)
        told.append((request.path, (await request.json())["call_status"]))
        verbs = listen(
            gateway.url,
            actionHook=f"{gateway.base_url}/after",
            wsAuth={"username": "u", "password": "p"},
            metadata={"k": "v"},
        )
        return web.json_response(verbs)

    async def script(peer: Peer) -> None:
        await peer.next()
        await peer.send(b"\x01\x00" * 3200, mark("a"), bytes(2560))
        await peer.until(lambda message: '"playout"' in str(message))
        await peer.send('{"type":"disconnect"}')

    hooks = {"/answer": hook, "/after": hook, "/status": hook}
    async with scripted(script, subprotocols=("audio.jambonz.org",), hooks=hooks) as gateway:
        async with dial(
            "jambonz",
            answer_url=f"{gateway.base_url}/answer",
            status_url=f"{gateway.base_url}/status",
            secrets=SECRETS,
        ) as phone:
            await phone.closed.wait()
        peer = await gateway.peer()
    assert told == [("/answer", "trying"), ("/after", "in-progress"), ("/status", "completed")]
    assert peer.headers["Authorization"] == encode_basic_auth("u", "p")
    assert json.loads(peer.texts[0])["k"] == "v"
    assert phone.audio_format == phone.bot_format == L16_16K
    assert {len(frame) for frame in peer.binaries} == {640}
    assert bytes(phone.bot_audio).count(b"\x01\x00") == 3200
    assert (phone.ended_by, phone.violations) == ("gateway", [])


async def test_hang_up_and_transfer_by_rest() -> None:
    """With the account's key; other verbs are asked for and obeyed."""

    async def hook(request: web.Request) -> web.Response:
        if "transfer" in request.query:
            target = {"type": "phone", "number": request.query["transfer"]}
            return web.json_response([{"verb": "dial", "target": [target]}])
        return web.json_response(listen(gateway.url))

    async def only_listen(peer: Peer) -> None:
        await peer.next()

    for body, event, name in (
        ({"call_status": "completed"}, "hang_up", "by REST"),
        ({"call_hook": "{base}/answer?transfer=%2B3"}, "transfer", "+3"),
    ):
        async with (
            SimulatedApi.serving() as api,
            scripted(only_listen, subprotocols=("audio.jambonz.org",), hooks={"/answer": hook}) as gateway,
        ):
            answer_url = f"{gateway.base_url}/answer"
            async with (
                dial("jambonz", answer_url=answer_url, secrets=SECRETS, call_id="c-7", api=api) as phone,
                ClientSession() as http,
            ):
                calls, bearer = f"{api.url}/api/v1/Accounts/acct/Calls", {"Authorization": "Bearer key"}
                update = {key: value.format(base=gateway.base_url) for key, value in body.items()}
                for path, headers, status in (("c-7", {}, 401), ("c-8", bearer, 404), ("c-7", bearer, 202)):
                    api.transfer_refusal = 500
                    if status == 202 and event == "transfer":
                        assert (await http.put(f"{calls}/{path}", json=update, headers=headers)).status == 500
                    api.transfer_refusal = None
                    async with http.put(f"{calls}/{path}", json=update, headers=headers) as reply:
                        assert reply.status == status
                await phone.closed.wait()
            await gateway.peer()
        assert (phone.messages[-1].event, phone.messages[-1].name) == (event, name)


@pytest.mark.parametrize(
    ("verbs", "says"),
    [
        ({}, "no list of verbs"),
        ([], "no list of verbs"),
        ([{"verb": "hangup"}], "no listen verb"),
        (listen("wss://x", bidirectionalAudio={"enabled": True}), "does not stream both ways"),
        (listen("wss://x", mixType="stereo"), "mono alone"),
        (listen("wss://x", sampleRate=48000), "sample rates"),
        (listen("wss://x", bidirectionalAudio={"streaming": True}), "sample rates"),
    ],
)
async def test_verbs_that_make_no_call(verbs: object, says: str) -> None:
    """The gateway's mistake is named."""

    async def hook(_: web.Request) -> web.Response:
        return web.json_response(verbs)

    async def never(_: Peer) -> None:
        raise AssertionError

    async with scripted(never, hooks={"/answer": hook}) as gateway:
        with pytest.raises(GatewayError, match=says):
            async with dial("jambonz", answer_url=f"{gateway.base_url}/answer"):
                pass


async def test_the_sub_protocol_is_needed() -> None:
    """A gateway that does not take it gets no call; without asking, the stream secret is the password."""

    async def only_listen(peer: Peer) -> None:
        await peer.next()

    async with scripted(only_listen) as gateway:
        with pytest.raises(GatewayError, match=r"without sub-protocol audio\.jambonz\.org"):
            async with dial("jambonz", gateway.url):
                pass
    async with scripted(only_listen, subprotocols=("audio.jambonz.org",)) as gateway:
        async with dial("jambonz", gateway.url, secrets={"stream_secret": "s"}):
            pass
        peer = await gateway.peer()
    assert peer.headers["Authorization"] == encode_basic_auth("gateway", "s")
