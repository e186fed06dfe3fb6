"""A whole simulated call on a real socket, against a gateway that each test scripts."""

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestServer

from gateway.audio import g711
from gateway.audio.formats import PCMA, PCMU, AudioFormat
from gateway.errors import GatewayError, InputError
from gateway.sim.caller.call import CallPlan, CallResult, Progress, place_call
from gateway.sim.caller.caller import Patience, Utterance
from gateway.sim.caller.keys import Press
from gateway.sim.caller.recording import Recording, from_samples
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.providers.twilio import signature
from gateway.sim.report.folder import write_folder
from tests.virtual_time import virtual_time

Bot = Callable[["Line"], Awaitable[None]]
QUICK = Patience(greeting_s=1.0, reply_s=1.0, turn_gap_s=0.1)


def tone(duration_ms: int, audio_format: AudioFormat = PCMU) -> bytes:
    """A voice."""
    samples = (np.sin(np.arange(duration_ms * 8) * 0.3) * 6_000).astype(np.int16)
    return g711.encode(samples, audio_format)


def says(name: str, duration_ms: int = 200, *, interrupt_after_ms: int | None = None) -> Utterance:
    """An utterance whose speech begins after 60 ms."""
    samples = g711.decode(PCMU.silence(60) + tone(duration_ms - 60), PCMU)
    recording: Recording = from_samples(name, samples, 8_000, PCMU)
    return Utterance(recording, interrupt_after_ms)


class Line:
    """The gateway's end of a call, frame by frame."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self.start: dict[str, Any] = {}
        self.marks: list[str] = []
        self.keys = ""

    async def next(self) -> bytes:
        """The next frame of the caller; marks and the start are kept on the way. Raises ``EOFError`` at the stop."""
        while True:
            message = await self._socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise EOFError
            event = json.loads(message.data)
            match event["event"]:
                case "media":
                    return base64.b64decode(event["media"]["payload"])
                case "start":
                    self.start = event["start"]
                case "mark":
                    self.marks.append(event["mark"]["name"])
                case "dtmf":
                    self.keys += event["dtmf"]["digit"]
                case "stop":
                    raise EOFError

    async def until_spoken(self, *, ended: bool) -> None:
        """Read until the caller speaks, or until it has spoken and fallen silent."""
        for wanted in (True, False) if ended else (True,):
            while (len(set(await self.next())) > 1) is not wanted:
                pass

    async def order(self, event: str, **body: object) -> None:
        """Send an order."""
        await self._socket.send_json({"event": event, "streamSid": self.start["streamSid"], **body})

    async def play(self, audio: bytes, mark: str) -> None:
        """Send audio and a mark behind it."""
        await self.order("media", media={"payload": base64.b64encode(audio).decode()})
        await self.order("mark", mark={"name": mark})

    async def hang_up(self) -> None:
        """Close the stream."""
        await self._socket.close()


@asynccontextmanager
async def gateway(bot: Bot) -> AsyncIterator[str]:
    """A gateway on 127.0.0.1 with this bot; the stream's URL."""

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line = Line(socket)
        try:
            await line.next()
            await bot(line)
            while True:
                await line.next()
        except EOFError:
            return socket

    app = web.Application()
    app.router.add_get("/stream/twilio", stream)
    async with TestServer(app) as server:
        yield f"ws://127.0.0.1:{server.port}/stream/twilio"


def plan(url: str, *utterances: Utterance, **more: Any) -> CallPlan:
    """A quick call."""
    return CallPlan(utterances, to="+2", from_="+1", **{"url": url, "patience": QUICK, **more})


def kinds(result: CallResult) -> list[str]:
    """The timeline without marks."""
    return [event.kind for event in result.events if not event.kind.startswith("mark_")]


