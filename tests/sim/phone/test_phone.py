"""The simulated phone on a real socket, over a wire made for these tests: what holds for every provider."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.audio.formats import L16_16K, PCMU
from gateway.errors import GatewayError, WireError
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.wire import (
    Clear,
    Close,
    Digits,
    HangUp,
    Mark,
    Media,
    Message,
    Order,
    Pause,
    Send,
    SimCall,
    StreamOpening,
    Transfer,
    Violated,
    Wire,
)
from tests.sim.scripted import Peer, scripted

CALL = SimCall("+2", "+1", "c1", "s1", PCMU)
SPOKEN = b"\x11"


class WordWire(Wire):
    """Audio is binary, everything else a word and what belongs to it."""

    invalid_code = 7

    def opening(self) -> Sequence[Message]:
        return (f"hello {self.call.call_id}",)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[Message]:
        return (audio,)

    def key(self, digit: str) -> Sequence[Message]:
        return (f"key {digit}",)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[Message]:
        return (f"heard {name}",) if not cleared else ()

    def cleared(self) -> Sequence[Message]:
        return ("cleared",)

    def playback_started(self) -> Sequence[Message]:
        return ("started",)

    def playback_ended(self) -> Sequence[Message]:
        return ("ended",)

    def pinged(self) -> Sequence[Order]:
        return (Violated("a ping"),)

    def stop(self) -> Sequence[Message]:
        return ("goodbye",)

    def parse(self, message: Message) -> Sequence[Order]:
        if isinstance(message, bytes):
            return (Media(message),)
        word, _, rest = message.partition(" ")
        match word:
            case "mark":
                return (Mark(rest),)
            case "clear":
                return (Clear(),)
            case "pause" | "resume":
                return (Pause(on=word == "pause"),)
            case "dial":
                return (Digits(rest),)
            case "hangup":
                return (HangUp(rest),)
            case "transfer":
                return (Transfer(rest),)
            case "echo":
                return (Send((rest, rest)),)
            case "close":
                return (Violated(f"told to close with {rest}", 9), Close(int(rest)))
            case "warn":
                return (Violated(rest, 8, once=True),)
        raise WireError(f"unknown word {word}")


class PoliteWire(WordWire):
    """Waits to be accepted, and for an answer to its good-bye; alone it closes the socket."""

    gateway_may_close = False

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._said: set[str] = set()

    @property
    def ready(self) -> bool:
        return "accept" in self._said

    @property
    def stopped(self) -> bool:
        return "bye" in self._said

    def parse(self, message: Message) -> Sequence[Order]:
        if message in ("accept", "bye"):
            self._said.add(str(message))
            return ()
        return super().parse(message)


def words(url: str, kind: type[WordWire] = WordWire, **opening: Sequence[str]) -> tuple[StreamOpening, WordWire]:
    """How to open a stream, and its wire."""
    stream = StreamOpening(url, **opening)  # type: ignore[arg-type]  # only sub-protocols are given
    return stream, kind(CALL, stream)


def is_audio(message: Message) -> bool:
    """Whether it is a frame of the caller."""
    return isinstance(message, bytes)


async def nothing(peer: Peer) -> None:
    """A gateway that only listens."""


async def test_text_and_binary_go_both_ways() -> None:
    """The opening, the caller's frames, keys and the end go out; audio and words come in."""

    async def script(peer: Peer) -> None:
        await peer.until(is_audio)
        await peer.send(SPOKEN * 160, "mark m")
        await peer.until("heard m")
        await peer.send("echo yes", "dial 12#")
        await peer.until("yes", 2)
        heard.set()

    heard = asyncio.Event()
    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url)) as phone:
            await phone.press("5")
            await heard.wait()
        peer = await gateway.peer()
    assert (peer.texts[:2], peer.texts[-3:]) == (["hello c1", "key 5"], ["yes", "yes", "goodbye"])
    assert sorted(peer.texts[2:-3]) == ["ended", "heard m", "started"]
    assert b"".join(peer.binaries) == phone.caller_audio
    assert phone.bot_audio.strip(b"\xff") == SPOKEN * 160
    assert [(one.event, one.name) for one in phone.messages] == [("media", ""), ("mark", "m"), ("digits", "12#")]
    assert (phone.call_id, phone.stream_id, phone.url) == ("c1", "s1", gateway.url)


