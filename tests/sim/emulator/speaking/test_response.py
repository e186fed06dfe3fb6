import asyncio
import base64
import json
from typing import Any
from unittest.mock import ANY

import pytest

from gateway.audio.formats import AudioFormat
from gateway.sim.emulator.outgoing import Outgoing
from gateway.sim.emulator.script import Latency
from gateway.sim.emulator.settings.formats import OUTPUT
from gateway.sim.emulator.speaking.words import Words
from gateway.sim.speech import speak
from tests.sim.emulator.wire import ULAW, Event, Wire, conversation, quick, scripted

GREETING = "Thank you for calling Contoso. How can I help?"
CASCADED_ORDER = [
    "response.created",
    "response.output_item.added",
    "conversation.item.created",
    "response.content_part.added",
    "response.audio_transcript.delta",
    "response.audio.delta",
]
CLOSING_BURST = [
    "response.audio.done",
    "response.audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
]


def audio_of(wire: Wire) -> bytes:
    """All audio that came."""
    return b"".join(base64.b64decode(event["delta"]) for event in wire.all("response.audio.delta"))


async def test_the_order_of_a_spoken_response() -> None:
    """Created, item, part, words ahead of audio, and a closing burst of five."""
    async with conversation(quick()) as (wire, _):
        await wire.send("response.create")
        done = await wire.until("response.done")
    types = wire.types[1:]
    assert types[: len(CASCADED_ORDER)] == CASCADED_ORDER
    assert types[-5:] == CLOSING_BURST
    response = done["response"]
    assert (response["status"], response["conversation_id"], response["max_output_tokens"]) == ("completed", "", None)
    assert response["output"][0]["content"] == [{"type": "audio", "transcript": GREETING}]
    assert "".join(event["delta"] for event in wire.all("response.audio_transcript.delta")) == GREETING


async def test_ids_of_both_engine_classes() -> None:
    """Cascaded: ``msg_`` and no conversation id; native: ``item_`` and one."""
    for model, prefix, conversation_id in (("gpt-4.1", "msg_", ""), ("gpt-realtime", "item_", "conv_")):
        async with conversation(quick(), model=model) as (wire, _):
            await wire.send("response.create")
            response = (await wire.until("response.done"))["response"]
        assert response["output"][0]["id"].startswith(prefix)
        assert response["conversation_id"].startswith(conversation_id)
        assert bool(response["conversation_id"]) == bool(conversation_id)
        assert len({event["event_id"] for event in wire.events}) == len(wire.events)


AZURE_FORMATS = ["pcm16", *(f"pcm16_{rate}hz" for rate in (8000, 16000, 22050, 24000, 44100, 48000))]


@pytest.mark.parametrize("name", [*AZURE_FORMATS, "g711_ulaw", "g711_alaw"])
async def test_audio_comes_in_the_sessions_format_and_in_the_documented_sizes(name: str) -> None:
    """Azure voices: 200, 300, then 500 ms, the rest last; put together it is the recorded prompt."""
    async with conversation(quick()) as (wire, _):
        await wire.update(output_audio_format=name)
        await wire.send("response.create")
        done = await wire.until("response.done")
    audio_format: AudioFormat = OUTPUT[name]
    sizes = [
        audio_format.duration_ms(len(base64.b64decode(event["delta"]))) for event in wire.all("response.audio.delta")
    ]
    assert sizes[:3] == [200, 300, 500]
    assert set(sizes[2:-1]) == {500}
    assert 0 < sizes[-1] <= 500
    assert audio_of(wire) == speak(GREETING, audio_format)
    tokens = done["response"]["usage"]["output_token_details"]["audio_tokens"]
    assert tokens == round(sum(sizes) / 50)


@pytest.mark.parametrize(("ending", "status"), [("max_output_tokens", "incomplete"), ("completed", "completed")])
async def test_a_response_without_a_sound(ending: str, status: str) -> None:
    """It ends as the script says, and has no output; the turn after it is answered as usual."""
    async with conversation(scripted({"say": "A", "ending": ending, "silent": True}, {"say": "B"})) as (wire, _):
        said: list[str] = []
        for expected in ([], ["B"]):
            typed = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where?"}]}
            await wire.send("conversation.item.create", item=typed)
            await wire.send("response.create")
            done = (await wire.until("response.done"))["response"]
            said = [part["transcript"] for item in done["output"] for part in item["content"]]
            assert said == expected
            assert done["status"] == (status if not expected else "completed")


