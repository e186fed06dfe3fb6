import asyncio

import aiohttp
import pytest

from tests.sim.emulator.wire import conversation, quick, scripted

SAY = {"say": "Of course. I have moved the delivery to Friday morning. Is there anything else?"}


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 4000])
async def test_a_close_right_behind_an_event(code: int) -> None:
    """The connection closes with the script's code behind the nth event of a type, and nothing follows."""
    cut = {"at": "response.audio.delta", "nth": 3, "code": code, "reason": "by script"}
    async with conversation(scripted(SAY, faults={"cut": cut})) as (wire, session):
        await wire.send("response.create")
        assert await wire.closed() == code
        await session.closed.wait()
        assert len(wire.all("response.audio.delta")) == 3
        assert wire.events[-1]["type"] == "response.audio.delta"


async def test_a_tcp_reset() -> None:
    """``reset`` ends without a close frame."""
    cut = {"at": "response.created", "how": "reset"}
    async with conversation(scripted(SAY, faults={"cut": cut})) as (wire, session):
        await wire.send("response.create")
        message = await wire.socket.receive()
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await wire.socket.receive()
        assert wire.socket.close_code == 1006
        await session.closed.wait()
        assert session.close_code == 1006


async def test_a_frozen_peer() -> None:
    """``freeze`` neither reads, writes nor answers pings; the socket stays open."""
    cut = {"at": "response.created", "how": "freeze"}
    async with conversation(scripted(SAY, faults={"cut": cut})) as (wire, session):
        await wire.send("response.create")
        await wire.until("response.created")
        await wire.socket.ping()
        await wire.send("input_audio_buffer.clear")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await wire.next()
        assert not session.closed.is_set()
        assert session.received[-1].type == "response.create"
        session.end()
        await session.closed.wait()


async def test_a_cut_after_some_time_and_an_expiry() -> None:
    """Both end the session by the clock; the expiry is told in ``expires_at`` and closes with 1001."""
    async with conversation(scripted(SAY, faults={"cut": {"after_s": 0.05, "code": 1011}})) as (wire, _):
        assert await wire.closed() == 1011
    async with conversation(scripted(SAY, faults={"expire_after_s": 0.05})) as (wire, session):
        assert await wire.closed() == 1001
        assert [event["type"] for event in wire.events] == ["session.created"]
        assert session.session["expires_at"] < 2**33


async def test_extra_events_and_frames() -> None:
    """Unknown events, broken JSON, null, an empty frame and a huge one go out where the script says."""
    send = [
        {"at": "session.created", "event": {"type": "rate_limits.updated", "rate_limits": []}},
        {"at": "session.created", "raw": "{not json"},
        {"at": "session.created", "raw": "null"},
        {"at": "session.created", "raw": ""},
        {"at": "session.created", "event": {"type": "huge"}, "padding_bytes": 5 << 20},
        {"at": "session.created", "event": {"type": "error", "error": {"code": "server_error"}}},
    ]
    async with conversation(scripted(SAY, faults={"send": send})) as (wire, session):
        assert (await wire.next())["type"] == "rate_limits.updated"
        assert [await wire.socket.receive_str() for _ in range(3)] == ["{not json", "null", ""]
        assert len(await wire.socket.receive_str()) > 5 << 20
        assert (await wire.error())["code"] == "server_error"
        assert [record.type for record in session.sent] == ["session.created", "rate_limits.updated", "huge", "error"]


async def test_pings_are_answered_or_not() -> None:
    """A pong comes back by default, and never with ``pong: false``."""
    for faults, answered in (({}, True), ({"pong": False}, False)):
        async with (
            conversation(scripted(SAY, faults=faults)) as (_, session),
            aiohttp.ClientSession(headers={"api-key": "x"}) as http,
            http.ws_connect(_address(session.headers["Host"]), autoping=False) as socket,
        ):
            await socket.receive_json()
            await socket.ping(b"7")
            await socket.send_str('{"type": "input_audio_buffer.clear"}')
            first = await socket.receive()
            assert (first.type is aiohttp.WSMsgType.PONG) == answered


def _address(host: str) -> str:
    return f"http://{host}/voice-live/realtime?api-version=2026-07-15&model=gpt-4.1"


async def test_a_gap_in_the_middle_of_the_audio() -> None:
    """``gap_s`` holds the second half of every response's audio back."""
    async with conversation(scripted(SAY, faults={"gap_s": 0.2}, burst=1)) as (wire, session):
        await wire.send("response.create")
        await wire.until("response.done")
        begun = next(record.at for record in session.sent if record.type == "response.content_part.added")
        times = [record.at for record in session.sent if record.type == "response.audio.delta"]
    assert len(times) > 5
    assert all(at >= begun + 0.2 for at in times[-(len(times) // 2) :])


async def test_the_record_of_audio_has_its_length_and_not_the_audio() -> None:
    """A sent delta is kept as item id and bytes."""
    async with conversation(quick()) as (wire, session):
        await wire.send("response.create")
        done = await wire.until("response.done")
        first = next(record for record in session.sent if record.type == "response.audio.delta")
    assert first.event["bytes"] == 9600
    assert first.event["delta"] is None
    assert first.event["item_id"] == done["response"]["output"][0]["id"]


async def test_a_client_that_does_not_read_loses_its_session() -> None:
    """After ``unread_s`` the last thing in its way is ``session_output_overflow``, and the close has 1008."""
    large = {"at": "session.updated", "event": {"type": "huge"}, "padding_bytes": 16 << 20}
    async with conversation(scripted(SAY, faults={"send": [large] * 3, "unread_s": 0.2})) as (wire, session):
        await wire.send("session.update", session={})
        await session.until(lambda one: any(record.type == "error" for record in one.sent))
        assert await wire.closed() == 1008
        assert wire.events[-1]["error"]["code"] == "session_output_overflow"