async def test_no_audio_before_the_gateway_has_accepted() -> None:
    """Where the provider waits for an answer, time begins with it."""

    async def script(peer: Peer) -> None:
        await peer.next()
        await asyncio.wait_for(asked.wait(), 10)
        await peer.send("accept", "hangup")
        await peer.until("goodbye")
        await peer.send("bye")

    asked = asyncio.Event()
    async with scripted(script) as gateway:
        before = asyncio.get_running_loop().time()
        asyncio.get_running_loop().call_later(0.05, asked.set)
        async with SimulatedPhone.open(*words(gateway.url, PoliteWire)) as phone:
            assert phone.started_at >= before + 0.05
            await phone.closed.wait()
        peer = await gateway.peer()
    assert peer.texts == ["hello c1", "goodbye"]
    assert (phone.ended_by, phone.close_code, phone.violations) == ("gateway", 1000, [])


async def test_a_gateway_that_does_not_accept_is_one_clear_line() -> None:
    """After the time-out; the socket is closed."""
    async with scripted(nothing) as gateway:
        with pytest.raises(GatewayError, match=r"was opened, and not accepted within 0.05 s"):
            async with SimulatedPhone.open(*words(gateway.url, PoliteWire), timeout_s=0.05):
                pass
        assert (await gateway.peer()).binaries == []


