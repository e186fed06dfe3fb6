import pytest

from gateway.sim.emulator import Session
from gateway.sim.emulator.script import Latency
from tests.sim.emulator.wire import SERVER_VAD, SILENCE_S, ULAW, Event, Wire, caller, conversation, quick, scripted

ORDER = caller("order_status")
LONG = quick().turns[0].say


async def spoken(wire: Wire, **session: object) -> None:
    """One recorded turn in a µ-law session, all of it at once."""
    await wire.update(**ULAW, turn_detection=SERVER_VAD, **session)
    await wire.append(SILENCE_S + ORDER + SILENCE_S)


def of_turn(wire: Wire, item_id: str) -> list[str]:
    """The types of the events about one item of the caller."""
    return [
        event["type"]
        for event in wire.events
        if event.get("item_id") == item_id or event.get("item", {}).get("id") == item_id
    ]


async def test_the_order_of_a_cascaded_turn() -> None:
    """The transcript comes before the item, the item before the response, all under one id."""
    async with conversation(quick()) as (wire, session):
        await spoken(wire)
        done = await wire.until("response.done")
        started = wire.all("input_audio_buffer.speech_started")[0]
        item_id = started["item_id"]
        assert of_turn(wire, item_id) == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.input_audio_transcription.completed",
            "conversation.item.created",
        ]
        assert 840 <= started["audio_start_ms"] <= 1100
        assert wire.all("input_audio_buffer.speech_stopped")[0]["audio_end_ms"] > 4000
        assert wire.all("input_audio_buffer.committed")[0]["previous_item_id"] is None
        completed = wire.all("conversation.item.input_audio_transcription.completed")[0]
        assert (completed["transcript"], completed["language"]) == (
            "Hi. I would like to know where my order is.",
            "en-US",
        )
        assert wire.types.index("conversation.item.created") < wire.types.index("response.created")
        assert done["response"]["output"][0]["content"][0]["transcript"] == LONG
        assert done["response"]["usage"]["input_token_details"]["audio_tokens"] in range(20, 40)
        assert [item["role"] for item in session.items] == ["user", "assistant"]
        assert session.violations == []


async def test_the_order_of_a_native_turn() -> None:
    """The item comes first and without words; whisper's transcript follows as a delta and a whole."""
    async with conversation(quick(), model="gpt-realtime") as (wire, _):
        await spoken(wire, input_audio_transcription={"model": "whisper-1"})
        await wire.until("response.done")
        created = wire.all("conversation.item.created")[0]
        assert created["item"]["content"] == [{"type": "input_audio", "transcript": None}]
        assert of_turn(wire, created["item"]["id"])[3:] == [
            "conversation.item.created",
            "conversation.item.input_audio_transcription.delta",
            "conversation.item.input_audio_transcription.completed",
        ]
        assert "language" not in wire.all("conversation.item.input_audio_transcription.completed")[0]


async def test_a_native_session_without_transcription_has_none() -> None:
    """Native engines hear without words unless asked."""
    async with conversation(quick(), model="gpt-realtime") as (wire, _):
        await spoken(wire)
        await wire.until("response.done")
    assert not [kind for kind in wire.types if "transcription" in kind]


async def test_previous_item_ids_of_the_second_turn() -> None:
    """Native: the assistant's item; cascaded: the caller's item before it."""
    for model, role in (("gpt-4.1", "user"), ("gpt-realtime", "assistant")):
        async with conversation(quick(), model=model) as (wire, session):
            await spoken(wire)
            await wire.until("response.done")
            await wire.append(ORDER + SILENCE_S)
            committed = await wire.until("input_audio_buffer.committed")
            named = next(item for item in session.items if item["id"] == committed["previous_item_id"])
            assert named["role"] == role
            await wire.until("response.done")


async def test_without_create_response_the_turn_ends_with_its_item() -> None:
    """The client asks for the answer; then it is the turn's."""
    async with conversation(quick()) as (wire, _):
        await wire.update(**ULAW, turn_detection={**SERVER_VAD, "create_response": False})
        await wire.append(ORDER + SILENCE_S)
        await wire.until("conversation.item.created")
        assert "response.created" not in wire.types
        await wire.send("response.create")
        done = await wire.until("response.done")
        assert done["response"]["output"][0]["content"][0]["transcript"] == LONG


