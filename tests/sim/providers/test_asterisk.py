"""Asterisk's simulated end: its commands in words and in JSON, its queue, against gateways that are scripted."""

import json

import pytest
from aiohttp import encode_basic_auth

from gateway.audio.formats import L16_16K, PCMA, PCMU, AudioFormat
from gateway.errors import GatewayError, WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.wire import (
    Clear,
    Close,
    HangUp,
    Mark,
    Media,
    Message,
    Order,
    Pause,
    Send,
    SimCall,
    StreamOpening,
    Violated,
)
from gateway.sim.providers.asterisk import AsteriskWire
from tests.sim.scripted import Peer, scripted


def wire(*quirks: str, audio_format: AudioFormat = PCMU) -> AsteriskWire:
    call = SimCall("+2", "+1", "1761245643.1", "gw", audio_format, quirks=frozenset(quirks))
    return AsteriskWire(call, StreamOpening("ws://x"))


def test_the_wire_s_messages_in_words() -> None:
    """As documented."""
    phone = wire()
    assert phone.opening() == (
        "MEDIA_START connection_id:gw channel:WebSocket/gw/0x7f1c channel_id:1761245643.1 format:ulaw"
        " optimal_frame_size:160 ptime:20",
    )
    assert phone.media(b"ab", 0) == (b"ab",)
    assert phone.key("5") == ("DTMF_END digit:5 channel_id:1761245643.1",)
    assert phone.mark_returned("m", cleared=False) == ("MEDIA_MARK_PROCESSED m",)
    assert phone.parse("GET_STATUS") == (
        Send(
            (
                "STATUS channel_id:1761245643.1 queue_length:0 xon_level:800 xoff_level:900 queue_full:false"
                " bulk_media:false media_paused:false",
            )
        ),
    )


def test_the_wire_s_messages_in_json() -> None:
    """The same in JSON."""
    phone = wire("json", audio_format=L16_16K)
    (start,) = phone.opening()
    read = json.loads(start)
    assert (read["event"], read["format"], read["optimal_frame_size"]) == ("MEDIA_START", "slin16", 640)
    assert read["channel_variables"]["MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE"] == "640"
    assert phone.key("5") == ('{"event":"DTMF_END","channel_id":"1761245643.1","digit":"5"}',)
    (returned,) = phone.mark_returned("m", cleared=False)
    assert json.loads(returned)["correlation_id"] == "m"
    (status,) = phone.parse('{"command":"GET_STATUS"}')
    assert isinstance(status, Send)
    assert json.loads(status.messages[0])["media_paused"] is False


def test_a_flush_throws_marks_away() -> None:
    """Without a word."""
    assert wire().mark_returned("m", cleared=True) == ()


@pytest.mark.parametrize(
    ("words", "command", "order"),
    [
        ("MARK_MEDIA g1-1", '{"command":"MARK_MEDIA","correlation_id":"g1-1"}', Mark("g1-1")),
        ("FLUSH_MEDIA", '{"command":"FLUSH_MEDIA"}', Clear()),
        ("HANGUP", '{"command":"HANGUP"}', HangUp()),
        ("PAUSE_MEDIA", '{"command":"PAUSE_MEDIA"}', Pause(True)),
        ("CONTINUE_MEDIA", '{"command":"CONTINUE_MEDIA"}', Pause(False)),
        ("ANSWER", '{"command":"ANSWER"}', None),
    ],
)
def test_commands(words: str, command: str, order: Order | None) -> None:
    """In both forms."""
    expected = () if order is None else (order,)
    assert wire().parse(words) == wire("json").parse(command) == expected


@pytest.mark.parametrize("message", ["hangup", "X" * 129, '{"command":"HANGUP"}', "START_MEDIA_BUFFERING", ""])
def test_commands_that_are_none(message: str) -> None:
    """They are case-sensitive, short, and in the form that was chosen."""
    with pytest.raises(WireError):
        wire().parse(message)


