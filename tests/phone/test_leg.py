"""The phone leg over a socket whose messages are known."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from gateway.config.providers import Asterisk as AsteriskSettings
from gateway.config.providers import Twilio as Settings
from gateway.errors import OutboxFullError, WireError
from gateway.phone.commands import AskForLife, EndStream, PhoneCommand, PlayAudio, SendMark, StopPlayback, StreamCommand
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    MalformedMessage,
    OddMessage,
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    PlaybackStopped,
    SignOfLife,
    UnknownMessage,
    WireReply,
)
from gateway.phone.leg import PhoneLeg
from gateway.phone.provider import Codec, Grant, Upgrade
from gateway.phone.providers.asterisk.provider import Asterisk
from gateway.phone.providers.twilio.provider import Twilio
from tests.fakes import FakeSocket
from tests.phone.parts import setup
from tests.phone.providers.twilio.test_provider import CONNECTED, SID, START, media

MISFIT = START.replace("x-mulaw", "L16")
STOP = f'{{"event":"stop","streamSid":"{SID}"}}'


def codec() -> Codec:
    """A fresh wire."""
    return Twilio(Settings(), setup("twilio")).codec(Upgrade(), Grant())


async def started(*messages: str | bytes, **how: object) -> PhoneLeg:
    socket = FakeSocket(CONNECTED, START, *messages, **how)  # type: ignore[arg-type]
    leg = PhoneLeg(socket, codec())
    assert await leg.start(1) is not None
    return leg


async def told(leg: PhoneLeg) -> list[PhoneEvent]:
    """All events of a leg, to its end."""
    events: list[PhoneEvent] = []
    await leg.run(events.append)
    return events


async def test_events_to_the_end() -> None:
    """After the start every message is an event; stop is the closing one, and nothing follows it."""
    leg = await started(media(b"a"), '{"event":"new"}', STOP, media(b"b"))
    assert await told(leg) == [
        CallerAudio(b"a"),
        UnknownMessage("new"),
        PhoneClosed(PhoneEnd.HUNG_UP),
    ]


async def test_garbage_in_a_call_is_an_event() -> None:
    """One broken message costs the caller nothing."""
    leg = await started("garbage", b"\x00", media(b"a"), STOP)
    events = await told(leg)
    assert [type(event) for event in events] == [MalformedMessage, MalformedMessage, CallerAudio, PhoneClosed]


async def test_what_fails_in_telling_is_raised_where_the_leg_runs() -> None:
    """The leg neither hides a bug of its listener nor goes on after it."""
    told: list[PhoneEvent] = []

    def tell(event: PhoneEvent) -> None:
        told.append(event)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await (await started(media(b"a"), media(b"b"))).run(tell)
    assert told == [CallerAudio(b"a")]


@pytest.mark.parametrize("message", ["garbage", b"\x00", MISFIT])
async def test_garbage_before_the_start_is_no_call(message: str | bytes) -> None:
    """Whoever does not speak the protocol gets no session."""
    with pytest.raises(WireError):
        await PhoneLeg(FakeSocket(CONNECTED, message), codec()).start(1)


async def test_a_stream_that_never_starts() -> None:
    """The start is bounded in time."""
    with pytest.raises(TimeoutError):
        await PhoneLeg(FakeSocket(CONNECTED, None), codec()).start(0.01)


async def test_what_came_before_the_start_is_told_before_the_rest() -> None:
    """Audio that overtook the start is let go, however much there was, and so is what is wrong."""
    early: list[str | bytes] = [
        *[media(b"x")] * 200,
        "",
        b"",
        '{"event":"mark","mark":{"name":null}}',
        '{"event":"new"}',
    ]
    leg = PhoneLeg(FakeSocket(*early, CONNECTED, START, media(b"a"), STOP), codec())
    assert await leg.start(1) is not None
    odd = "let go before the start: 200 × audio, 2 × an empty message, 1 × mark without its name, 1 × new"
    assert await told(leg) == [OddMessage(odd), CallerAudio(b"a"), PhoneClosed(PhoneEnd.HUNG_UP)]


async def test_what_is_odd_about_the_start_is_told() -> None:
    """The call begins all the same."""
    start = START.replace('"customParameters":{', '"customParameters":{"tags":["a"],')
    leg = PhoneLeg(FakeSocket(CONNECTED, start, STOP), codec())
    assert await leg.start(1) is not None
    odd = "start.customParameters.tags is an array, expected text: left out"
    assert await told(leg) == [OddMessage(odd), PhoneClosed(PhoneEnd.HUNG_UP)]


async def test_what_is_readable_and_wrong_is_told_from_garbage() -> None:
    """Only garbage may end a call."""
    leg = await started('{"event":"dtmf","dtmf":{"digit":"x"}}', "garbage", '{"event":"media"}', "", b"")
    events = await told(leg)
    assert [event.readable for event in events if isinstance(event, MalformedMessage)] == [
        True,
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("messages", [(), (STOP,)])
async def test_a_stream_that_closes_before_its_start(messages: tuple[str, ...]) -> None:
    """A caller who hangs up while it rings is no error."""
    assert await PhoneLeg(FakeSocket(CONNECTED, *messages), codec()).start(1) is None


@pytest.mark.parametrize(
    ("code", "end"), [(1000, PhoneEnd.HUNG_UP), (1001, PhoneEnd.HUNG_UP), (1006, PhoneEnd.LOST), (1009, PhoneEnd.LOST)]
)
async def test_closed_is_told_from_lost(code: int, end: PhoneEnd) -> None:
    """A closing handshake is a hang-up; a broken connection is not."""
    leg = await started(close_code=code)
    (closed,) = await told(leg)
    assert isinstance(closed, PhoneClosed)
    assert closed.end is end
    assert str(code) in closed.detail


async def test_our_own_close() -> None:
    """What we close is told so."""
    leg = await started()
    await leg.close()
    assert await told(leg) == [PhoneClosed(PhoneEnd.CLOSED)]


async def test_a_provider_that_closes_by_itself_is_read_to_its_end() -> None:
    """Where the provider alone may close, what it still has to say is read before the socket goes."""
    socket = FakeSocket(CONNECTED, START, media(b"a"), STOP, media(b"b"))
    leg = PhoneLeg(socket, codec(), peer_closes=True)
    assert await leg.start(1) is not None
    async with asyncio.TaskGroup() as group:
        closing = group.create_task(leg.close())
        await asyncio.sleep(0)
        assert (closing.done(), socket.closed_with) == (False, None)
        assert await told(leg) == [CallerAudio(b"a"), PhoneClosed(PhoneEnd.HUNG_UP)]
    assert socket.closed_with == 1000
    assert await socket.receive() is None


async def test_a_provider_that_does_not_close_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its word is not waited for without end."""
    monkeypatch.setattr("gateway.phone.leg.PEER_CLOSE_LIMIT_S", 0.01)
    socket = FakeSocket(CONNECTED, START, None)
    leg = PhoneLeg(socket, codec(), peer_closes=True)
    assert await leg.start(1) is not None
    await leg.close()
    assert socket.closed_with == 1000