async def test_openai_voices_come_in_shorter_deltas() -> None:
    """A native voice has deltas of 250 ms."""
    async with conversation(quick(), model="gpt-realtime") as (wire, _):
        await wire.update(**ULAW)
        await wire.send("response.create")
        await wire.until("response.done")
    sizes = [len(base64.b64decode(event["delta"])) for event in wire.all("response.audio.delta")]
    assert set(sizes[:-1]) == {2000}


async def test_audio_is_paced_in_multiples_of_real_time() -> None:
    """At 40 times real time, 17 s take at least the time that lies before the last burst."""
    script = scripted({"say": quick().turns[0].say}, pace=40, burst=1)
    async with conversation(script) as (wire, session):
        await wire.send(
            "conversation.item.create",
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where?"}]},
        )
        await wire.send("response.create")
        await wire.until("response.done")
        deltas = [record for record in session.sent if record.type == "response.audio.delta"]
    spread_s = deltas[-1].at - deltas[0].at
    audio_s = sum(record.event["bytes"] for record in deltas[:-1]) / 48_000
    assert spread_s >= audio_s / 40 - 0.01


async def test_text_modality() -> None:
    """Text sessions have no audio events; a native one leaves the text of the finished part empty."""
    for model, part_text in (("gpt-4.1", GREETING), ("gpt-realtime", "")):
        async with conversation(quick(), model=model) as (wire, _):
            await wire.send("response.create", response={"modalities": ["text"]})
            done = await wire.until("response.done")
        assert "response.audio.delta" not in wire.types
        assert wire.all("response.text.done")[0]["text"] == GREETING
        assert wire.all("response.content_part.done")[0]["part"] == {"type": "text", "text": part_text}
        assert done["response"]["output"][0]["content"] == [{"type": "text", "text": GREETING}]


async def test_a_ready_made_message_is_said_word_for_word() -> None:
    """``pre_generated_assistant_message`` is the transcript and becomes history; metadata comes back."""
    message = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Are you still there?"}]}
    async with conversation(quick()) as (wire, session):
        await wire.send(
            "response.create", response={"pre_generated_assistant_message": message, "metadata": {"call": "7"}}
        )
        done = await wire.until("response.done")
        assert session.items[0]["content"][0]["transcript"] == "Are you still there?"
    assert wire.all("response.audio_transcript.done")[0]["transcript"] == "Are you still there?"
    assert done["response"]["metadata"] == {"call": "7"}


async def test_word_timestamps() -> None:
    """With ``output_audio_timestamp_types`` every word has its place in the audio."""
    async with conversation(quick()) as (wire, _):
        await wire.update(output_audio_timestamp_types=["word"])
        await wire.send("response.create")
        await wire.until("response.done")
    stamps = wire.all("response.audio_timestamp.delta")
    assert [stamp["text"] for stamp in stamps] == [word.strip(".,?") for word in GREETING.split()]
    offsets = [stamp["audio_offset_ms"] for stamp in stamps]
    assert offsets == sorted(offsets)


async def test_function_calls() -> None:
    """Words and two calls in one response; arguments in pieces and untidy; outputs are taken, then answered."""
    turn = {
        "say": "Let me look.",
        "calls": [{"name": "lookup", "arguments": {"number": "42"}}, {"name": "weather"}],
        "after_call": "It is on its way.",
    }
    async with conversation(scripted(turn)) as (wire, session):
        await wire.update(tools=[{"type": "function", "name": name} for name in ("lookup", "weather")])
        await wire.send(
            "conversation.item.create",
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where is it?"}]},
        )
        await wire.send("response.create")
        done = (await wire.until("response.done"))["response"]
        assert [item["type"] for item in done["output"]] == ["message", "function_call", "function_call"]
        finished = wire.all("response.function_call_arguments.done")
        assert [event["output_index"] for event in finished] == [1, 2]
        assert (finished[0]["name"], json.loads(finished[0]["arguments"])) == ("lookup", {"number": "42"})
        assert "\n" in finished[0]["arguments"]
        pieces = [
            event["delta"]
            for event in wire.all("response.function_call_arguments.delta")
            if event["call_id"] == finished[0]["call_id"]
        ]
        assert len(pieces) > 1
        assert "".join(pieces) == finished[0]["arguments"]
        for event in finished:
            await wire.send(
                "conversation.item.create",
                item={"type": "function_call_output", "call_id": event["call_id"], "output": "{}"},
            )
            created = await wire.until("conversation.item.created")
            assert created["item"]["type"] == "function_call_output"
        await wire.send("response.create")
        await wire.until("response.done")
        assert wire.all("response.audio_transcript.done")[-1]["transcript"] == "It is on its way."
        assert session.violations == []


