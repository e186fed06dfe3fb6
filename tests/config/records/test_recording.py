from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.wav import write_wav
from gateway.config.line_file import LineFile
from gateway.config.records.recording import Announcement, Consent, Recording

ReadLine = Callable[..., LineFile]
LineErrors = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("recording: false", None),
        ("recording: true", Recording()),
        ("recording: {}", Recording()),
        ("recording: {announce: Hear.}", Recording(announce=Announcement(say="Hear."))),
        ("recording: {announce: {say: Hear.}}", Recording(announce=Announcement(say="Hear."))),
        ("recording: {consent: {ask: May we?}}", Recording(consent=Consent(ask="May we?", key="1", wait_s=5))),
        ("recording: {channels: mono, keep_days: forever}", Recording(channels="mono", keep_days="forever")),
    ],
)
def test_it_is_off_and_has_defaults(read_line: ReadLine, text: str, found: Recording | None) -> None:
    """A switch, or a section."""
    line = read_line(text).line
    assert line
    assert line.settings.recording == found


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("recording: {announce: {}}", "recording.announce: has no words, expected say or play"),
        (
            "recording: {announce: {say: a, play: a.wav}}",
            "recording.announce.play: stands beside say, expected one of say and play",
        ),
        (
            "recording: {announce: {say: a, text: b}}",
            "recording.announce.text: needs play: these are the words of a recording",
        ),
        ("recording: {announce: {play: b.wav}}", "b.wav: no such file; expected a recording"),
        ("recording: {consent: {key: '1'}}", "recording.consent.ask: is missing"),
        ("recording: {consent: {ask: a, key: A}}", "recording.consent.key: "),
        ("recording: {consent: {ask: a, wait_s: 0}}", "recording.consent.wait_s: "),
        ("recording: {channels: left}", "recording.channels: "),
        ("recording: {keep_days: 0}", "recording.keep_days: "),
        ("recording: {anounce: Hear.}", "recording.anounce: unknown key, did you mean announce?"),
    ],
)
def test_what_is_wrong_is_told(line_errors: LineErrors, tmp_path: Path, text: str, error: str) -> None:
    """With its place."""
    write_wav(tmp_path / "a.wav", np.zeros(800, np.int16), 8000)
    (told,) = line_errors(text)
    assert error in told
    assert told.startswith("line.yaml:3:")
