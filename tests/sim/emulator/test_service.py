"""Client events that few clients send."""

import pytest

from tests.sim.emulator.wire import conversation, quick, scripted


async def test_an_avatar_is_refused_by_an_error_that_says_so() -> None:
    """It is no violation: the client asked for something that the service has."""
    async with conversation(quick()) as (wire, session):
        await wire.send("session.avatar.connect", client_sdp="v=0")
        error = await wire.error()
        assert error["code"] == "avatar_not_supported"
        assert "no avatars" in error["message"]
        assert session.violations == []


async def test_text_that_is_typed_in_pieces() -> None:
    """Refused as by the service, or taken where the script says so: one item of the user, under the client's id."""
    async with conversation(quick()) as (wire, _):
        await wire.send("input_text.delta", id="t1", delta="Hello")
        assert (await wire.error())["param"] == "type"
    async with conversation(scripted({"say": "Good day."}, input_text="taken")) as (wire, session):
        for delta in ("Hel", "lo."):
            await wire.send("input_text.delta", id="t1", delta=delta)
        await wire.send("input_text.done", id="t1")
        item = (await wire.until("conversation.item.created"))["item"]
        assert (item["id"], item["content"]) == ("t1", [{"type": "input_text", "text": "Hello."}])
        await wire.send("response.create")
        await wire.until("response.done")
        assert wire.all("response.audio_transcript.done")[0]["transcript"] == "Good day."
        assert session.violations == []


@pytest.mark.parametrize(("event", "param"), [({"delta": "x"}, "id"), ({"id": "t1"}, "delta"), ({"id": 7}, "id")])
async def test_pieces_that_are_none(event: dict[str, object], param: str) -> None:
    """The error names what is missing."""
    async with conversation(scripted({"say": "A"}, input_text="taken")) as (wire, _):
        await wire.send("input_text.delta", **event)
        assert (await wire.error())["param"] == param


async def test_the_transcription_alone_is_updated() -> None:
    """What concerns the caller's audio is taken and shown; anything else is unknown there, and changes nothing."""
    async with conversation(quick()) as (wire, session):
        transcription = {"model": "azure-speech", "language": "de-DE"}
        await wire.send("transcription_session.update", session={"input_audio_transcription": transcription})
        shown = (await wire.until("transcription_session.updated"))["session"]
        assert shown["input_audio_transcription"]["language"] == "de-DE"
        assert shown["object"] == "realtime.transcription_session"
        assert "instructions" not in shown
        assert session.session["input_audio_transcription"]["language"] == "de-DE"
        await wire.send("transcription_session.update", session={"instructions": "Be rude."})
        assert (await wire.error())["param"] == "session.instructions"
        await wire.send("transcription_session.update")
        assert (await wire.error())["code"] == "missing_required_parameter"
