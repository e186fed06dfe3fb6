"""Replies in a format that the phone does not take."""

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMU, AudioFormat
from gateway.audio.g711 import Samples
from gateway.audio.resample import resample
from gateway.voice.conversion import Conversion
from gateway.voice.events import CallerSpoke, ReplyAudio, ReplyComplete, VoiceEvent

END = ReplyComplete("r", "i")


def speech(seconds: float = 0.7) -> Samples:
    """Two tones that every phone carries, at 24 kHz."""
    time = np.arange(round(24_000 * seconds)) / 24_000
    tones = 6000 * np.sin(2 * np.pi * 440 * time) + 3000 * np.sin(2 * np.pi * 1500 * time)
    samples: Samples = tones.astype(np.int16)
    return samples


def converted(conversion: Conversion, audio: bytes, sizes: list[int]) -> bytes:
    """The audio of a reply that comes in pieces of these sizes, again and again."""
    events: list[VoiceEvent] = []
    at = number = 0
    while at < len(audio):
        size = sizes[number % len(sizes)]
        events += conversion.apply(ReplyAudio("r", "i", audio[at : at + size]))
        at, number = at + size, number + 1
    events += conversion.apply(END)
    assert events[-1] == END
    assert {(event.response_id, event.item_id) for event in events if isinstance(event, ReplyAudio)} == {("r", "i")}
    return b"".join(event.audio for event in events if isinstance(event, ReplyAudio))


@pytest.mark.parametrize("wanted", [L16_8K, L16_16K, PCMU])
@pytest.mark.parametrize("sizes", [[960], [9600, 14_400, 24_000], [961, 959, 3]])
def test_pieces_are_converted_as_in_one_go(wanted: AudioFormat, sizes: list[int]) -> None:
    """The pieces may be of any size, half samples included: together they are the whole, and as long."""
    samples = speech()
    whole = g711.encode(resample(samples, 24_000, wanted.rate_hz), wanted)
    pieces = converted(Conversion(L16_24K, wanted), samples.tobytes(), sizes)
    assert len(pieces) == len(whole) == wanted.bytes_for(700)
    assert pieces == whole


def test_each_reply_begins_anew() -> None:
    """What an interrupted reply has left is in no other."""
    conversion = Conversion(L16_24K, L16_8K)
    conversion.apply(ReplyAudio("r0", "i0", speech(0.3).tobytes() + b"\x01"))
    alone = converted(Conversion(L16_24K, L16_8K), speech().tobytes(), [4800])
    assert converted(conversion, speech().tobytes(), [4800]) == alone
    assert conversion.apply(END) == (END,), "it was ended before"


def test_what_is_no_audio_passes() -> None:
    """A piece too short to make a sample is no event."""
    conversion = Conversion(L16_24K, L16_8K)
    assert conversion.apply(CallerSpoke("c")) == (CallerSpoke("c"),)
    assert conversion.apply(ReplyAudio("r", "i", b"\x01")) == ()
    assert conversion.apply(ReplyComplete("r", "another")) == (ReplyComplete("r", "another"),)
