"""What of the caller's audio reaches the service. Pure."""

import math
from collections.abc import Sequence

from gateway.audio.formats import AudioFormat
from gateway.call.rules import CONNECT_BUFFER_S, DEAF_TAIL_S
from gateway.voice.commands import SendAudio


class Hearing:
    """The caller's audio, fifty times a second: kept until the session is there, and silenced where nobody may hear it.

    Times are in seconds.
    """

    def __init__(self, audio_format: AudioFormat, now: float) -> None:
        self._format = audio_format
        self._early: bytearray | None = bytearray()
        self._deaf_until = -math.inf
        self.last_at = now
        """When the phone was heard last."""

    def hear(self, audio: bytes, now: float) -> Sequence[SendAudio]:
        """What goes to the service of this piece of audio; silence as long as it, while nobody listens.

        An empty piece is a sign of life of the provider, and nothing for the service.
        """
        self.last_at = now
        if not audio:  # the service would refuse it
            return ()
        if self._early is not None:
            self._keep(self._early, audio)
            return ()
        return (SendAudio(audio if now >= self._deaf_until else self._format.silence_for(audio)),)

    def connected(self) -> Sequence[SendAudio]:
        """The session is there: the last seconds of what the caller has said meanwhile, unless nobody may hear it."""
        early, self._early = self._early, None
        return (SendAudio(bytes(early)),) if early and self._deaf_until < math.inf else ()

    def mind(self, *, private: bool, now: float) -> None:
        """Listen, or not while it is ``private``; the end of something private is listened to a little later."""
        if private:
            self._deaf_until = math.inf
        elif self._deaf_until == math.inf:
            self._deaf_until = now + DEAF_TAIL_S

    def _keep(self, early: bytearray, audio: bytes) -> None:
        early += audio
        excess = len(early) - self._format.bytes_for(int(CONNECT_BUFFER_S * 1000))
        if excess > 0:
            del early[: excess + excess % self._format.sample_bytes]
