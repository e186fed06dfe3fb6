"""The parts of a response, by its request."""

from tests.sim.emulator.wire import conversation, quick


async def test_words_that_instructions_quote_are_said() -> None:
    """As clients ask a model's own voice for a text; other instructions get the words that the script has for them."""
    async with conversation(quick()) as (wire, _):
        for instructions in ("Greet.", "Say exactly this, word for word:\nAre you\nstill there?", "Say goodbye."):
            await wire.send("response.create", response={"instructions": instructions})
            await wire.until("response.done")
    said = [event["transcript"] for event in wire.all("response.audio_transcript.done")]
    assert said == [quick().greeting, "Are you\nstill there?", quick().instructed]