async def test_an_end_that_is_not_answered_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone waits for its answer, and then closes nevertheless."""
    monkeypatch.setattr("gateway.sim.phone.phone._FAREWELL_S", 0.05)

    async def script(peer: Peer) -> None:
        await peer.send("accept")

    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url, PoliteWire)) as phone:
            phone.hang_up()
            await phone.closed.wait()
        await gateway.peer()
    assert [one.what for one in phone.violations] == ["the end of the stream was not answered within 0.05 s"]
    assert (phone.ended_by, phone.end_reason) == ("caller", "the caller hung up")


async def test_a_gateway_that_must_not_close_and_does_is_a_violation() -> None:
    """Said once the stream is over."""

    async def script(peer: Peer) -> None:
        await peer.send("accept")
        await peer.socket.close()

    async with scripted(script) as gateway, SimulatedPhone.open(*words(gateway.url, PoliteWire)) as phone:
        await phone.closed.wait()
    assert [one.what for one in phone.violations] == [
        "the gateway closed the stream; expected the provider to close it"
    ]
    assert (phone.ended_by, phone.end_reason) == ("gateway", "the gateway closed the stream")


async def test_a_provider_may_send_longer_frames() -> None:
    """100 ms at a time, stamped with their start; what is said is whole."""
    stamps: list[int] = []

    class LongWire(WordWire):
        frame_ms = 100

        def media(self, audio: bytes, timestamp_ms: int) -> Sequence[Message]:
            stamps.append(timestamp_ms)
            return (audio,)

    async def script(peer: Peer) -> None:
        await peer.until(is_audio, 2)
        heard.set()

    heard = asyncio.Event()
    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url, LongWire)) as phone:
            phone.say(SPOKEN * 1_000)
            await heard.wait()
        peer = await gateway.peer()
    assert {len(audio) for audio in peer.binaries} == {800}
    assert b"".join(peer.binaries).strip(b"\xff") == SPOKEN * 1_000
    assert stamps[:2] == [0, 100]


async def test_what_happens_to_marks_on_a_clear_is_the_provider_s_rule() -> None:
    """This one keeps silent about them and confirms the clear; playback did not end by itself."""

    async def script(peer: Peer) -> None:
        await peer.send(SPOKEN * 80_000, "mark lost")
        await peer.until("started")
        await peer.send("clear")
        await peer.until("cleared")
        await peer.send(SPOKEN * 160)
        await peer.until("ended")
        await peer.send("hangup")

    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url)) as phone:
            await phone.closed.wait()
        peer = await gateway.peer()
    assert peer.texts == ["hello c1", "started", "cleared", "started", "ended", "goodbye"]
    assert phone.returned == []
    assert phone.clears[0].cleared is not None
    assert phone.clears[0].cleared.marks == ("lost",)


@pytest.mark.parametrize(
    ("message", "event", "name", "reason"),
    [
        ("hangup done", "hang_up", "done", "the gateway hung up"),
        ("transfer +49", "transfer", "+49", "the gateway transferred the caller"),
    ],
)
async def test_an_end_that_the_gateway_orders(message: str, event: str, name: str, reason: str) -> None:
    """The provider says its last words and closes; the gateway has ended the call."""

    async def script(peer: Peer) -> None:
        await peer.send(message)

    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url)) as phone:
            await phone.closed.wait()
        peer = await gateway.peer()
    assert peer.texts[-1] == "goodbye"
    assert [(one.event, one.name) for one in phone.messages] == [(event, name)]
    assert (phone.ended_by, phone.end_reason, phone.close_code) == ("gateway", reason, 1000)


async def test_the_first_end_counts() -> None:
    """A caller who hangs up in the frame in which the gateway did has not ended the call."""
    async with scripted(nothing) as gateway:
        async with SimulatedPhone.open(*words(gateway.url)) as phone:
            phone.end(HangUp())
            phone.hang_up()
            await phone.closed.wait()
        await gateway.peer()
    assert (phone.ended_by, phone.end_reason) == ("gateway", "the gateway hung up")


@pytest.mark.parametrize("code", [1006, 4000])
async def test_a_provider_that_closes_because_of_what_the_gateway_did(code: int) -> None:
    """With a code in order, or by breaking the connection off; no last words."""

    async def script(peer: Peer) -> None:
        await peer.send("accept", f"close {code}")

    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url, PoliteWire)) as phone:
            await phone.closed.wait()
        peer = await gateway.peer()
    assert peer.texts == ["hello c1"]
    assert peer.socket.close_code == (None if code == 1006 else code)
    assert [(one.code, one.what) for one in phone.violations] == [(9, f"told to close with {code}")]
    assert (phone.close_code, phone.end_reason) == (code, f"the provider closed the stream with {code}")


async def test_violations_are_kept_with_the_provider_s_codes() -> None:
    """Those of messages it refuses, those among its orders (some told once), those of its webhooks."""

    async def script(peer: Peer) -> None:
        await peer.send("nonsense", "warn slow", "warn slow", "nonsense", "hangup")

    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url)) as phone:
            await phone.closed.wait()
            phone.warn(Violated("no status", 3))
        await gateway.peer()
    assert [(one.code, one.what) for one in phone.violations] == [
        (7, "unknown word nonsense"),
        (8, "slow"),
        (7, "unknown word nonsense"),
        (3, "no status"),
    ]


async def test_a_ping_is_answered_and_told_to_the_wire() -> None:
    """Some providers fail on one."""

    async def script(peer: Peer) -> None:
        await peer.socket.ping(b"?")
        await peer.send("hangup")

    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url)) as phone:
            await phone.closed.wait()
        await gateway.peer()
    assert [one.what for one in phone.violations] == ["a ping"]


async def test_playback_may_be_held() -> None:
    """Silence meanwhile, and nothing is lost."""

    async def script(peer: Peer) -> None:
        await peer.send("pause", SPOKEN * 160)
        await peer.until(is_audio, 3)
        held.append("started" in peer.texts)
        await peer.send("resume")
        await peer.until("ended")
        await peer.send("hangup")

    held: list[bool] = []
    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url)) as phone:
            await phone.closed.wait()
        await gateway.peer()
    assert held == [False]
    assert phone.bot_audio.strip(b"\xff") == SPOKEN * 160
    assert [one.event for one in phone.messages] == ["pause", "media", "resume", "hang_up"]


async def test_a_wire_sees_time_and_how_much_waits() -> None:
    """For flow control and pings; and it says what becomes of audio beyond the limit."""
    ticks: list[tuple[int, float]] = []

    class TightWire(WordWire):
        queue_limit_ms = 100

        def tick(self, now_ms: int, queued_ms: float) -> Sequence[Message]:
            ticks.append((now_ms, queued_ms))
            return (f"full {queued_ms:g}",) if queued_ms >= 60 else ()

        def overflowed(self) -> Sequence[Order]:
            return (*super().overflowed(), Send(("too much",)))

    async def script(peer: Peer) -> None:
        await peer.send(SPOKEN * 800, SPOKEN * 800)
        await peer.until("ended")
        await peer.send("hangup")

    async with scripted(script) as gateway:
        async with SimulatedPhone.open(*words(gateway.url, TightWire)) as phone:
            await phone.closed.wait()
        peer = await gateway.peer()
    assert [text for text in peer.texts if text.startswith("full")] == ["full 80", "full 60"]
    assert peer.texts.count("too much") == 1
    assert [now_ms for now_ms, _ in ticks] == [20 * number for number in range(len(ticks))]
    assert [one.what for one in phone.violations] == ["media discarded: more than 0.1 s of audio are queued"]
    assert len(phone.bot_audio.strip(b"\xff")) == 800


async def test_a_wire_acts_by_its_clock() -> None:
    """A provider that closes a stream on which nothing comes."""

    class Impatient(WordWire):
        def due(self, now_ms: int, queued_ms: float) -> Sequence[Order]:
            return (Violated("nothing came"), Close(1008)) if now_ms == 60 else ()

    async def script(peer: Peer) -> None:
        await peer.until("never")

    async with scripted(script) as gateway, SimulatedPhone.open(*words(gateway.url, Impatient)) as phone:
        await phone.closed.wait()
    assert phone.close_code == 1008
    assert [one.what for one in phone.violations] == ["nothing came"]
    assert phone.clock.frames == 4


async def test_the_bot_may_be_heard_in_another_format_than_the_caller_speaks() -> None:
    """Each track is in its own, frame by frame."""

    async def script(peer: Peer) -> None:
        await peer.send(SPOKEN * 1_280)
        await peer.until("ended")
        await peer.send("hangup")

    async with scripted(script) as gateway:
        stream = StreamOpening(gateway.url, bot_format=L16_16K)
        async with SimulatedPhone.open(stream, WordWire(CALL, stream)) as phone:
            await phone.closed.wait()
        await gateway.peer()
    assert (phone.audio_format, phone.bot_format) == (PCMU, L16_16K)
    assert len(phone.caller_audio) == phone.clock.frames * 160
    assert len(phone.bot_audio) == phone.clock.frames * 640
    assert phone.bot_audio.strip(b"\x00") == SPOKEN * 1_280


async def test_a_sub_protocol_has_to_be_accepted() -> None:
    """Those providers that offer one go no further without it."""
    async with scripted(nothing, subprotocols=["media"]) as gateway:
        async with SimulatedPhone.open(*words(gateway.url, subprotocols=["media"])):
            pass
        await gateway.peer()
    async with scripted(nothing) as gateway:
        with pytest.raises(GatewayError, match="was accepted without sub-protocol media"):
            async with SimulatedPhone.open(*words(gateway.url, subprotocols=["media"])):
                pass
        assert (await gateway.peer()).messages == []