async def replying(wire: Wire, session: Session, **turn_detection: object) -> None:
    """A reply in the middle of its generation."""
    await wire.update(**ULAW, turn_detection={**SERVER_VAD, **turn_detection})
    await wire.send("response.create")
    await wire.until("response.audio.delta")
    await session.until(lambda one: len(one.items) == 1)


async def test_speech_cancels_the_running_response() -> None:
    """Barge-in: speech_started, late audio of the dead response, and ``turn_detected``; then the next answer."""
    async with conversation(quick(pace=0.1, burst=1, late_deltas=3)) as (wire, session):
        await replying(wire, session)
        await wire.append(ORDER)
        await wire.until("input_audio_buffer.speech_started")
        before = len(wire.all("response.audio.delta"))
        done = (await wire.until("response.done"))["response"]
        assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        assert len(wire.all("response.audio.delta")) - before == 3
        await wire.append(SILENCE_S)
        created = await wire.until("response.created")
        assert created["response"]["id"] != done["id"]
        assert "conversation.item.truncated" not in wire.types
        await wire.send("response.cancel")
        await wire.until("response.done")
        assert session.violations == []


async def test_speech_after_the_generation_only_starts() -> None:
    """The usual case: nothing is left to cancel, and only ``speech_started`` appears."""
    async with conversation(quick()) as (wire, _):
        await wire.update(**ULAW, turn_detection=SERVER_VAD)
        await wire.send("response.create")
        await wire.until("response.done")
        await wire.append(ORDER[: 8 * 1500])
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
    assert wire.types[-2:] == ["input_audio_buffer.speech_started", "input_audio_buffer.cleared"]


async def test_interrupt_response_off_lets_the_response_run() -> None:
    """Speech does not cancel; the turn that then wants an answer meets the active response."""
    async with conversation(quick(pace=0.1)) as (wire, session):
        await replying(wire, session, interrupt_response=False)
        await wire.append(ORDER + SILENCE_S)
        error = (await wire.until("error"))["error"]
        assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", None)
        await wire.send("response.cancel")
        done = (await wire.until("response.done"))["response"]
        assert done["status_details"]["reason"] == "client_cancelled"
        assert session.violations == []


async def test_a_turn_beside_a_response_is_answered_behind_it() -> None:
    """Where the script says so: by the service itself, once the response is over, and without an error."""
    async with conversation(quick(pace=0.1, overlapped="answered")) as (wire, session):
        await replying(wire, session, interrupt_response=False)
        await session.speech_started()
        await session.speech_stopped()
        await wire.until("input_audio_buffer.committed")
        await wire.send("response.cancel")
        first = (await wire.until("response.done"))["response"]["id"]
        created = (await wire.until("response.created"))["response"]
        assert created["id"] != first
        assert wire.all("error") == []
        assert session.violations == []


async def test_a_turn_beside_a_response_is_not_answered_at_all() -> None:
    """Where the script says so; the client's own request is."""
    async with conversation(quick(pace=0.1, overlapped="ignored")) as (wire, session):
        await replying(wire, session, interrupt_response=False)
        await session.speech_started()
        await session.speech_stopped()
        await wire.send("response.cancel")
        await wire.until("response.done")
        await wire.send("response.create", response={"metadata": {"by": "client"}})
        created = (await wire.until("response.created"))["response"]
        assert created["metadata"] == {"by": "client"}
        assert wire.all("error") == []
        assert session.violations == []


async def test_auto_truncate_tells_where() -> None:
    """The service truncates at wall clock from the first delta, generation over or not; a client's own is late."""
    async with conversation(quick()) as (wire, session):
        await wire.update(**ULAW, turn_detection={**SERVER_VAD, "auto_truncate": True})
        await wire.send("response.create")
        await wire.until("response.done")
        await session.speech_started()
        truncated = await wire.until("conversation.item.truncated")
        assert 0 <= truncated["audio_end_ms"] < 3100
        await wire.send("conversation.item.truncate", item_id=truncated["item_id"], content_index=0, audio_end_ms=0)
        assert (await wire.error())["code"] == "item_already_truncated"
        assert session.violations == []


