"""Streams at a fixed address, which their start message must prove: with a small provider that has such."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from gateway.call.refusal import Refusal
from gateway.phone.events import CallStarted
from gateway.phone.provider import Grant, Proof, SignatureError, StartProof, Upgrade
from gateway.phone.webhook import Answer, Connect, IncomingCall
from gateway.routes import media_stream
from gateway.routes.stream_keys import Unproven, note_over
from tests.e2e.rig import LINE, NUMBER
from tests.routes.stage import CALLER, GRANT, RESCUED, Run, Scripted, Stage, stand_in, started
from tests.routes.test_stream_keys import Door

SECOND = {"support": LINE + RESCUED, "second": LINE.replace(NUMBER, "+14255550101")}


class FixedAddress(Scripted):
    """A provider whose streams have one address: the answer gives the token, and the start brings it back."""

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        return Answer(connect.token)

    def verify_start(self, start: CallStarted, now_s: float) -> StartProof:
        if "signature" in start.parameters:
            if start.parameters["signature"] != "right":
                raise SignatureError("the start's signature is wrong")
            return StartProof(proof=Proof.STREAM)
        return StartProof(token=start.parameters.get("token", ""))


class FixedStage(Stage):
    """Streams of that provider."""

    def __init__(self, folder: Path, lines: dict[str, str] | None = None) -> None:
        super().__init__(folder, lines)
        self.provider = FixedAddress()
        self.streams._providers["twilio"] = self.provider

    def starts(self, call_id: str = "CA1", caller: str = "", **parameters: str) -> None:
        """Have the start message say this."""
        start = msgspec.structs.replace(started(), call_id=call_id, caller=caller, parameters=parameters)
        self.provider.events["start"] = start

    async def token(self) -> str:
        """Answer a call; return the token that its answer has."""
        answer = await self.webhook()
        assert isinstance(answer, Answer)
        return answer.body


@pytest.fixture(autouse=True)
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """How the calls of this test go."""
    run = Run()
    monkeypatch.setattr(media_stream, "Call", stand_in(run))
    return run


async def test_nothing_is_decided_at_the_address_alone() -> None:
    """The upgrade proves nothing; a provider without such a start message is refused there, as ever."""
    door = Door()
    assert await door.authorize(FixedAddress(), Upgrade(), "", "") == Unproven("")
    assert await door.authorize(FixedAddress(), Upgrade(), "support", "") == Unproven("support")
    with pytest.raises(SignatureError, match=r"^the stream has no token$"):
        await door.authorize(Scripted(), Upgrade(), "", "")


async def test_a_token_in_the_path_is_believed_first() -> None:
    """Or refused, whatever the start would say."""
    door = Door()
    with pytest.raises(SignatureError, match="forged"):
        await door.authorize(FixedAddress(), Upgrade(), "support", "nonsense")


async def test_a_start_with_the_call_s_token_opens_it(tmp_path: Path) -> None:
    """The call, its line and its numbers are those that were answered, not those that the message names."""
    stage = FixedStage(tmp_path, SECOND)
    stage.starts(caller="+19995550100", token=await stage.token())
    socket = await stage.stream("start", grant=Unproven(""))
    assert stage.refused == []
    assert socket.closed_with != 1008
    (call,) = stage.prepared
    assert (call.call_id, call.caller) == ("CA1", CALLER)
    assert (stage.calls.expected(), stage.calls.in_use) == ([], 0)


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (lambda token: {}, "the stream's start has no token"),
        (lambda token: {"token": ""}, "the stream's start has no token"),
        (lambda token: {"token": "nonsense"}, "the stream's token is forged or too old"),
        (lambda token: {"token": token[:-2]}, "the stream's token is forged or too old"),
        (lambda token: {"token": token, "signature": "wrong"}, "the start's signature is wrong"),
    ],
)
async def test_a_start_that_proves_nothing_is_refused_and_not_believed(
    tmp_path: Path, spoil: Callable[[str], dict[str, str]], detail: str
) -> None:
    """It is counted and logged as any bad proof, is not told why, and the call that it names stays as it is."""
    stage = FixedStage(tmp_path)
    token = await stage.token()
    stage.starts(**spoil(token))
    with capture_logs() as logs:
        socket = await stage.stream("start", grant=Unproven(""))
    assert (socket.closed_with, socket.closed_because) == (1008, "")
    assert [(refused.reason, refused.detail) for refused in stage.refused] == [(Refusal.UNAUTHORIZED, detail)]
    assert stage.metric("gateway_calls_refused_total", reason="unauthorized") == 1
    assert [entry["event"] for entry in logs] == ["stream_refused"]
    assert stage.prepared == []
    assert stage.control.made == [], "the call that it names is neither ended nor sent on"
    assert [call.call_id for call in stage.calls.expected()] == ["CA1"], "and its place is kept"
    stage.starts(token=token)
    await stage.stream("start", grant=Unproven(""))
    assert len(stage.prepared) == 1, "its own stream still comes through"


async def test_a_stolen_token_opens_no_other_call_and_no_second_stream(tmp_path: Path) -> None:
    """Nor is it used up by whoever tries it for another call."""
    stage = FixedStage(tmp_path)
    token = await stage.token()
    stage.starts("CA2", token=token)
    await stage.stream("start", grant=Unproven(""))
    assert [refused.detail for refused in stage.refused] == [
        "the start names another call than the one that was answered"
    ]
    stage.starts(token=token)
    await stage.stream("start", grant=Unproven(""))
    await stage.stream("start", grant=Unproven(""))
    assert [refused.detail for refused in stage.refused[1:]] == ["the stream's token was used before"]
    assert len(stage.prepared) == 1


async def test_a_socket_at_the_fixed_address_is_closed_without_a_proof(tmp_path: Path) -> None:
    """Over the network: the upgrade is accepted, and the start decides."""
    stage = FixedStage(tmp_path)
    stage.grant = Unproven("")
    stage.streams._start_timeout_s = 10
    stage.starts(token="nonsense")
    app = web.Application()
    app.router.add_get("/stream/{provider}", stage.streams.handle)
    async with TestClient(TestServer(app)) as client, client.ws_connect("/stream/twilio") as phone:
        await phone.send_str("start")
        closed = await phone.receive()
    assert (closed.type, closed.data, closed.extra) == (WSMsgType.CLOSE, 1008, "")
    assert [refused.reason for refused in stage.refused] == [Refusal.UNAUTHORIZED]
    assert stage.calls.in_use == 0


async def test_a_token_for_another_line_is_refused(tmp_path: Path) -> None:
    """Where the address names a line."""
    stage = FixedStage(tmp_path, SECOND)
    stage.starts(token=await stage.token())
    await stage.stream("start", grant=Unproven("second"))
    assert [refused.detail for refused in stage.refused] == ["the token of the stream's start is for line support"]


async def test_a_call_that_is_over_opens_no_stream(tmp_path: Path) -> None:
    """Whatever its token."""
    stage = FixedStage(tmp_path)
    stage.starts(token=await stage.token())
    note_over(stage.used, "twilio", "CA1")
    await stage.stream("start", grant=Unproven(""))
    assert [refused.detail for refused in stage.refused] == ["the call is over: its provider has reported its end"]


async def test_a_provider_s_own_proof_in_the_start_is_enough(tmp_path: Path) -> None:
    """Its line is then that of the address, or of the called number."""
    stage = FixedStage(tmp_path)
    stage.starts(caller=CALLER, signature="right")
    await stage.stream("start", grant=Unproven(""))
    assert stage.refused == []
    assert [call.call_id for call in stage.prepared] == ["CA1"]


async def test_where_no_token_is_required_the_start_need_bring_none() -> None:
    """A wrong one is refused all the same."""
    door, provider = Door(required=False), FixedAddress()
    assert door.authorize_start(provider, started(), "support") == Grant("support")
    with pytest.raises(SignatureError, match="forged"):
        door.authorize_start(provider, msgspec.structs.replace(started(), parameters={"token": "x"}), "support")


def test_a_token_of_another_provider_is_refused() -> None:
    """Even by the one whose call id it holds."""
    door = Door()
    token = door._tokens.issue("plivo", GRANT, time.time())
    with pytest.raises(SignatureError, match="issued to plivo"):
        door.authorize_start(FixedAddress(), msgspec.structs.replace(started(), parameters={"token": token}), "support")
