from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.wav import write_wav
from gateway.config.line_file import LineFile
from gateway.config.telling.describe_recording import recording_warnings, recording_words

ReadLine = Callable[..., LineFile]
SECRET = 'tools: [{name: pay, description: b, http: {url: "https://a.b/"}, parameters: {card: {secret: digits}}}]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("recording: false", ""),
        ("recording: true", "stereo, callers are not told, silence while secrets are keyed in"),
        (
            "recording: {announce: Hear., consent: {ask: May we?, key: '2'}, keep_days: forever}",
            "stereo, after 'Hear.', asks 'May we?', yes by key 2 within 5 s, silence while secrets are keyed in, "
            "kept forever",
        ),
        (
            "recording: {channels: mono, announce: {play: a.wav}, pause_while_secret: false, keep_days: 1}",
            "mono, after a.wav was played, secrets are on it, kept for 1 days",
        ),
    ],
)
def test_it_is_told_in_words(read_line: ReadLine, tmp_path: Path, text: str, told: str) -> None:
    """The line says that calls are recorded, what callers hear before, and for how long recordings are kept."""
    write_wav(tmp_path / "a.wav", np.zeros(800, np.int16), 8000)
    line = read_line(text).line
    assert line
    assert recording_words(line) == told


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("recording: false", []),
        (
            "recording: true",
            ["recording: callers are not told of it, expected announce or consent where the law wants it"],
        ),
        ("recording: {announce: Hear.}", []),
        ("recording: {consent: {ask: May we?}}", []),
        (
            "voice: alloy\nmodel: gpt-realtime\nrecording: {announce: Hear., consent: {ask: May we?}}",
            [
                "recording.announce: alloy speaks for the model, which may change a word",
                "recording.consent.ask: alloy speaks for the model, which may change a word",
            ],
        ),
        (
            "recording: {announce: {play: a.wav}}",
            ["recording.announce: no text beside play, so the model does not know what was said"],
        ),
        (
            f"{SECRET}recording: {{announce: Hear., pause_while_secret: false}}",
            ["recording.pause_while_secret: the tones of secret digits are on the recording"],
        ),
    ],
)
def test_what_may_not_be_intended_is_warned_of(
    read_line: ReadLine, tmp_path: Path, text: str, warnings: list[str]
) -> None:
    """A line that tells nobody, words that may change, secrets that can be heard."""
    write_wav(tmp_path / "a.wav", np.zeros(800, np.int16), 8000)
    line = read_line(text).line
    assert line
    assert list(recording_warnings(line)) == warnings
