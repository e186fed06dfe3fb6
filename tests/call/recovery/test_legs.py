"""The voice legs of a call: opened, used and closed by its conversation, each heard only while it is in use."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from gateway.call import conversation
from gateway.call.call import Call
from gateway.call.conversation import Conversation
from gateway.call.ending import EndCall, EndReason
from gateway.call.messages import NOTHING, Commands, Event
from gateway.call.record import CallIdentity, CallRecord
from gateway.call.recovery.commands import CloseVoice, OpenVoice, UseVoice, VoiceFailed, VoiceOpened
from gateway.phone.commands import PlayAudio
from gateway.phone.events import CallerAudio, PhoneClosed, PhoneEnd
from gateway.voice.commands import AddMessage, SendAudio
from gateway.voice.events import CallerSpoke, ReplyAudio, SessionReady, VoiceClosed, VoiceEnd
from tests.as_source import needs_source
from tests.fakes import FakeErrands, FakePhone, FakeVoice
from tests.virtual_time import virtual_time

pytestmark = needs_source(conversation)

READY = SessionReady("s", "m")
LOST = VoiceClosed(VoiceEnd.LOST, "reset")


class Scripted:
    """A conversation that does what its test says: ``answers`` by the event, and ``heard`` what came."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.answers: dict[object, Commands] = {}

    def begin(self, now: float) -> Commands:
        return NOTHING

    def handle(self, event: Event, now: float) -> Commands:
        self.heard.append(event)
        return self.answers.get(event, NOTHING)

    def receive_audio(self, audio: bytes, now: float) -> bytes:
        return audio

    def next_deadline(self) -> float:
        return math.inf

    def on_deadline(self, now: float) -> Commands:
        return NOTHING


class Held:
    """A call that runs, and both its ends."""

    def __init__(self) -> None:
        self.phone, self.voice, self.script = FakePhone(), FakeVoice(), Scripted()
        record = CallRecord(CallIdentity("CA1", "twilio", "support", "", "", "pcmu/8000", 0.0))
        self.call = Call(self.phone, self.voice, cast(Conversation, self.script), record, FakeErrands())

    def perform(self, **commands: object) -> None:
        """Have the conversation ask for this, now."""
        self.call._perform(Commands(**commands))  # type: ignore[arg-type]  # each by its own name


@asynccontextmanager
async def held() -> AsyncIterator[Held]:
    """A call, until the block ends; then its caller hangs up."""
    rig = Held()
    hung_up = PhoneClosed(PhoneEnd.HUNG_UP)
    rig.script.answers[hung_up] = ended()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.call.run())
        await asyncio.sleep(0)
        yield rig
        rig.phone.tell(hung_up)
    assert running.result().reason is EndReason.CALLER_HUNG_UP


def ended() -> Commands:
    """The end of the call."""
    return Commands(end=EndCall(EndReason.CALLER_HUNG_UP, "caller"))


async def settled() -> None:
    """Let everything happen that waits for nothing but its turn."""
    await asyncio.sleep(0.01)


@virtual_time
async def test_a_second_leg_is_opened_beside_the_first_and_tells_only_that_it_is_ready() -> None:
    """Its other events mean nothing yet; the leg in use is heard as before."""
    async with held() as rig:
        rig.perform(legs=[OpenVoice(2, "conv_1")])
        (second,) = rig.voice.later
        assert second.conversation_id == "conv_1"
        second.tell(CallerSpoke("early"))
        second.tell(READY)
        rig.voice.tell(CallerSpoke("turn"))
        await settled()
        assert set(map(type, rig.script.heard)) == {VoiceOpened, CallerSpoke}
        assert VoiceOpened(2, READY) in rig.script.heard
        assert CallerSpoke("turn") in rig.script.heard
        assert second.sent == []


@virtual_time
async def test_what_is_asked_for_goes_to_the_leg_in_use() -> None:
    """From the moment of the change, in the same breath: first the change, then what is said to the new leg."""
    async with held() as rig:
        rig.perform(legs=[OpenVoice(2)])
        rig.perform(legs=[UseVoice(2), CloseVoice(1)], voice=[AddMessage("system", "before")])
        rig.phone.tell(CallerAudio(b"caller"))
        await settled()
        assert rig.voice.later[0].sent == [AddMessage("system", "before"), SendAudio(b"caller")]
        assert rig.voice.sent == []
        assert rig.voice.closed
        assert not rig.voice.later[0].closed


@virtual_time
async def test_a_late_event_of_a_leg_that_was_closed_is_not_heard() -> None:
    """Neither audio nor its closing event."""
    async with held() as rig:
        rig.perform(legs=[OpenVoice(2)])
        rig.perform(legs=[UseVoice(2), CloseVoice(1)])
        rig.voice.tell(ReplyAudio("r", "i", b"late"))
        rig.voice.tell(LOST)
        await settled()
        assert rig.script.heard == []
        rig.voice.later[0].tell(ReplyAudio("r2", "i2", b"new"))
        await settled()
        assert rig.script.heard == [ReplyAudio("r2", "i2", b"new")]


@virtual_time
async def test_without_a_leg_in_use_commands_go_nowhere() -> None:
    """The phone is served all the same."""
    async with held() as rig:
        rig.perform(legs=[CloseVoice(1)])
        rig.perform(phone=[PlayAudio(b"a")], voice=[AddMessage("system", "lost")])
        await settled()
        assert rig.voice.sent == []
        assert rig.phone.sent == [PlayAudio(b"a")]


@virtual_time
async def test_a_leg_that_fails_beside_the_one_in_use_is_told_with_its_number() -> None:
    """The call goes on with the leg in use."""
    async with held() as rig:
        rig.perform(legs=[OpenVoice(2)])
        rig.voice.later[0].tell(LOST)
        await settled()
        assert rig.script.heard == [VoiceFailed(2, LOST)]


@virtual_time
async def test_a_leg_that_does_not_close_is_dropped_while_the_call_goes_on() -> None:
    """Its task is cancelled after the limit; nothing of it is left at the end."""
    async with held() as rig:
        rig.voice.close_hangs = True
        rig.perform(legs=[OpenVoice(2)])
        rig.perform(legs=[UseVoice(2), CloseVoice(1)])
        await asyncio.sleep(3)
        rig.voice.later[0].tell(CallerSpoke("turn"))
        await settled()
        assert rig.script.heard == [CallerSpoke("turn")]


@virtual_time
async def test_the_end_of_a_call_closes_every_leg() -> None:
    """The one in use, and the one that is being opened."""
    async with held() as rig:
        rig.perform(legs=[OpenVoice(2)])
        first, second = rig.voice, rig.voice.later[0]
    assert first.closed
    assert second.closed


@virtual_time
async def test_a_leg_that_is_closed_already_may_be_closed_again() -> None:
    """It is gone once; the leg in use goes on."""
    async with held() as rig:
        rig.perform(legs=[OpenVoice(2)])
        rig.perform(legs=[CloseVoice(2)])
        rig.perform(legs=[CloseVoice(2)])
        rig.voice.tell(CallerSpoke("turn"))
        await settled()
        assert rig.voice.later[0].closed
        assert rig.script.heard == [CallerSpoke("turn")]


@virtual_time
async def test_a_command_that_means_nothing_to_the_legs_is_a_bug_that_shows() -> None:
    """In place of a leg that is never opened."""
    async with held() as rig:
        with pytest.raises(AssertionError):
            rig.perform(legs=[AddMessage("system", "not a leg's")])