@pytest.mark.parametrize("message", ["HANGUP", "[]", "{}", '{"command":7}'])
def test_commands_that_are_none_in_json(message: str) -> None:
    """The same, where JSON was chosen."""
    with pytest.raises(WireError):
        wire("json").parse(message)


def test_only_whole_frames_are_played() -> None:
    """The rest is dropped."""
    assert wire().parse(b"a" * 320) == (Media(b"a" * 320),)
    lost, media = wire().parse(b"a" * 330)
    assert isinstance(lost, Violated)
    assert media == Media(b"a" * 320)
    (lost,) = wire().parse(b"a" * 10)
    assert isinstance(lost, Violated)


@pytest.mark.parametrize("message", [b"a" * 65_501, "a" * 65_501])
def test_a_message_too_long_ends_the_call(message: Message) -> None:
    """Text or binary."""
    violated, close = wire().parse(message)
    assert isinstance(violated, Violated)
    assert close == Close(1009)


def test_flow_control() -> None:
    """At 900 frames the gateway is told to wait, below 800 to go on, each once."""
    phone = wire()
    assert phone.tick(0, 17_980) == ()
    assert phone.tick(20, 18_000) == ("MEDIA_XOFF",)
    assert phone.tick(40, 18_000) == phone.tick(60, 16_000) == ()
    assert phone.tick(80, 15_980) == ("MEDIA_XON",)
    assert phone.tick(100, 15_960) == ()


def test_a_drained_queue_is_told_when_asked_for() -> None:
    """Once."""
    phone = wire()
    assert phone.playback_ended() == ()
    phone.parse("REPORT_QUEUE_DRAINED")
    assert phone.playback_ended() == ("QUEUE_DRAINED",)
    assert phone.playback_ended() == ()


async def test_a_call() -> None:
    """The numbers in the query, the password on the upgrade, the sub-protocol; a mark; the gateway's hang-up."""

    async def script(peer: Peer) -> None:
        await peer.next()
        await peer.send(b"\x01" * 640, "MARK_MEDIA m")
        await peer.until("MEDIA_MARK_PROCESSED m")
        await peer.send("HANGUP")

    async with scripted(script, subprotocols=("media",)) as gateway:
        async with dial(
            "asterisk", gateway.url, to="+2", from_="+1", audio_format=PCMA, secrets={"stream_secret": "s"}
        ) as phone:
            await phone.closed.wait()
        peer = await gateway.peer()
    assert peer.url.endswith("/stream?from=%2B1&to=%2B2") or peer.url.endswith("/stream?from=+1&to=+2")
    assert peer.headers["Authorization"] == encode_basic_auth("asterisk", "s")
    assert " format:alaw " in peer.texts[0]
    assert phone.bot_audio.count(1) == 640
    assert (phone.ended_by, phone.end_reason, phone.violations) == ("gateway", "the gateway hung up", [])


async def test_a_server_s_ping_hung_up_older_builds() -> None:
    """With the quirk; without it a pong comes back."""

    async def script(peer: Peer) -> None:
        await peer.next()
        await peer.socket.ping()

    async with scripted(script, subprotocols=("media",)) as gateway:
        async with dial("asterisk", gateway.url, quirks=("ping",)) as phone:
            await phone.closed.wait()
        await gateway.peer()
    assert phone.close_code == 1006
    assert "ping" in phone.violations[0].what


async def test_audio_may_come_early() -> None:
    """With the quirk."""
    opening = wire("early").opening()
    assert opening[0] == b"\xff" * 160
    assert str(opening[-1]).startswith("MEDIA_START")


async def test_nobody_is_asked() -> None:
    """There is no webhook, the stream beside it is opened; and without the sub-protocol no stream."""
    with pytest.raises(GatewayError, match=r"ws://127\.0\.0\.1:1/stream/asterisk"):
        async with dial("asterisk", answer_url="http://127.0.0.1:1/answer/asterisk"):
            pass

    async def listen(peer: Peer) -> None:
        await peer.next()

    async with scripted(listen) as gateway:
        with pytest.raises(GatewayError, match="without sub-protocol media"):
            async with dial("asterisk", gateway.url):
                pass
