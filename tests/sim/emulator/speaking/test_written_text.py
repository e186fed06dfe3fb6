"""Answers that are written: their pace, and their end by a cancel."""

from tests.sim.emulator.wire import conversation, quick


async def test_text_is_written_at_a_pace_and_can_be_cancelled() -> None:
    """What was written stays, incomplete; the rest is never sent."""
    text = "This answer is written word by word, and nobody reads it to its end. " * 10
    async with conversation(quick(greeting=text, pace=2.0)) as (wire, session):
        await wire.send("response.create", response={"modalities": ["text"]})
        await wire.until("response.text.delta")
        await wire.send("response.cancel")
        response = (await wire.until("response.done"))["response"]
        written = "".join(event["delta"] for event in wire.all("response.text.delta"))
        assert response["status"] == "cancelled"
        assert 0 < len(written) < len(text)
        assert (response["output"][0]["status"], session.items[0]["content"][0]["text"]) == ("incomplete", written)
        assert wire.all("response.text.done")[0]["text"] == written
