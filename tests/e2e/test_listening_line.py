"""A whole call to a line that only listens: a session without a voice, transcripts, and a silent phone."""

from pathlib import Path

from gateway.sim.caller.dial import dial
from tests.e2e.rig import NUMBER, configuration, instant, rig
from tests.virtual_time import virtual_time

LINE = f'''numbers: ["{NUMBER}"]
instructions: Listen.
model: gpt-realtime
modalities: [text]
history: [{{system: A meeting.}}]
transcription: whisper-1
turn_detection: server_vad
'''


@virtual_time
async def test_a_line_that_only_listens(tmp_path: Path) -> None:
    """Two turns are transcribed; nothing is asked of the service but to listen, and the caller hears nothing."""
    turns = ({"heard": "Let us begin.", "say": "no"}, {"heard": "That is all.", "say": "no"})
    async with rig(configuration(tmp_path, {"support": LINE}), instant(*turns)) as held:
        async with dial("twilio", held.stream_url, to=NUMBER, call_id="CA1") as phone:
            session = await held.emulator.session()
            await session.until(lambda one: any(record.type == "conversation.item.create" for record in one.received))
            for _ in turns:
                await session.speech_started()
                await session.speech_stopped()
            await held.until(lambda: len(held.fields("CA1", "caller_said")) == 2)
            phone.hang_up()
        await held.end_of("CA1")
        held.emulator.check()
    assert session.session["modalities"] == ["text"]
    assert [item["role"] for item in session.items] == ["system", "user", "user"]
    assert {record.type for record in session.received} == {"session.update", "conversation.item.create"}
    assert [note["text"] for note in held.fields("CA1", "caller_said")] == ["Let us begin.", "That is all."]
    assert [note["text"] for note in held.fields("CA1", "caller_partly_said")] == ["Let us begin.", "That is all."]
    assert held.fields("CA1", "reply_started") == []
    assert session.headers["x-ms-client-request-id"] == "CA1"
