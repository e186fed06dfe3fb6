"""The simulated Twilio on a real socket, against a gateway that each test scripts."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from gateway.audio.formats import PCMA, PCMU
from gateway.errors import GatewayError, InputError
from gateway.sim.providers.twilio import signature
from tests.twilio_phone import SimulatedTwilio, Tick

SPOKEN = b"\x11"
Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The gateway's end: every message is kept; a script says what is sent."""

    def __init__(self, socket: web.WebSocketResponse, headers: dict[str, str]) -> None:
        self.socket = socket
        self.headers = headers
        self.messages: list[dict[str, Any]] = []

    async def until(self, event: str, count: int = 1) -> dict[str, Any]:
        """Read until ``count`` more messages of this event have come; the last of them."""
        while True:
            message: dict[str, Any] = json.loads(await self.socket.receive_str(timeout=10))
            self.messages.append(message)
            count -= message["event"] == event
            if not count:
                return message

    async def until_closed(self) -> None:
        """Read to the end."""
        async for message in self.socket:
            assert message.type is WSMsgType.TEXT
            self.messages.append(json.loads(message.data))

    async def order(self, event: str, **body: object) -> None:
        """Send an order for this stream."""
        await self.socket.send_json({"event": event, "streamSid": self.sid, **body})

    async def play(self, audio: bytes) -> None:
        """Send audio."""
        await self.order("media", media={"payload": base64.b64encode(audio).decode()})

    async def mark(self, name: str) -> None:
        """Set a mark."""
        await self.order("mark", mark={"name": name})

    @property
    def sid(self) -> str:
        """The stream's id, from start."""
        return next(str(message["streamSid"]) for message in self.messages if message["event"] == "start")

    def all(self, event: str) -> list[dict[str, Any]]:
        """All messages of an event."""
        return [message for message in self.messages if message["event"] == event]


@asynccontextmanager
async def gateway(script: Script) -> AsyncIterator[tuple[str, asyncio.Future[Peer]]]:
    """A gateway on 127.0.0.1 that runs ``script`` after start, then reads to the end: its URL, and the peer then."""
    done: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        peer = Peer(socket, dict(request.headers))
        try:
            await peer.until("start")
            await script(peer)
            await peer.until_closed()
        finally:  # aiohttp's test server cancels the handler of a connection that is lost
            done.set_result(peer)
        return socket

    app = web.Application()
    app.router.add_get("/stream/twilio", stream)
    async with TestServer(app) as server:
        yield f"ws://127.0.0.1:{server.port}/stream/twilio", done


async def nothing(peer: Peer) -> None:
    """A gateway that only listens."""


async def test_a_call_begins_and_ends_as_twilio_begins_and_ends_it() -> None:
    """connected, start with the parameters, numbered media, stop, then a normal close."""
    three_frames = asyncio.Event()

    async def listen(peer: Peer) -> None:
        await peer.until("media", 3)
        three_frames.set()

    async with gateway(listen) as (url, done):
        async with SimulatedTwilio.connect(url, to="+2", from_="+1") as phone:
            await three_frames.wait()
        peer = await asyncio.wait_for(done, 10)
    assert [message["event"] for message in peer.messages[:3]] == ["connected", "start", "media"]
    assert peer.messages[1]["start"]["customParameters"] == {"from": "+1", "to": "+2"}
    assert [int(message["sequenceNumber"]) for message in peer.messages[1:]] == list(range(1, len(peer.messages)))
    assert peer.messages[-1]["event"] == "stop"
    assert peer.socket.close_code == 1000
    assert phone.closed.is_set()
    assert (phone.ended_by, phone.close_code) == ("caller", 1000)


async def test_what_the_caller_says_goes_out_in_whole_frames_without_a_gap() -> None:
    """160 bytes every 20 ms on the stream's own clock; silence before, between and behind."""
    spoken = asyncio.Event()

    async def listen(peer: Peer) -> None:
        await peer.until("media", 12)
        spoken.set()

    async with gateway(listen) as (url, done):
        async with SimulatedTwilio.connect(url) as phone:
            phone.say(b"\x01" * 100)
            phone.say(b"\x02" * 300)
            await spoken.wait()
            assert not phone.saying
        peer = await asyncio.wait_for(done, 10)
    frames = [base64.b64decode(message["media"]["payload"]) for message in peer.all("media")]
    assert {len(frame) for frame in frames} == {160}
    assert b"".join(frames).strip(b"\xff") == b"\x01" * 100 + b"\x02" * 300
    assert b"".join(frames) == phone.caller_audio
    stamps = [int(message["media"]["timestamp"]) for message in peer.all("media")]
    assert stamps == list(range(0, 20 * len(frames), 20))


