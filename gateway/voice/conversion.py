"""Converts replies for a phone whose format the voice does not have. Pure.

Only for those: audio that comes in the phone's own format is passed through untouched.
"""

from collections.abc import Sequence

from gateway.audio import g711
from gateway.audio.formats import AudioFormat
from gateway.audio.resample import StreamResampler
from gateway.voice.events import ReplyAudio, ReplyComplete, VoiceEvent


class Conversion:
    """Converts the audio of one session's replies from one format to another, reply by reply."""

    def __init__(self, received: AudioFormat, wanted: AudioFormat) -> None:
        self._received = received
        self._wanted = wanted
        self._reply: tuple[str, str] | None = None
        self._resampler = StreamResampler(received.rate_hz, wanted.rate_hz)
        self._part = b""

    def apply(self, event: VoiceEvent) -> Sequence[VoiceEvent]:
        """Return the event, converted if it is a reply's audio; the last of a reply's audio comes before its end."""
        match event:
            case ReplyAudio():
                audio = self._converted(event)
                return (ReplyAudio(event.response_id, event.item_id, audio),) if audio else ()
            case ReplyComplete() if (event.response_id, event.item_id) == self._reply:
                self._reply = None
                tail = g711.encode(self._resampler.end(), self._wanted)
                return (ReplyAudio(event.response_id, event.item_id, tail), event) if tail else (event,)
        return (event,)

    def _converted(self, event: ReplyAudio) -> bytes:
        if (event.response_id, event.item_id) != self._reply:
            self._reply = (event.response_id, event.item_id)
            self._resampler = StreamResampler(self._received.rate_hz, self._wanted.rate_hz)
            self._part = b""
        audio = self._part + event.audio
        whole = len(audio) - len(audio) % self._received.sample_bytes
        audio, self._part = audio[:whole], audio[whole:]
        return g711.encode(self._resampler.convert(g711.decode(audio, self._received)), self._wanted)