@virtual_time
async def test_a_conversation_in_turns() -> None:
    """Greeting, question, answer, good-bye: both tracks, the timeline and the figures tell it."""

    async def bot(line: Line) -> None:
        await line.play(tone(200), "greeting")
        await line.until_spoken(ended=True)
        await line.play(tone(300), "answer")

    progress: list[Progress] = []
    async with gateway(bot) as url:
        result = await place_call(plan(url, says("question.wav")), on_progress=progress.append)
    assert kinds(result) == [
        "bot_started",
        "bot_stopped",
        "caller_started",
        "caller_stopped",
        "bot_started",
        "bot_stopped",
        "ended",
    ]
    assert [step.kind for step in progress] == ["connected", *kinds(result)]
    assert progress[3].text == "question.wav"
    assert (result.ended_by, result.end_reason, result.close_code) == ("caller", "the caller said everything", 1000)
    assert [mark["name"] for mark in marks(result, "mark_returned")] == ["greeting", "answer"]
    assert result.bot_audio.replace(b"\xff", b"") == (tone(200) + tone(300)).replace(b"\xff", b"")
    assert len(result.caller_audio) == len(result.bot_audio) == result.duration_ms * 8
    (spoken,) = result.spoken
    assert result.caller_audio[spoken.start_ms * 8 : spoken.end_ms * 8] == says("question.wav").recording.audio
    (latency,) = result.measures.latencies
    assert latency.at_ms == spoken.speech[0].end_ms
    assert result.measures.bot[1].start_ms == latency.at_ms + latency.ms
    assert result.violations == ()


def marks(result: CallResult, kind: str) -> list[dict[str, Any]]:
    """The fields of all timeline events of a kind."""
    return [dict(event.fields) for event in result.events if event.kind == kind]


@virtual_time
async def test_an_interruption_is_measured_on_what_was_heard() -> None:
    """The bot clears when it hears the caller: the rest of its reply is not in the track."""

    async def bot(line: Line) -> None:
        await line.play(tone(5_000), "long")
        await line.until_spoken(ended=False)
        await asyncio.sleep(0.001)  # a clear takes its way; at the very start of a frame it would divide two spans
        await line.order("clear")

    async with gateway(bot) as url:
        result = await place_call(plan(url, says("wait.wav", interrupt_after_ms=300)))
    assert "bot_cleared" in kinds(result)
    (clear,) = result.clears
    assert clear.cleared is not None
    assert clear.cleared.run_bytes + clear.cleared.discarded_bytes == 5_000 * 8
    audible = result.measures.bot[0]
    assert clear.cleared.run_bytes == (audible.end_ms - audible.start_ms) * 8
    (barge_in,) = result.measures.barge_ins
    assert barge_in.at_ms == audible.start_ms + 300 + 60
    assert barge_in.stopped_after_ms == audible.end_ms - barge_in.at_ms
    assert marks(result, "clear")[0]["marks"] == ["long"]


@virtual_time
async def test_a_silent_gateway_is_noted_and_the_call_ends() -> None:
    """The caller speaks without a greeting and hangs up without a reply."""

    async def bot(_: Line) -> None:
        """Say nothing."""

    async with gateway(bot) as url:
        result = await place_call(plan(url, says("hello.wav")))
    notes = [note["text"] for note in marks(result, "note")]
    assert notes == ["no greeting within 1 s", "no reply within 1 s"]
    assert result.measures.latencies == ()
    assert result.ended_by == "caller"


@virtual_time
async def test_a_gateway_that_hangs_up_ends_the_call() -> None:
    """Who ended it and how is in the result; what could not be said any more is cut where the call ended."""

    async def bot(line: Line) -> None:
        await line.until_spoken(ended=False)
        await line.hang_up()

    async with gateway(bot) as url:
        result = await place_call(plan(url, says("a long story.wav", 5_000)))
    assert (result.ended_by, result.close_code) == ("gateway", 1000)
    assert result.end_reason == "the gateway closed the stream"
    assert result.spoken[0].end_ms <= result.duration_ms < 5_000
    assert result.spoken[0].speech[-1].end_ms <= result.duration_ms


