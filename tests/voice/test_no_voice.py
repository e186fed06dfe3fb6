"""A voice leg without a session."""

import asyncio

from gateway.voice.commands import CreateResponse, SendAudio
from gateway.voice.events import VoiceClosed, VoiceEnd, VoiceEvent
from gateway.voice.no_voice import NoVoice


async def test_it_says_nothing_until_it_is_closed() -> None:
    """Commands come to nothing, and its one event is the closing one."""
    leg = NoVoice()
    told: list[VoiceEvent] = []
    async with asyncio.TaskGroup() as group:
        running = group.create_task(leg.run(told.append))
        leg.send(SendAudio(b"\xff"))
        leg.send(CreateResponse())
        await asyncio.sleep(0)
        assert not running.done()
        await leg.close()
        await leg.close()
    assert told == [VoiceClosed(VoiceEnd.CLOSED)]
