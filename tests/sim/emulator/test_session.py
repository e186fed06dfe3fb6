import pytest
from aiohttp import WSMsgType

from gateway.sim.emulator.script import Latency
from tests.sim.emulator.wire import SERVER_VAD, SILENCE_S, ULAW, caller, conversation, quick, scripted

ORDER = caller("order_status")


async def test_every_update_is_answered_with_the_whole_session() -> None:
    """The effective session goes out and is kept; what was asked for is kept beside it."""
    async with conversation(quick()) as (wire, session):
        updated = await wire.update(instructions="Be brief.", **ULAW)
        assert (updated["instructions"], updated["input_audio_sampling_rate"]) == ("Be brief.", 8000)
        assert updated["id"] == session.id
        assert session.session == updated
        assert session.updates == [{"instructions": "Be brief.", **ULAW}]


async def test_a_refused_update_changes_nothing() -> None:
    """The error names the field and the client's event; the session goes on."""
    async with conversation(quick()) as (wire, session):
        await wire.send("session.update", session={"instructions": "x", "type": "realtime"}, event_id="e1")
        error = await wire.error()
        assert (error["code"], error["param"], error["event_id"]) == ("unknown_parameter", "session.type", "e1")
        assert session.session["instructions"] != "x"
        assert (await wire.update(instructions="y"))["instructions"] == "y"
        assert [violation.partition(":")[0] for violation in session.violations] == ["unknown_parameter"]


async def test_audio_is_counted_and_kept_on_request() -> None:
    """Appends leave no record but their bytes."""
    async with conversation(quick(), keep_audio=True) as (wire, session):
        await wire.update(**ULAW, turn_detection=None)
        await wire.append(ORDER)
        await session.until(lambda one: one.appended_bytes == len(ORDER))
        assert session.input_audio == ORDER
        assert [record.type for record in session.received] == ["session.update"]


async def test_frames_that_are_no_events() -> None:
    """Broken JSON, other JSON, binary frames and unknown types are errors, and the session goes on."""
    async with conversation(quick()) as (wire, session):
        for frame in ("{", "[]", '{"type": "session.fly"}', '{"type": ["a"]}', "{}"):
            await wire.socket.send_str(frame)
            await wire.error()
        await wire.socket.send_bytes(b"{}")
        await wire.error()
        rules = [violation.partition(":")[0] for violation in session.violations]
        assert rules == ["not_json", "not_json", *["invalid_value"] * 3, "binary_frame"]


async def test_frames_that_no_decoder_takes() -> None:
    """Bytes that are no UTF-8, an abyss of brackets: an error as for any other frame that is no event."""
    async with conversation(quick()) as (wire, session):
        abyss = '{"type": "session.update", "session": ' + '{"a":' * 200 + "1" + "}" * 201
        for frame in (b'{"type": "\xff"}', b"[" * 100_000, b'{"a":' * 5_000, abyss.encode()):
            await wire.socket.send_frame(frame, WSMsgType.TEXT)
            assert (await wire.error())["code"] == "not_json"
        assert len(session.violations) == 4
        await wire.update(instructions="Be brief.")


async def test_an_update_in_progress_does_not_stop_the_reading() -> None:
    """What comes meanwhile is read at once, so that audio that keeps coming is no gap; it is carried out behind it."""
    never = quick(latency_ms=Latency(update=3_600_000))
    async with conversation(never) as (wire, session):
        now = 1_000.0
        session._clock = lambda: now
        await wire.send("session.update", session={**ULAW, "turn_detection": SERVER_VAD})
        for count in range(2, 6):
            await wire.append(SILENCE_S[:160])
            await wire.send("input_audio_buffer.clear")
            await session.until(lambda one, count=count: len(one.received) == count)  # type: ignore[misc]  # default
            now += 0.9
        assert session.appended_bytes == 0
    await session.closed.wait()
    assert session.appended_bytes == 640
    assert session.session["input_audio_format"] == "g711_ulaw"
    assert session.violations == []


async def test_what_follows_an_update_finds_it_done() -> None:
    """The order of the client's events is kept, however long an update takes."""
    async with conversation(quick(latency_ms=Latency.none().model_copy(update={"update": 30}))) as (wire, _):
        await wire.send("session.update", session={"output_audio_format": "g711_ulaw"})
        await wire.send("session.update", session={"instructions": "Be brief."})
        await wire.send("response.create")
        done = await wire.until("response.done")
    assert wire.types[1:4] == ["session.updated", "response.created", "response.output_item.added"]
    assert len(wire.all("session.updated")) == 2
    assert done["response"]["output_audio_format"] == "g711_ulaw"


