"""A voice leg without a session: for calls that the service has no part in."""

import asyncio
from collections.abc import Callable

from gateway.voice.commands import VoiceCommand
from gateway.voice.events import VoiceClosed, VoiceEnd, VoiceEvent


class NoVoice:
    """Says nothing until it is closed, and takes every command without a use for it."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    async def run(self, tell: Callable[[VoiceEvent], None]) -> None:
        """Tell the closing event, once there is one."""
        await self._closed.wait()
        tell(VoiceClosed(VoiceEnd.CLOSED))

    def send(self, command: VoiceCommand) -> None:
        """Nobody is there to carry it out."""

    async def close(self) -> None:
        """End the leg; safe to call twice."""
        self._closed.set()
