"""A voice leg whose session is opened before its call is there."""

import asyncio
import json

import pytest

from gateway.voice.bot import Agent, Answering
from gateway.voice.commands import CreateResponse, SayText, SeedMessage, SendAudio
from gateway.voice.events import ReplySaid, SessionReady, VoiceClosed, VoiceEnd, VoiceEvent
from gateway.voice.leg import VoiceLeg
from gateway.voice.opening import Opened
from gateway.voice.proposals import Proposal
from tests.fakes import FakeSocket
from tests.voice.test_leg_sockets import MODEL, READY, Service

GREETING = SayText("Hello.", "request-1")
SAID = json.dumps(
    {"type": "response.audio_transcript.done", "response_id": "r", "item_id": "i", "transcript": "Hello."}
)


class Socket(FakeSocket):
    """A socket that takes the kind of a message as well."""

    def send(self, message: str | bytes, opcode: object = None) -> None:
        super().send(message)

    @property
    def kinds(self) -> list[str]:
        """The types of what was sent."""
        return [json.loads(message)["type"] for message in self.sent]


def leg_of(socket: Socket, answering: Answering = MODEL) -> VoiceLeg:
    """A leg with this socket."""
    return VoiceLeg(Service(socket), [Proposal(answering, {"instructions": "x", "turn_detection": {"type": "t"}})])


async def opened_ahead(socket: Socket, ask: CreateResponse | SayText | None = GREETING) -> VoiceLeg:
    """A leg whose session is open, and asked for the call's first words."""
    leg = leg_of(socket)
    leg.opened = asyncio.get_running_loop().create_task(leg.open(ask))
    assert isinstance(await leg.opened, Opened)
    return leg


async def test_the_call_gets_what_came_before_it_was_there() -> None:
    """From the session on, in order; nothing is opened a second time."""
    socket = Socket(READY, SAID)
    leg = await opened_ahead(socket)
    assert socket.kinds == ["session.update", "response.create"]
    events: list[VoiceEvent] = []
    await leg.run(events.append)
    assert events[:2] == [SessionReady("s", "m", turn_detection={"type": "t"}), ReplySaid("r", "i", "Hello.")]
    assert socket.kinds == ["session.update", "response.create"]


async def test_the_call_s_own_request_is_not_made_again() -> None:
    """Once; whatever else it asks for goes out."""
    socket = Socket(READY)
    leg = await opened_ahead(socket)
    leg.send(SendAudio(b"\xff"))
    leg.send(GREETING)
    assert socket.kinds == ["session.update", "response.create", "input_audio_buffer.append"]
    leg.send(GREETING)
    leg.send(CreateResponse(request_id="request-2"))
    assert socket.kinds[3:] == ["response.create", "response.create"]


async def test_another_first_request_is_made() -> None:
    """A greeting that was not asked for ahead."""
    socket = Socket(READY)
    leg = await opened_ahead(socket)
    leg.send(SayText("Good evening.", "request-1"))
    assert socket.kinds == ["session.update", "response.create", "response.create"]


async def test_an_agent_is_asked_as_agents_are() -> None:
    """Its instructions come as a message before the request, and neither of them twice."""
    socket = Socket(READY)
    leg = leg_of(socket, Agent("a", "p"))
    ask = CreateResponse("Greet.", "request-1")
    await leg.open(ask)
    leg.send(ask)
    assert socket.kinds == ["session.update", "conversation.item.create", "response.create"]


async def test_without_first_words_none_are_asked_for() -> None:
    """A recorded greeting, or a caller who speaks first."""
    socket = Socket(READY)
    await opened_ahead(socket, None)
    assert socket.kinds == ["session.update"]


@pytest.mark.parametrize("close_code", [None, 1006])
async def test_a_session_that_has_ended_is_lost(close_code: int | None) -> None:
    """Its connection says so."""
    socket = Socket(READY, close_code=close_code)
    assert not leg_of(socket).is_lost
    assert (await opened_ahead(socket)).is_lost == (close_code is not None)


async def test_a_refused_session_ends_the_call_s_leg() -> None:
    """As if it had been opened then."""
    leg = leg_of(Socket(close_code=1011))
    leg.opened = asyncio.get_running_loop().create_task(leg.open(GREETING))
    events: list[VoiceEvent] = []
    await leg.run(events.append)
    assert [type(event) for event in events] == [VoiceClosed]
    assert isinstance(events[0], VoiceClosed)
    assert events[0].end is VoiceEnd.LOST


async def test_a_leg_that_is_closed_while_it_opens_opens_nothing() -> None:
    """And one that is closed before its call is there gives its session back."""
    connecting = leg_of(Socket(None))
    connecting.opened = task = asyncio.get_running_loop().create_task(connecting.open())
    await asyncio.sleep(0)
    await connecting.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    socket = Socket(READY)
    leg = await opened_ahead(socket)
    await leg.close()
    assert socket.closed_with == 1000


async def test_what_is_known_before_the_call_comes_before_its_first_words() -> None:
    """Once, in the call's own order; the call gives the same commands when it is there."""
    socket = Socket(READY)
    leg = leg_of(socket)
    known = (SeedMessage("system", "A remark."), SeedMessage("user", "Hi."))
    await leg.open(GREETING, known)
    asked = ["session.update", "conversation.item.create", "conversation.item.create", "response.create"]
    assert socket.kinds == asked
    for command in (*known, GREETING):
        leg.send(command)
    assert socket.kinds == asked
    leg.send(known[0])
    assert socket.kinds == [*asked, "conversation.item.create"]
