"""Sample-rate conversion."""

import numpy as np
import pytest
import samplerate

from gateway.audio.g711 import Samples
from gateway.audio.resample import resample


def tone(frequency_hz: float, rate_hz: int, seconds: float = 0.5, level: int = 10_000) -> Samples:
    """A sine."""
    time = np.arange(round(rate_hz * seconds)) / rate_hz
    return (np.sin(2 * np.pi * frequency_hz * time) * level).astype(np.int16)


@pytest.mark.parametrize("from_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_level_its_place_and_its_length(from_hz: int) -> None:
    """A 440 Hz tone arrives at 8 kHz as the 440 Hz tone that 8 kHz would have recorded: no gain, no delay."""
    converted = resample(tone(440, from_hz), from_hz, 8_000)
    wanted = tone(440, 8_000)
    assert converted.size == wanted.size
    inner = slice(200, -200)  # a tone that starts from nothing rings at its edges
    assert np.abs(converted[inner].astype(int) - wanted[inner]).max() < 100


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 8_000), (8_000, 24_000), (24_000, 16_000)])
def test_a_long_recording_is_converted_as_in_one_go(from_hz: int, to_hz: int) -> None:
    """It goes through the converter in blocks, so that calls in other threads go on; nobody hears where they meet."""
    recording = np.random.default_rng(7).normal(0, 8000, 50_000).clip(-32768, 32767).astype(np.int16)
    converted = resample(recording, from_hz, to_hz)
    at_once = np.rint(samplerate.resample(recording.astype(np.float32), to_hz / from_hz, "sinc_medium"))
    compared = min(at_once.size, converted.size)
    assert compared > converted.size - 1000
    assert np.array_equal(converted[:compared], at_once[:compared].clip(-32768, 32767))


def test_what_the_lower_rate_cannot_carry_is_removed() -> None:
    """A 6 kHz tone would fold to 2 kHz at 8 kHz; it is filtered out instead."""
    assert np.abs(resample(tone(6_000, 48_000), 48_000, 8_000)[200:-200]).max() < 10


def test_a_loud_square_wave_is_clipped_and_never_wraps_round() -> None:
    """The filter overshoots full scale by some per cent; that is clipped instead of changing its sign."""
    square = np.where(np.arange(4_800) // 120 % 2, 32_767, -32_768).astype(np.int16)
    converted = resample(square, 48_000, 8_000)
    middle_of_halves = converted[10::20]
    assert np.array_equal(np.sign(middle_of_halves), np.where(np.arange(middle_of_halves.size) % 2, 1, -1))
    assert np.abs(middle_of_halves.astype(int)).min() > 30_000


def test_the_end_of_a_recording_is_not_swallowed() -> None:
    """A click in the last millisecond is still there at the other rate, up and down."""
    click = np.zeros(1_600, np.int16)
    click[-8:] = 20_000
    assert np.abs(resample(click, 16_000, 8_000)[-8:]).max() > 10_000
    assert np.abs(resample(click, 16_000, 48_000)[-48:]).max() > 10_000


def test_the_same_rate_and_no_samples_are_left_alone() -> None:
    """Nothing to convert costs nothing and changes nothing."""
    samples = tone(440, 8_000)
    assert resample(samples, 8_000, 8_000) is samples
    assert resample(samples[:0], 8_000, 16_000).size == 0


@pytest.mark.parametrize(("from_hz", "to_hz"), [(0, 8_000), (8_000, -1), (8_000, 8_000 * 257)])
def test_rates_that_cannot_be_converted_are_refused(from_hz: int, to_hz: int) -> None:
    """A rate of nothing, or one out of the converter's range, is the caller's bug."""
    with pytest.raises(ValueError, match="cannot convert"):
        resample(tone(440, 8_000), from_hz, to_hz)