async def test_a_stream_that_is_turned_away_is_closed_with_the_reason() -> None:
    """Whatever it has sent by then; the wire has no word for it."""
    socket = FakeSocket(CONNECTED, START, media(b"a"))
    leg = PhoneLeg(socket, codec())
    assert await leg.start(1) is not None
    await leg.turn_away(1013, "busy")
    assert (socket.closed_with, socket.sent) == (1013, [])


async def test_a_provider_that_closes_by_itself_is_turned_away_in_its_own_words() -> None:
    """It is told, what it answers is answered, and what breaks the protocol by then is nobody's matter."""

    class Refusing:
        def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
            if message == "open":
                raise WireError("not a call")
            return (WireReply(("closed",)),) if message == "close" else (UnknownMessage("late"),)

        def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
            return ("disconnect",) if isinstance(command, EndStream) else ()

    socket = FakeSocket("open", b"late", "close")
    leg = PhoneLeg(socket, Refusing(), peer_closes=True)
    with pytest.raises(WireError):
        await leg.start(1)
    await leg.turn_away(1008, "not a call")
    assert socket.sent == ["disconnect", "closed"]
    assert await socket.receive() is None


async def test_commands_to_a_dead_socket_are_dropped() -> None:
    """The closing event tells that the connection is gone; a command in between is no error."""

    class Dead(FakeSocket):
        def send(self, message: str | bytes) -> None:
            raise ConnectionResetError

    leg = PhoneLeg(Dead(), codec())
    leg.send(StopPlayback())
    assert await told(leg) == [PhoneClosed(PhoneEnd.HUNG_UP, "the stream was closed with 1000")]


