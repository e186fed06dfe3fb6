"""The documented voices."""

import pytest

from gateway.config.line.voice_catalogue import is_documented, language_of, nearest, voices
from gateway.config.line.voices import DEFAULT_VOICE


def test_the_catalogue_is_whole() -> None:
    """Every entry is a name, once; the default is among them."""
    assert len(voices()) > 600
    assert all(name.endswith("Neural") and name.count("-") >= 2 for name in voices().values())
    assert is_documented(DEFAULT_VOICE.name)


@pytest.mark.parametrize(
    "name",
    [
        "de-DE-KatjaNeural",
        "en-us-avamultilingualneural",
        "en-US-Ava:DragonHDLatestNeural",
        "de-DE-Katja:DragonHDOmniLatestNeural",
        "zh-CN-henan-YundengNeural",
        "sr-Latn-RS-SophieNeural",
        "en-US-Jasper:MAI-Voice-1",
    ],
)
def test_a_documented_voice_is_known(name: str) -> None:
    """In any case, with its place, its generation and its dialect."""
    assert is_documented(name)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("en-US-AvaMultilingualNeurall", "en-US-AvaMultilingualNeural"),
        ("en-US-AvaMultilingual", "en-US-AvaMultilingualNeural"),
        ("de-DE-KatyaNeural", "de-DE-KatjaNeural"),
        ("en-US-Ava:DragonHDLatest", "en-US-Ava:DragonHDLatestNeural"),
        ("en-US-Ava", "en-US-AvaNeural"),
        ("xx-YY-BobNeural", ""),
        ("Katja", "de-DE-KatjaNeural"),
        ("AriaNeural", "en-US-AriaNeural"),
        ("en_US-AvaMultilingualNeural", "en-US-AvaMultilingualNeural"),
        ("de-DE-SeraphinaNeural", "de-DE-SeraphinaMultilingualNeural"),
        ("de-AT-SeraphinaNeural", ""),
    ],
)
def test_a_misspelt_voice_has_a_nearest(name: str, near: str) -> None:
    """Unless nothing is like it."""
    assert not is_documented(name)
    assert nearest(name) == near


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("de-DE-KatjaNeural", "de"),
        ("fil-PH-BlessicaNeural", "fil"),
        ("sr-Latn-RS-SophieNeural", "sr"),
        ("de-DE-SeraphinaMultilingualNeural", ""),
        ("en-US-Ava:DragonHDLatestNeural", ""),
        ("my-voice", ""),
    ],
)
def test_what_a_voice_speaks(name: str, language: str) -> None:
    """One language, or several that its name does not list."""
    assert language_of(name) == language