async def test_a_client_truncates_at_what_was_heard() -> None:
    """The acknowledgement repeats the position, and history forgets the rest; past the end is an error."""
    async with conversation(quick()) as (wire, session):
        await wire.update(**ULAW, turn_detection=SERVER_VAD)
        await wire.send("response.create")
        done = await wire.until("response.done")
        about = {"item_id": done["response"]["output"][0]["id"], "content_index": 0}
        await wire.send("conversation.item.truncate", **about, audio_end_ms=1500)
        assert (await wire.until("conversation.item.truncated"))["audio_end_ms"] == 1500
        assert session.items[0]["content"][0]["transcript"] == "Thank you for calling"
        await wire.send("conversation.item.truncate", **about, audio_end_ms=1501)
        assert "already shorter" in (await wire.error())["message"]
        assert len(session.violations) == 1


async def test_manual_turns() -> None:
    """Without turn detection a commit makes an item and no response; empty commits are refused."""
    for model, last in (("gpt-4.1", "conversation.item.created"), ("gpt-realtime", "conversation.item.created")):
        async with conversation(quick(), model=model) as (wire, _):
            await wire.update(**ULAW, turn_detection=None)
            await wire.send("input_audio_buffer.commit")
            assert (await wire.error())["code"] == "input_audio_buffer_commit_empty"
            await wire.append(SILENCE_S + ORDER + SILENCE_S)
            await wire.send("input_audio_buffer.commit")
            await wire.until(last)
            assert "input_audio_buffer.speech_started" not in wire.types
            assert "response.created" not in wire.types
            await wire.send("response.create")
            await wire.until("response.done")


async def test_a_create_right_behind_a_commit_waits_for_the_turn() -> None:
    """The response answers the committed turn although its transcript takes a while."""
    async with conversation(scripted({"heard": "a", "say": "A"}, latency_ms={"transcription": 50})) as (wire, _):
        await wire.update(**ULAW, turn_detection=None)
        await wire.append(ORDER)
        await wire.send("input_audio_buffer.commit")
        await wire.send("response.create")
        await wire.until("response.done")
        assert wire.types.index("conversation.item.created") < wire.types.index("response.created")


async def test_clear_drops_what_was_buffered() -> None:
    """Behind a clear there is nothing to commit; it is acknowledged."""
    async with conversation(quick()) as (wire, _):
        await wire.update(**ULAW, turn_detection=None)
        await wire.append(ORDER)
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        await wire.send("input_audio_buffer.commit")
        assert (await wire.error())["code"] == "input_audio_buffer_commit_empty"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"audio": "no base64!"}, "invalid_value"),
        ({"audio": "AAAA"}, "invalid_value"),  # three bytes
        ({}, "missing_required_parameter"),
    ],
)
async def test_audio_that_is_none(fields: Event, code: str) -> None:
    """Broken base64, half a sample and no audio at all are errors."""
    async with conversation(quick()) as (wire, session):
        await wire.send("input_audio_buffer.append", **fields)
        assert (await wire.error())["code"] == code
        assert len(session.violations) == 1
        assert session.appended_bytes == 0


@pytest.mark.parametrize(("mode", "ending"), [("never", None), ("failed", "failed"), ("empty_duplicate", "completed")])
async def test_transcription_goes_wrong(mode: str, ending: str | None) -> None:
    """Never, failed, or an empty second one when the next turn is committed; the answer comes all the same."""
    async with conversation(scripted({"heard": "a", "say": "A"}, transcription=mode)) as (wire, _):
        await spoken(wire)
        await wire.until("response.done")
        await wire.append(ORDER + SILENCE_S)
        await wire.until("response.done")
    found = [event for event in wire.events if "transcription" in event["type"]]
    assert {event["type"].rpartition(".")[2] for event in found} == ({ending} if ending else set())
    if mode == "empty_duplicate":
        first = found[0]["item_id"]
        assert [event["transcript"] for event in found if event["item_id"] == first] == ["a", ""]


