"""When the emulator's voice says each word."""

import pytest

from gateway.sim.emulator.speaking.words import Words, WordTime, has_times, word_times


def test_words_follow_one_another_and_pause_at_signs() -> None:
    """Each as long as it has letters; the last ends before the audio does."""
    assert list(word_times("Yes, (it) is.", 2200)) == [
        WordTime("Yes", 0, 300),
        WordTime("it", 800, 200),
        WordTime("is", 1100, 200),
    ]
    assert list(word_times("Well … yes", 1000))[-1].text == "yes"
    assert list(word_times("", 1000)) == []


@pytest.mark.parametrize("text", ["Thank you for calling Contoso. How can I help?", "a", "One, two; three!  Four"])
def test_no_two_words_are_said_at_once(text: str) -> None:
    """And all of them are said within the audio."""
    end_ms = 0
    for word in word_times(text, 3217.5):
        assert word.offset_ms >= end_ms
        end_ms = word.offset_ms + word.duration_ms
    assert 0 < end_ms <= 3218


def test_only_voices_of_azure_have_times() -> None:
    """Those of text to speech; the speech models' own voices have none."""
    kinds = ("azure-standard", "azure-custom", "azure-personal", "azure-realtime-native", "openai")
    assert [has_times(kind) for kind in kinds] == [True, True, True, False, False]


def test_half_of_a_text_comes_ahead() -> None:
    """The rest with the audio, twice as fast as it is spoken."""
    words = Words("one two three four")
    assert words.ahead() == ["one", " two"]
    assert words.until(0.25) == [" three"]
    assert words.rest() == [" four"]
    assert words.so_far == words.text