async def test_a_cancel_behind_the_services_own_is_redundant() -> None:
    """With ``interrupt_response`` the service cancels by itself; the client's cancel is noted."""
    async with conversation(quick(pace=0.1)) as (wire, session):
        await wire.update(**ULAW, turn_detection=SERVER_VAD)
        await wire.send("response.create")
        await wire.until("response.audio.delta")
        await session.speech_started()
        await wire.until("input_audio_buffer.speech_started")
        await wire.send("response.cancel")
        assert (await wire.until("error"))["error"]["code"] == "response_cancel_not_active"
        await session.until(lambda one: one.violations)
        assert [violation.partition(":")[0] for violation in session.violations] == ["redundant_cancel"]


async def test_clearing_the_output_is_answered() -> None:
    """Whatever it does to an avatar, the words of a call go on."""
    async with conversation(quick()) as (wire, session):
        await wire.send("response.create")
        await wire.until("response.audio.delta")
        await wire.send("output_audio_buffer.clear")
        await wire.until("output_audio_buffer.cleared")
        await wire.send("output_audio_buffer.clear")
        await session.until(lambda at: [one for one in at.sent if one.type == "response.done"])
        (done,) = [one.event for one in session.sent if one.type == "response.done"]
        assert done["response"]["status"] == "completed"
        assert session.violations == []


async def test_audio_that_stops_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap in the audio is noted under turn detection, and not in manual mode."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.supply.LIMIT_S", -60.0)  # now every second append is too late
    for detection, rules in ((SERVER_VAD, {"audio_stopped"}), (None, set())):
        async with conversation(quick()) as (wire, session):
            await wire.update(**ULAW, turn_detection=detection)
            await wire.append(SILENCE_S[:320])
            await session.until(lambda one: one.appended_bytes == 320)
        assert {violation.partition(":")[0] for violation in session.violations} == rules


async def test_events_and_frames_at_will() -> None:
    """A test sends events of its own, raw frames, and ends the connection."""
    async with conversation(quick()) as (wire, session):
        await session.inject({"type": "warning", "warning": {"code": "x", "message": "y", "param": None}})
        assert (await wire.next())["event_id"].startswith("event_")
        await session.send_raw("null")
        assert await wire.socket.receive_str() == "null"
        session.cut("close", 4000, "because")
        assert await wire.closed() == 4000
        await session.closed.wait()


async def test_items_of_the_client() -> None:
    """Items are created with the client's id or a new one, shown, retrieved, deleted."""
    async with conversation(quick()) as (wire, session):
        item = {
            "id": "mine",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Earlier."}],
        }
        await wire.send("conversation.item.create", item=item)
        created = await wire.until("conversation.item.created")
        assert created["previous_item_id"] == ""
        assert created["item"]["content"] == [{"type": "text", "text": "Earlier."}]
        await wire.send("conversation.item.retrieve", item_id="mine")
        assert (await wire.until("conversation.item.retrieved"))["item"]["id"] == "mine"
        await wire.send("conversation.item.delete", item_id="mine")
        await wire.until("conversation.item.deleted")
        assert session.items == []
        for operation in ("retrieve", "delete", "truncate"):
            await wire.send(f"conversation.item.{operation}", item_id="mine", content_index=0, audio_end_ms=0)
            assert (await wire.error())["code"] == f"item_{operation}_invalid_item_id"


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (None, "item"),
        ({"type": "song"}, "item.type"),
        ({"type": "message", "role": "caller"}, "item.role"),
        ({"type": "message", "role": "user", "content": []}, "item.content"),
        ({"type": "message", "role": "user", "content": [{"type": "output_text"}]}, "item.content[0].type"),
        ({"type": "message", "role": "user", "content": [{"type": "input_text"}]}, "item.text"),
        ({"type": "function_call_output", "output": "{}"}, "item.call_id"),
        ({"id": 5, "type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}, "item.id"),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": 5}]},
            "item.transcript",
        ),
    ],
)
async def test_items_that_are_none(item: object, param: str) -> None:
    """Each wrong item names what is wrong with it."""
    async with conversation(scripted({"say": "A"})) as (wire, session):
        await wire.send("conversation.item.create", item=item)
        assert (await wire.error())["param"] == param
        assert session.items == []