async def test_an_output_for_a_call_that_nobody_made() -> None:
    """An unknown call id, and an output that is not a string, are errors."""
    async with conversation(scripted({"call": {"name": "f"}})) as (wire, session):
        item = {"type": "function_call_output", "call_id": "call_x", "output": "{}"}
        await wire.send("conversation.item.create", item=item)
        assert (await wire.error())["code"] == "invalid_tool_call_id"
        await wire.send("response.create", response={"tool_choice": "none"})
        await wire.until("response.done")
        assert len(session.violations) == 1


async def test_one_response_at_a_time() -> None:
    """A second create is refused from the first one's acceptance to its ``response.done``, event id echoed."""
    async with conversation(scripted({"say": "Hello."}, latency_ms={"create": 500})) as (wire, session):
        await wire.send("response.create")
        await wire.send("response.create", event_id="mine")
        error = await wire.error()
        assert error["code"] == "conversation_already_has_active_response"
        assert error["event_id"] == "mine"
        await wire.until("response.done")
        await wire.send("response.create")
        await wire.until("response.done")
        assert [violation.partition(":")[0] for violation in session.violations] == [error["code"]]


async def test_a_cancel_in_the_middle_lets_late_deltas_out() -> None:
    """The clients' cancel: late audio, the item incomplete, and ``response.done`` cancelled by the client."""
    async with conversation(quick(pace=0.1, burst=1, late_deltas=2)) as (wire, session):
        await wire.send("response.create")
        await wire.until("response.audio.delta")
        before = len(wire.all("response.audio.delta"))
        await wire.send("response.cancel")
        done = (await wire.until("response.done"))["response"]
        assert len(wire.all("response.audio.delta")) - before == 2
        assert done["status"] == "cancelled"
        assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        assert done["output"][0]["status"] == "incomplete"
        assert GREETING.startswith(session.items[0]["content"][0]["transcript"])
        assert session.violations == []


async def test_cancel_before_created_and_before_the_first_output() -> None:
    """``response.created`` is still sent, then a cancelled ``response.done`` without output."""
    for latency in ({"create": 60_000}, {"first_delta": 60_000}):
        async with conversation(scripted({"say": "Hello."}, latency_ms=latency)) as (wire, _):
            await wire.send("response.create")
            if "first_delta" in latency:
                await wire.until("response.created")
            await wire.send("response.cancel")
            done = (await wire.until("response.done"))["response"]
        assert wire.types[-2:] == ["response.created", "response.done"]
        assert (done["status"], done["output"]) == ("cancelled", [])


async def test_a_response_that_never_spoke_takes_nothing_from_the_script() -> None:
    """What it would have said is said by the next one."""
    async with conversation(quick(latency_ms=Latency.none().model_copy(update={"create": 300}))) as (wire, _):
        await wire.send("response.create")
        await wire.send("response.cancel")
        assert (await wire.until("response.done"))["response"]["output"] == []
        await wire.send("response.create")
        done = (await wire.until("response.done"))["response"]
    assert done["output"][0]["content"][0]["transcript"] == GREETING


async def test_a_response_shows_what_it_was_asked_for() -> None:
    """Voice, temperature and limit are the request's own where it has them, else the session's."""
    async with conversation(quick()) as (wire, _):
        await wire.update(max_response_output_tokens=200)
        asked = {"voice": "en-US-JennyNeural", "temperature": 1.1, "max_output_tokens": 50}
        await wire.send("response.create", response=asked)
        done = (await wire.until("response.done"))["response"]
        assert (done["voice"]["name"], done["voice"]["rate"]) == ("en-US-JennyNeural", None)
        assert (done["temperature"], done["max_output_tokens"]) == (1.1, 50)
        await wire.send("response.create")
        done = (await wire.until("response.done"))["response"]
        assert (done["voice"]["name"], done["temperature"]) == ("en-US-AvaNeural", 0.8)
        assert done["max_output_tokens"] == 200


async def test_a_native_session_has_one_conversation() -> None:
    """All its responses belong to it."""
    async with conversation(quick(), model="gpt-realtime") as (wire, _):
        for _ in range(2):
            await wire.send("response.create")
            await wire.until("response.done")
    assert len({event["response"]["conversation_id"] for event in wire.all("response.done")}) == 1


