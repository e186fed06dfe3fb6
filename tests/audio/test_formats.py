"""Audio formats."""

import pytest

from gateway.audio import g711
from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat, Encoding

ALL = [PCMU, PCMA, L16_8K, L16_16K, L16_24K]


@pytest.mark.parametrize(
    ("audio_format", "size"),
    [
        *((PCMU, 160), (PCMA, 160), (L16_8K, 320), (L16_16K, 640), (L16_24K, 960)),
        (AudioFormat(Encoding.L16, 22_050), 882),
        (AudioFormat(Encoding.L16, 44_100), 1764),
    ],
)
def test_twenty_milliseconds_have_the_size_that_the_wires_carry(audio_format: AudioFormat, size: int) -> None:
    """Bytes and milliseconds of a format convert into each other."""
    assert audio_format.bytes_for(20) == size
    assert audio_format.duration_ms(size) == 20
    assert len(audio_format.silence(20)) == size


def test_a_piece_of_audio_is_whole_samples() -> None:
    """At a rate that is no multiple of 1 kHz, a millisecond is not."""
    odd = AudioFormat(Encoding.L16, 22_050)
    assert [odd.bytes_for(each) for each in (1, 2, 3, 1000)] == [44, 88, 132, 44_100]


@pytest.mark.parametrize("audio_format", ALL)
def test_silence_decodes_to_no_sound(audio_format: AudioFormat) -> None:
    """The silence bytes are the quietest code of each encoding (A-law has no zero: its smallest step is 8)."""
    samples = g711.decode(audio_format.silence(20), audio_format)
    assert abs(samples.astype(int)).max() <= 8


def test_a_format_names_itself_as_on_the_command_line() -> None:
    """Logs and reports show encoding and rate."""
    assert str(PCMA) == "pcma/8000"
    assert str(L16_24K) == "l16/24000"
