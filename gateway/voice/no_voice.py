"""A voice leg without a session, for calls that need no service."""

import asyncio
from collections.abc import Callable

from gateway.voice.commands import VoiceCommand
from gateway.voice.events import VoiceClosed, VoiceEnd, VoiceEvent


class NoVoice:
    """Reports nothing until it is closed, and ignores every command."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    async def run(self, tell: Callable[[VoiceEvent], None]) -> None:
        """Report the closing event, once the leg is closed."""
        await self._closed.wait()
        tell(VoiceClosed(VoiceEnd.CLOSED))

    def send(self, command: VoiceCommand) -> None:
        """Ignore the command: there is no session."""

    def send_audio(self, audio: bytes) -> None:
        """Ignore the audio."""

    async def close(self) -> None:
        """End the leg; safe to call twice."""
        self._closed.set()

    def again(self, conversation_id: str) -> "NoVoice":
        """Return another leg without a session."""
        return NoVoice()