@virtual_time
async def test_a_call_ends_at_its_limit_even_if_the_bot_never_stops() -> None:
    """The caller hangs up."""

    async def bot(line: Line) -> None:
        await line.play(tone(60_000), "endless")

    async with gateway(bot) as url:
        result = await place_call(plan(url, says("never said.wav"), max_duration_s=0.3))
    assert result.end_reason == "time limit of the simulated call"
    assert result.spoken == ()
    assert result.duration_ms == pytest.approx(320, abs=20)


@virtual_time
async def test_a_call_in_a_law() -> None:
    """Both tracks decode by the call's own format."""

    async def bot(line: Line) -> None:
        assert line.start["mediaFormat"]["encoding"] == "audio/x-alaw"
        await line.play(tone(200, PCMA), "greeting")

    async with gateway(bot) as url:
        result = await place_call(plan(url, audio_format=PCMA))
    stereo = result.stereo()
    assert stereo.shape == (result.duration_ms * 8, 2)
    assert np.abs(stereo[:, 0].astype(int)).max() == 8
    assert np.abs(stereo[:, 1].astype(int)).max() == pytest.approx(6_000, rel=0.05)


@virtual_time
async def test_a_call_through_the_answer_webhook() -> None:
    """The webhook is asked, and the stream it names gets its parameters and a signed upgrade."""
    seen: dict[str, Any] = {}

    async def answer(request: web.Request) -> web.Response:
        seen["form"] = dict(await request.post())
        stream = '<Stream url="/s"><Parameter name="line" value="desk"/></Stream>'
        return web.Response(text=f"<Response><Connect>{stream}</Connect></Response>", content_type="text/xml")

    async def stream(request: web.Request) -> web.WebSocketResponse:
        seen["signature"], seen["url"] = request.headers["X-Twilio-Signature"], f"ws://{request.host}/s"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line = Line(socket)
        await line.next()
        seen["start"] = line.start
        await line.hang_up()
        return socket

    app = web.Application()
    app.router.add_post("/answer", answer)
    app.router.add_get("/s", stream)
    async with TestServer(app) as server:
        answer_url = f"http://127.0.0.1:{server.port}/answer"
        result = await place_call(plan("", answer_url=answer_url, secrets={"auth_token": "12345"}))
    assert seen["form"]["To"] == "+2"
    assert seen["form"]["CallSid"] == seen["start"]["callSid"] == result.call_id
    assert seen["start"]["customParameters"] == {"line": "desk"}
    assert seen["signature"] == signature("12345", seen["url"])
    assert result.ended_by == "gateway"


@virtual_time
async def test_keys_reach_the_gateway_and_nobody_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In their order, 250 ms apart; what is kept and told of the call says when, and never which."""
    lines: list[Line] = []

    async def bot(line: Line) -> None:
        lines.append(line)
        await line.play(tone(200), "greeting")

    progress: list[Progress] = []
    presses = [Press("8675309#", 100), Press("*")]
    async with gateway(bot) as url:
        result = await place_call(plan(url, presses=presses), on_progress=progress.append)
    assert lines[0].keys == "8675309#*"
    assert kinds(result).count("key_pressed") == len(result.keys_ms) == 9
    assert all(later - earlier >= 240 for earlier, later in itertools.pairwise(result.keys_ms))
    assert [step.text for step in progress if step.kind == "key_pressed"] == [""] * 9
    assert all(event.fields == {} for event in result.events if event.kind == "key_pressed")
    write_folder(tmp_path, result)
    files = ("call.json", "events.jsonl", "report.html")
    written = "".join((tmp_path / name).read_text("utf-8") for name in files)
    shown = repr(result) + "".join(capsys.readouterr()) + "".join(map(str, progress))
    assert "8675309" not in written + shown
    assert '"digit": "' not in written


@virtual_time
async def test_keys_on_a_stream_that_carries_none() -> None:
    """Are the operator's mistake, told before anybody is called."""
    with pytest.raises(InputError, match="Bandwidth carries no keys"):
        await place_call(plan("ws://127.0.0.1:1/s", provider="bandwidth", presses=[Press("1")]))