async def test_usage_counts_what_was_generated() -> None:
    """A truncation takes back what was heard, not what was made and is paid for."""
    async with conversation(quick(pace=0.1)) as (wire, _):
        await wire.update(output_audio_format="g711_ulaw")
        await wire.send("response.create")
        item_id = (await wire.until("response.audio.delta"))["item_id"]
        await wire.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=100)
        await wire.send("response.cancel")
        usage = (await wire.until("response.done"))["response"]["usage"]
    assert usage["output_token_details"]["audio_tokens"] == round(len(audio_of(wire)) / 8 * 20 / 1000) > 2


async def test_audio_can_be_truncated_from_the_moment_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is quick never hears that the item is shorter than what it was sent."""
    emit_audio = Outgoing.emit_audio
    known_ms, sent_ms = [], 0.0

    async with conversation(quick()) as (wire, session):

        async def watched(out: Outgoing, size: int, **fields: Any) -> None:
            nonlocal sent_ms
            sent_ms += size / 48
            entry = session._service.history.find(fields["item_id"])
            known_ms.append(entry and entry.audio_ms == pytest.approx(sent_ms))
            await emit_audio(out, size, **fields)

        monkeypatch.setattr(Outgoing, "emit_audio", watched)
        await wire.send("response.create")
        await wire.until("response.done")
    assert known_ms
    assert all(known_ms)


async def test_cancel_with_nothing_to_cancel() -> None:
    """It has its error, and is no violation: it may have crossed the end."""
    async with conversation(quick()) as (wire, session):
        await wire.send("response.cancel")
        assert (await wire.error())["code"] == "response_cancel_not_active"
        assert session.violations == []


async def test_done_events_of_a_cancelled_item_can_be_left_out() -> None:
    """What precedes a cancelled ``response.done`` is not documented: both ways can be had."""
    async with conversation(quick(pace=0.1, done_events_on_cancel=False)) as (wire, _):
        await wire.send("response.create")
        await wire.until("response.audio.delta")
        await wire.send("response.cancel")
        await wire.until("response.done")
    assert "response.audio.done" not in wire.types


async def test_a_stalled_response_says_nothing_behind_created() -> None:
    """``stall_s`` holds the first output back, and a cancel still gets through."""
    async with conversation(scripted({"say": "Hello."}, faults={"stall_s": 60})) as (wire, _):
        await wire.send("response.create")
        await wire.until("response.created")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await wire.next()


@pytest.mark.parametrize(
    ("ending", "status", "details", "outputs"),
    [
        ("max_output_tokens", "incomplete", {"type": "incomplete", "reason": "max_output_tokens"}, 1),
        ("content_filter", "incomplete", {"type": "incomplete", "reason": "content_filter"}, 1),
        ("failed", "failed", {"type": "failed", "error": ANY}, 0),
    ],
)
async def test_responses_that_end_badly(ending: str, status: str, details: Event, outputs: int) -> None:
    """A script cuts an answer off or lets it fail; the next response is welcome."""
    async with conversation(scripted({"say": "Of course.", "ending": ending})) as (wire, session):
        await session.speech_started()
        await session.speech_stopped()
        response = (await wire.until("response.done"))["response"]
        assert (response["status"], response["status_details"]) == (status, details)
        assert len(response["output"]) == outputs
        assert all(item["status"] == status for item in response["output"])
        await wire.send("response.create")
        assert (await wire.until("response.done"))["response"]["status"] == "completed"


def test_words_run_ahead_of_the_audio_and_are_all_said() -> None:
    """Half of the tokens leave first, all of them when half of the audio has left."""
    words = Words("one two three four")
    assert words.ahead() == ["one", " two"]
    assert words.until(0.25) == [" three"]
    assert words.until(0.5) == [" four"]
    assert words.rest() == []
    assert words.so_far == words.text


async def test_a_voice_without_times_sends_none() -> None:
    """``output_audio_timestamp_types`` is accepted with any voice; OpenAI's voices have no times of words."""
    async with conversation(quick(), model="gpt-realtime") as (wire, _):
        updated = await wire.update(output_audio_timestamp_types=["word"], voice="marin")
        assert updated["output_audio_timestamp_types"] == ["word"]
        await wire.send("response.create")
        await wire.until("response.done")
    assert not wire.all("response.audio_timestamp.delta")