async def test_a_stop_that_was_written_is_told() -> None:
    """At once while the leg runs; other commands are not, nor is a stop that the wire has no word for."""

    class Dumb:
        def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
            return ()

        def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
            return ()

    leg = await started()
    leg.send(SendMark("x"))
    events = await told(leg)
    leg.send(StopPlayback())
    assert [type(event) for event in events] == [PhoneClosed, PlaybackStopped]
    dumb = PhoneLeg(FakeSocket(), Dumb())
    dumb.send(StopPlayback())
    assert [type(event) for event in await told(dumb)] == [PhoneClosed]


async def test_audio_goes_with_its_mark_in_one_write() -> None:
    """In their order, up to a stop, which is reported once it is written; a ping is sent beside what is written."""
    writes: list[Sequence[str | bytes]] = []

    class Counted(FakeSocket):
        def send(self, message: str | bytes) -> None:
            writes.append((message,))

        def send_all(self, messages: Sequence[str | bytes]) -> None:
            writes.append(messages)

    socket = Counted(CONNECTED, START)
    leg = PhoneLeg(socket, codec())
    assert await leg.start(1) is not None
    events: list[PhoneEvent] = await told(leg)
    leg.send(PlayAudio(b"a"), SendMark("x"), StopPlayback(), SendMark("y"), AskForLife())
    assert [[json.loads(message)["event"] for message in write] for write in writes] == [
        ["media", "mark", "clear"],
        ["mark"],
    ]
    assert type(events[-1]) is PlaybackStopped
    assert socket.pings == 1


async def test_a_provider_that_cannot_discard_says_so_with_the_start() -> None:
    """Whatever its codec says of how it plays."""
    for clears in (True, False):
        leg = PhoneLeg(FakeSocket(CONNECTED, START), codec(), clears=clears)
        start = await leg.start(1)
        assert isinstance(start, CallStarted)
        assert start.playout.clears is clears


async def test_a_message_that_means_nothing_is_a_sign_of_life() -> None:
    """So is a ping or a pong of the socket: the conversation is told that the provider is there, and no more."""

    class Dumb:
        def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
            return ()

        def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
            return ()

    socket = FakeSocket("status")
    events = await told(PhoneLeg(socket, Dumb()))
    assert [type(event) for event in events] == [SignOfLife, PhoneClosed]
    assert socket.alive is not None
    socket.alive()
    assert isinstance(events[-1], SignOfLife)


async def test_a_sign_of_life_is_asked_for() -> None:
    """By a ping; by the wire's own word where there is one, because Asterisk hangs up at pings."""
    socket = FakeSocket()
    PhoneLeg(socket, codec()).send(AskForLife())
    assert (socket.pings, socket.sent) == (1, [])
    socket = FakeSocket()
    PhoneLeg(socket, Asterisk(AsteriskSettings(), setup("asterisk")).codec(Upgrade(), Grant())).send(AskForLife())
    assert (socket.pings, socket.sent) == (0, ["GET_STATUS"])


async def test_what_the_wire_wants_answered_is_answered() -> None:
    """A provider's ping and the like never reach the conversation, and the stream's end is said before it is closed."""

    class Chatty:
        def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
            return (WireReply(("pong", b"\x00")), CallerAudio(b"a")) if message == "ping" else ()

        def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
            return ("bye",) if isinstance(command, EndStream) else ()

    socket = FakeSocket("ping")
    leg = PhoneLeg(socket, Chatty())
    events = await told(leg)
    assert [type(event) for event in events] == [SignOfLife, CallerAudio, PhoneClosed]
    await leg.close()
    await leg.close()
    assert socket.sent == ["pong", b"\x00", "bye"]


async def test_an_order_goes_out_and_says_whether_the_wire_has_a_word_for_it() -> None:
    """Twilio's wire has none for a transfer; Genesys' has."""
    socket = FakeSocket()
    leg = PhoneLeg(socket, Asterisk(AsteriskSettings(), setup("asterisk")).codec(Upgrade(), Grant()))
    assert leg.order(EndStream())
    assert len(socket.sent) == 1
    assert not PhoneLeg(nothing := FakeSocket(), codec()).order(EndStream())
    assert nothing.sent == []


@pytest.mark.parametrize("error", [ConnectionError, OutboxFullError])
async def test_an_order_to_a_socket_that_is_gone_is_told_by_its_end(error: type[Exception]) -> None:
    """A stream that cannot be written to is closing, or will be found out."""

    class Gone(FakeSocket):
        def send(self, message: str | bytes) -> None:
            raise error("gone")

    leg = PhoneLeg(Gone(), Asterisk(AsteriskSettings(), setup("asterisk")).codec(Upgrade(), Grant()))
    assert leg.order(EndStream())
