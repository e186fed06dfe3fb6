"""The voice leg over a socket whose messages are known: how a session that does not come about is told."""

import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import ServiceRequestError
from multidict import CIMultiDict

from gateway.errors import GatewayError
from gateway.voice import wire
from gateway.voice.bot import Agent, Answering, Model
from gateway.voice.events import ServiceError, SessionReady, VoiceClosed, VoiceEnd, VoiceEvent
from gateway.voice.leg import VoiceLeg
from gateway.voice.proposals import Proposal
from gateway.voice.service import VoiceLive, VoiceRefusedError, VoiceUnreachableError, _refused
from tests.fakes import FakeSocket
from tests.voice.credential import FakeCredential

ENDPOINT = "https://contoso.services.ai.azure.com"
MODEL = Model("gpt-4.1")
READY = json.dumps({"type": "session.updated", "session": {"id": "s", "model": "m"}})


class Service(VoiceLive):
    """A service whose connection is there already."""

    def __init__(self, socket: FakeSocket) -> None:
        super().__init__(ENDPOINT, "key")
        self.socket = socket

    async def connect(
        self, answering: Answering, query: Any = None, *, limit_s: float | None = None, call_id: str = ""
    ) -> Any:
        """Return the socket."""
        return self.socket


def error(event_id: str | None) -> str:
    """Return an error of the service's about a message of ours, or about none."""
    return json.dumps({"type": "error", "error": {"code": "c", "message": "no such voice", "event_id": event_id}})


async def told(socket: FakeSocket) -> list[VoiceEvent]:
    """Return all events of a session."""
    events: list[VoiceEvent] = []
    await VoiceLeg(Service(socket), [Proposal(MODEL, {"instructions": "x"})]).run(events.append)
    assert socket.closed_with == 1000
    return events


async def test_an_error_in_place_of_a_session_is_a_refusal() -> None:
    """It carries the id of our update."""
    refused = VoiceClosed(VoiceEnd.REFUSED, "Voice Live refused the session: no such voice")
    assert await told(FakeSocket(error(wire.SESSION_UPDATE_ID), READY)) == [refused]


@pytest.mark.parametrize("event_id", [None, ""])
async def test_an_error_about_nothing_is_waited_out(event_id: str | None) -> None:
    """The session comes about behind it."""
    assert await told(FakeSocket(error(event_id), READY)) == [SessionReady("s", "m"), LOST]


LOST = VoiceClosed(VoiceEnd.LOST, "Voice Live closed the session with 1000", close_code=1000)


async def test_an_error_about_another_message_is_none() -> None:
    """The session comes about, and ends as the service ends it."""
    assert await told(FakeSocket(error("request-1"), READY, error("request-2"))) == [
        SessionReady("s", "m"),
        ServiceError("c", "no such voice", "request-2"),
        LOST,
    ]


async def test_a_connection_that_breaks_at_once_is_lost() -> None:
    """With the reason that the socket gives."""

    class Gone(FakeSocket):
        def send(self, message: str | bytes) -> None:
            raise ConnectionError("the peer reset the connection")

    assert await told(Gone()) == [VoiceClosed(VoiceEnd.LOST, "the peer reset the connection", passes=True)]


async def test_what_broke_the_connection_is_told() -> None:
    """Else the code with which the service closed it."""
    assert await told(FakeSocket(READY, failure="no pong")) == [
        SessionReady("s", "m"),
        VoiceClosed(VoiceEnd.LOST, "no pong"),
    ]
    assert await told(FakeSocket(close_code=1011)) == [
        VoiceClosed(VoiceEnd.LOST, "Voice Live closed the session with 1011", passes=True)
    ]


async def test_the_rest_of_a_session_s_time_is_told() -> None:
    """Counted from now, where the service says when it expires; a time that is over is no time."""
    for left_s, told_s in ((3600.0, 3600.0), (-5.0, 0.0)):
        session = {"id": "s", "model": "m", "expires_at": datetime.now(UTC).timestamp() + left_s}
        ready, _ = await told(FakeSocket(json.dumps({"type": "session.updated", "session": session})))
        assert isinstance(ready, SessionReady)
        assert ready.lasts_s == pytest.approx(told_s, abs=5)


def test_another_leg_of_a_call_goes_on_with_its_agent_s_conversation() -> None:
    """A model has no conversation that outlives its session; nothing else of what is asked for changes."""
    agent, model = Agent("a", "p"), Model("m")
    leg = VoiceLeg(Service(FakeSocket()), [Proposal(agent, {"voice": 1}), Proposal(model, {})])
    assert going_on(leg.again("conv_1")) == [Agent("a", "p", conversation_id="conv_1"), model]
    assert going_on(leg.again("")) == [agent, model]


def going_on(leg: VoiceLeg) -> list[Answering]:
    """Return who would answer in the session of a leg."""
    return [proposal.answering for proposal in leg.opening._proposals]


def answer(status: int, body: str = "", headers: dict[str, str] | None = None) -> aiohttp.WSServerHandshakeError:
    """Return a handshake that was refused."""
    about: Any = None
    return aiohttp.WSServerHandshakeError(about, (), status=status, message=body, headers=CIMultiDict(headers or {}))


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, VoiceRefusedError, ""),
        (401, VoiceRefusedError, ": the API key or token is wrong for this resource"),
        (403, VoiceRefusedError, ": the identity lacks the roles Cognitive Services User and Foundry User"),
        (404, VoiceRefusedError, ": the endpoint has no Voice Live, or the region lacks the model"),
        (429, VoiceRefusedError, ": the resource's quota of new connections is used up"),
        (499, VoiceRefusedError, ""),
        (500, VoiceUnreachableError, ""),
    ],
)
def test_what_a_refused_connection_is_told_as(status: int, kind: type[GatewayError], advice: str) -> None:
    """From 500 on it is the service's own trouble."""
    refusal = _refused(ENDPOINT, MODEL, answer(status))
    assert type(refusal) is kind
    assert str(refusal) == f"Voice Live at {ENDPOINT} answered the connection with {status}{advice}"


async def test_an_identity_that_is_given_is_used_and_closed(credentials: list[FakeCredential]) -> None:
    """``DefaultAzureCredential`` is not made then; an identity service that is away makes the voice unreachable."""
    identity = FakeCredential()
    FakeCredential.failure = ServiceRequestError("no route\nto the identity service")
    async with VoiceLive(ENDPOINT, identity=identity) as live:
        with pytest.raises(VoiceUnreachableError) as caught:
            await live.connect(MODEL)
    assert str(caught.value) == "no Microsoft Entra token for Voice Live: no route"
    assert credentials == [identity]
    assert identity.closed == 1