async def test_frames_stay_on_an_absolute_clock() -> None:
    """A stall of the loop delays frames, never their number: afterwards as many have been sent as time has passed."""
    ticks: list[Tick] = []

    async with gateway(nothing) as (url, done):
        enough = asyncio.Event()

        def tick(this: Tick) -> None:
            ticks.append(this)
            if this.number == 5:
                block_s(0.2)
            if this.number == 30:
                enough.set()

        async with SimulatedTwilio.connect(url, on_tick=tick) as phone:
            await enough.wait()
        await asyncio.wait_for(done, 10)
    assert [this.number for this in ticks] == list(range(len(ticks)))
    assert all(this.at >= phone.started_at + this.number * 0.02 - 0.001 for this in ticks)
    assert phone.clock.late_frames >= 8  # each against its own due time: one stall does not move those behind it
    assert phone.clock.worst_late_ms >= 180


def block_s(duration_s: float) -> None:
    """Hold the event loop up, as a busy machine does."""
    loop = asyncio.get_running_loop()
    end = loop.time() + duration_s
    while loop.time() < end:
        pass


async def test_marks_return_when_the_caller_has_heard_up_to_them() -> None:
    """Two frames of audio: the mark comes back with the second; a mark on an idle buffer comes back at once."""
    returned: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.mark("at once")
        returned.append((await peer.until("mark"))["mark"]["name"])
        await peer.play(SPOKEN * 320)
        await peer.mark("heard")
        returned.append((await peer.until("mark"))["mark"]["name"])
        await peer.socket.close()

    async with gateway(script) as (url, _), SimulatedTwilio.connect(url) as phone:
        await phone.closed.wait()
    assert returned == ["at once", "heard"]
    assert phone.bot_audio.strip(b"\xff") == SPOKEN * 320
    assert [message.event for message in phone.messages] == ["mark", "media", "mark"]
    assert [message.position for message in phone.messages] == [0, 0, 320]


async def test_clear_stops_the_bot_and_tells_what_was_really_played() -> None:
    """The marks come back, the rest is thrown away, and the record of the clear holds both numbers."""
    names: list[str] = []
    silent_again = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.play(SPOKEN * 1_600)
        for name in ("a", "b", "c"):
            await peer.mark(name)
        await peer.until("media", 3)
        await peer.order("clear")
        names.extend([(await peer.until("mark"))["mark"]["name"] for _ in range(3)])
        await peer.until("media", 3)
        silent_again.set()

    async with gateway(script) as (url, done):
        async with SimulatedTwilio.connect(url) as phone:
            await silent_again.wait()
        await asyncio.wait_for(done, 10)
    assert names == ["a", "b", "c"]
    (clear,) = phone.clears
    assert clear.cleared is not None
    heard = len(bytes(phone.bot_audio).strip(b"\xff"))
    assert clear.cleared.run_bytes == heard == phone.playout.played_bytes
    assert clear.cleared.discarded_bytes == 1_600 - heard
    assert clear.at >= phone.started_at


async def test_what_twilio_would_not_understand_is_noted_and_ignored() -> None:
    """The call goes on, and the next valid order works."""

    async def script(peer: Peer) -> None:
        await peer.socket.send_str("hello")
        await peer.socket.send_bytes(b"\x00")
        await peer.order("media", media={"payload": "AQID", "track": "outbound"})
        await peer.mark("fine")
        await peer.until("mark")
        await peer.socket.close(code=4000)

    async with gateway(script) as (url, _), SimulatedTwilio.connect(url) as phone:
        await phone.closed.wait()
    assert [violation.code for violation in phone.violations] == [31951] * 3
    assert "binary" in phone.violations[1].what
    assert "unknown field `track`" in phone.violations[2].what
    assert (phone.ended_by, phone.close_code) == ("gateway", 4000)


async def test_more_than_ten_minutes_of_audio_are_discarded_with_one_warning() -> None:
    """31931, once per stream."""

    async def script(peer: Peer) -> None:
        for _ in range(7):
            await peer.play(bytes(8_000 * 100))
        await peer.order("clear")
        await peer.mark("done")
        await peer.until("mark")
        await peer.socket.close()

    async with gateway(script) as (url, _), SimulatedTwilio.connect(url) as phone:
        await phone.closed.wait()
    assert [violation.code for violation in phone.violations] == [31931]