async def test_a_delay_counts_from_where_the_ear_was_certain() -> None:
    """However much audio one append brings."""
    script = quick(latency_ms=Latency.none().model_copy(update={"detection": 200}))
    async with conversation(script) as (wire, _):
        await wire.update(**ULAW, turn_detection=SERVER_VAD)
        await wire.append(ORDER + SILENCE_S, chunk=len(ORDER) + len(SILENCE_S))
        await wire.until("input_audio_buffer.speech_stopped")


async def test_turns_in_a_burst_follow_each_other() -> None:
    """A turn that still waits for its transcript is the one before; each has the answer of its own."""
    latency = Latency.none().model_copy(update={"create": 300, "transcription": 300})
    async with conversation(quick(vad="scripted", latency_ms=latency)) as (wire, session):
        await wire.update(**ULAW, turn_detection=SERVER_VAD)
        for _ in range(2):
            await session.speech_started()
            await session.speech_stopped()
        await wire.until("response.done")
        second = (await wire.until("response.done"))["response"]
        committed = wire.all("input_audio_buffer.committed")
        assert committed[1]["previous_item_id"] == committed[0]["item_id"]
        assert second["output"][0]["content"][0]["transcript"] == quick().turns[1].say


async def test_detection_can_be_late_in_audio_time() -> None:
    """``detection`` holds voice activity back until so much more audio has come."""
    async with conversation(scripted({"say": "A"}, latency_ms={"detection": 500})) as (wire, _):
        await wire.update(**ULAW, turn_detection=SERVER_VAD)
        await wire.append(ORDER)
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        assert wire.types.count("input_audio_buffer.speech_started") == 1
        await wire.append(ORDER[: 8 * 700])
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        assert wire.types.count("input_audio_buffer.speech_started") == 1


async def test_scripted_turns_ignore_the_audio() -> None:
    """With ``vad: scripted`` a test decides when the caller speaks, and what was heard."""
    async with conversation(quick(vad="scripted")) as (wire, session):
        await wire.update(**ULAW, turn_detection=SERVER_VAD)
        await wire.append(ORDER + SILENCE_S)
        await session.until(lambda one: one.appended_bytes == len(ORDER + SILENCE_S))
        await session.speech_started()
        await session.speech_stopped("Something else.")
        done = await wire.until("response.done")
    assert wire.all("conversation.item.input_audio_transcription.completed")[0]["transcript"] == "Something else."
    assert done["response"]["output"][0]["content"][0]["transcript"] == LONG
    started = wire.all("input_audio_buffer.speech_started")
    assert [event["audio_start_ms"] for event in started] == [len(ORDER + SILENCE_S) // 8 // 20 * 20]


@pytest.mark.parametrize(
    ("model", "version", "done"),
    [("gpt-realtime", "2026-04-10", True), ("gpt-realtime", "2026-07-15", False), ("gpt-4.1", "2026-04-10", False)],
)
async def test_the_item_of_a_spoken_turn_was_reported_twice(model: str, version: str, *, done: bool) -> None:
    """By native models, up to a version: created and done, both with the item before it."""
    async with conversation(quick(), model=model, version=version) as (wire, session):
        await session.speech_started()
        await session.speech_stopped()
        await wire.until("response.created")
        assert ("conversation.item.done" in wire.types) is done
        if done:
            created, again = wire.all("conversation.item.created")[0], wire.all("conversation.item.done")[0]
            assert (again["item"], again["previous_item_id"]) == (created["item"], created["previous_item_id"])


@pytest.mark.parametrize("removed", [True, False])
async def test_a_filler_word_is_no_speech_where_they_are_removed(*, removed: bool) -> None:
    """Nothing is reported, committed or answered; the next turn is the script's next."""
    detection = {"type": "azure_semantic_vad", "remove_filler_words": removed}
    turns = ({"heard": "Uh-huh.", "say": "Yes?", "filler": True}, {"heard": "Hello.", "say": "Good day."})
    async with conversation(scripted(*turns)) as (wire, session):
        await wire.update(turn_detection=detection)
        await session.speech_started()
        await session.speech_stopped()
        if removed:
            await session.speech_started()
            await session.speech_stopped()
        await wire.until("response.done")
        assert len(wire.all("input_audio_buffer.speech_started")) == 1
        assert wire.all("response.audio_transcript.done")[0]["transcript"] == ("Good day." if removed else "Yes?")