@virtual_time
async def test_a_farewell_that_was_cut_off_is_told() -> None:
    """How much was still to be played when the gateway closed, and until when the bot was heard."""

    async def bot(line: Line) -> None:
        await line.play(tone(2_000), "farewell")
        for _ in range(20):
            await line.next()
        await line.hang_up()

    async with gateway(bot) as url:
        result = await place_call(plan(url))
    assert result.last_audible_ms is not None
    played_ms = len(result.bot_audio.replace(b"\xff", b"")) / 8
    assert result.unplayed_ms == pytest.approx(2_000 - played_ms, abs=20)
    assert result.last_audible_ms <= result.duration_ms


@virtual_time
async def test_a_farewell_that_was_heard_leaves_nothing() -> None:
    """The mark came back before the gateway closed."""

    async def bot(line: Line) -> None:
        await line.play(tone(300), "farewell")
        while "farewell" not in line.marks:
            await line.next()
        await line.hang_up()

    async with gateway(bot) as url:
        result = await place_call(plan(url))
    assert result.unplayed_ms == 0
    assert result.last_audible_ms == result.measures.bot[0].start_ms + 300


@virtual_time
async def test_what_the_gateway_asked_of_the_provider_is_in_the_result() -> None:
    """Keys on the stream, then a transfer by REST, which ends the call as the gateway's doing."""
    secrets = {"project_id": "p", "api_token": "t"}
    auth = {"Authorization": f"Basic {base64.b64encode(b'p:t').decode()}"}

    async def answer(request: web.Request) -> web.Response:
        document = '<Response><Connect><Stream url="/s"/></Connect></Response>'
        return web.Response(text=document, content_type="text/xml")

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        start = json.loads((await socket.receive()).data)["start"]
        for digit in "12":
            await socket.send_json({"event": "dtmf", "streamSid": start["streamSid"], "dtmf": {"digit": digit}})
        url = f"{api.url}/api/laml/2010-04-01/Accounts/p/Calls/{start['callSid']}.json"
        body = {"Twiml": "<Response><Dial>+3</Dial></Response>"}
        async with ClientSession() as http, http.post(url, data=body, headers=auth) as response:
            assert response.status == 200
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_post("/answer", answer)
    app.router.add_get("/s", stream)
    async with SimulatedApi.serving() as api, TestServer(app) as server:
        answer_url = f"http://127.0.0.1:{server.port}/answer"
        asked = plan("", answer_url=answer_url, provider="signalwire", secrets=secrets)
        result = await place_call(asked, api=api)
    assert (result.digits_received, result.transferred_to) == ("12", "+3")
    assert (result.ended_by, result.end_reason) == ("gateway", "the gateway transferred the caller")
    assert marks(result, "transfer_ordered") == [{"to": "+3"}]
    assert marks(result, "digits_received") == [{}, {}]


@virtual_time
async def test_what_the_gateway_did_wrong_is_in_the_result() -> None:
    """As Twilio's warnings, and in the timeline."""

    async def bot(line: Line) -> None:
        await line.order("hangup")

    async with gateway(bot) as url:
        result = await place_call(plan(url))
    assert [violation.code for violation in result.violations] == [31951]
    assert marks(result, "violation")[0]["code"] == 31951


async def test_nobody_listening_is_one_clear_line(unused_tcp_port: int) -> None:
    """No traceback, no exception group."""
    with pytest.raises(GatewayError, match="cannot be reached: Connection refused"):
        await place_call(plan(f"ws://127.0.0.1:{unused_tcp_port}/stream/twilio"))


async def test_a_gateway_that_stops_reading_cannot_hold_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """With full buffers not even a hang-up gets out; the call is given up, and its result says so."""
    monkeypatch.setattr("gateway.sim.caller.call._GRACE_S", 0.0)
    stuck = asyncio.Event()

    async def bot(_: Line) -> None:
        await stuck.wait()

    async def never(*_: object) -> None:
        await stuck.wait()

    async with gateway(bot) as url:
        monkeypatch.setattr("gateway.sim.phone.phone.SimulatedPhone._frame", never)
        result = await place_call(plan(url, max_duration_s=0.1))
        stuck.set()
    assert result.failure == "the gateway held the call beyond its limit of 0.1 s"