async def test_keys_are_pressed_in_the_stream() -> None:
    """One message per digit."""
    async with gateway(nothing) as (url, done):
        async with SimulatedTwilio.connect(url) as phone:
            await phone.press("4")
            await phone.press("#")
        peer = await asyncio.wait_for(done, 10)
    assert [message["dtmf"]["digit"] for message in peer.all("dtmf")] == ["4", "#"]


async def test_a_dropped_connection_has_neither_stop_nor_close() -> None:
    """As when a network fails."""
    async with gateway(nothing) as (url, done):
        async with SimulatedTwilio.connect(url) as phone:
            await phone.drop()
            await phone.closed.wait()
        peer = await asyncio.wait_for(done, 10)
    assert peer.all("stop") == []
    assert peer.socket.close_code is None
    assert (phone.ended_by, phone.close_code) == ("caller", 1006)


async def test_the_upgrade_is_signed_over_the_url_without_its_query() -> None:
    """Twilio drops the query and signs what it opens."""
    async with gateway(nothing) as (url, done):
        async with SimulatedTwilio.connect(url + "?token=1", auth_token="12345"):
            pass
        peer = await asyncio.wait_for(done, 10)
    assert peer.headers["X-Twilio-Signature"] == signature("12345", url)


async def test_an_a_law_call_is_a_law_throughout() -> None:
    """Format in start, silence in the frames, silence that is heard."""
    async with gateway(nothing) as (url, done):
        async with SimulatedTwilio.connect(url, audio_format=PCMA) as phone:
            pass
        peer = await asyncio.wait_for(done, 10)
    assert peer.messages[1]["start"]["mediaFormat"]["encoding"] == "audio/x-alaw"
    assert set(phone.caller_audio) <= {0xD5}
    assert PCMU.silence(20) not in bytes(phone.bot_audio)


async def test_without_keep_only_counters_grow() -> None:
    """For many calls at once: no audio and no messages are held."""

    async def script(peer: Peer) -> None:
        await peer.play(SPOKEN * 320)
        await peer.mark("heard")
        await peer.until("mark")
        await peer.socket.close()

    async with gateway(script) as (url, _), SimulatedTwilio.connect(url, keep=False) as phone:
        await phone.closed.wait()
    assert not phone.messages
    assert not phone.bot_audio + phone.caller_audio
    assert phone.playout.played_bytes == 320
    assert phone.clock.frames >= 2


async def test_an_error_in_the_body_is_raised_as_it_is_and_ends_the_call() -> None:
    """Not wrapped in a group: a test that uses the phone sees its own assertion."""
    async with gateway(nothing) as (url, done):
        with pytest.raises(ZeroDivisionError):
            async with SimulatedTwilio.connect(url):
                raise ZeroDivisionError
        peer = await asyncio.wait_for(done, 10)
    assert peer.all("stop") == []


@pytest.mark.parametrize(("path", "status"), [("/nowhere", "404"), ("/closed", "401")])
async def test_a_refused_stream_is_one_clear_line(path: str, status: str) -> None:
    """The line names the URL and the status."""

    async def unauthorized(_: web.Request) -> web.Response:
        return web.Response(status=401)

    app = web.Application()
    app.router.add_get("/closed", unauthorized)
    async with TestServer(app) as server:
        url = f"ws://127.0.0.1:{server.port}{path}"
        with pytest.raises(GatewayError, match=f"the stream {url} was refused: {status} .*expected 101"):
            async with SimulatedTwilio.connect(url):
                pass


async def test_nobody_listening_is_one_clear_line(unused_tcp_port: int) -> None:
    """The line names the URL."""
    url = f"ws://127.0.0.1:{unused_tcp_port}/stream/twilio"
    with pytest.raises(GatewayError, match=f"the stream {url} cannot be reached: Connection refused") as caught:
        async with SimulatedTwilio.connect(url):
            pass
    assert "\n" not in str(caught.value)


async def test_what_is_no_url_is_the_operator_s_mistake() -> None:
    """Exit 2, with an example."""
    with pytest.raises(InputError, match="expected one like ws://"):
        async with SimulatedTwilio.connect("localhost"):
            pass
