import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio.formats import PCMU
from gateway.audio.wav import write_wav
from gateway.config.line.greeting import Greeting
from gateway.config.line.line import Settings
from gateway.config.line.voices import AzureStandardVoice
from gateway.config.line_file import LineFile

LineErrors = Callable[..., list[str]]
ReadLine = Callable[..., LineFile]
BASE = 'numbers: ["*"]\ninstructions: Answer.\n'
FROM_FILE = 'numbers: ["*"]\ninstructions_file: bot.md\n'


def test_a_line_needs_numbers_and_instructions_alone(read_line: ReadLine) -> None:
    """Every other key has a default."""
    line = read_line("").line
    assert line
    assert line.name == "line"
    assert line.instructions == "Answer the phone."
    assert line.model == "gpt-realtime"
    assert line.settings.voice == AzureStandardVoice(type="azure-standard", name="en-US-AvaMultilingualNeural")
    assert line.settings.greeting is None
    assert line.settings.barge_in


def test_placeholders_are_checked_where_they_are_written(line_errors: LineErrors) -> None:
    """Each unknown placeholder has its own line and column, also within a block of text."""
    base = 'numbers: ["*"]\ninstructions: |\n  Hello {calller},\n  {company} and {calller}.\n'
    text = 'variables: {company: Contoso}\ngreeting: "Hi {who}"\nsilence: {after_s: 5, say: "{lin}"}\n'
    assert line_errors(text, base=base) == [
        "line.yaml:3:9: instructions: unknown placeholder {calller}, did you mean caller?",
        "line.yaml:4:17: instructions: unknown placeholder {calller}, did you mean caller?",
        "line.yaml:6:15: greeting: unknown placeholder {who}, expected caller, called, line, now or company",
        "line.yaml:7:29: silence.say: unknown placeholder {lin}, did you mean line?",
    ]


def test_instructions_may_stand_in_a_file_beside_the_line(read_line: ReadLine, tmp_path: Path) -> None:
    """The path starts at the line's file."""
    (tmp_path / "bot.md").write_text("You answer for {company}.")
    line = read_line("variables: {company: Contoso}\n", base=FROM_FILE).line
    assert line
    assert line.instructions == "You answer for {company}."


def test_instructions_are_the_text_of_their_file(read_line: ReadLine, tmp_path: Path) -> None:
    """Without the mark that editors put in front of it, and with plain line ends."""
    (tmp_path / "bot.md").write_bytes("\ufeffBe kind.\r\nBe brief.\r".encode())
    line = read_line("", base=FROM_FILE).line
    assert line
    assert line.instructions == "Be kind.\nBe brief.\n"


def test_a_section_that_is_wrong_is_told_once(line_errors: LineErrors) -> None:
    """What stands in it is not looked at: of two sections nobody knows which is meant."""
    assert line_errors("limits: {calls: 0}\nlimits: {calls: 1}\n") == [
        "line.yaml:4:1: limits: duplicate key, first written in line 3"
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "line.yaml:2:1: instructions_file: bot.md: cannot be read: No such file or directory"),
        (b" \n", "line.yaml:2:1: instructions_file: bot.md is empty, expected instructions"),
        (
            b"Gr\xfc\xdfe",
            "line.yaml:2:1: instructions_file: bot.md:1:3: not UTF-8: byte 0xfc, expected a file saved as UTF-8",
        ),
        (b"Hello\n{calller}", "bot.md:2:1: unknown placeholder {calller}, did you mean caller?"),
    ],
)
def test_a_wrong_instructions_file_is_told(
    line_errors: LineErrors, tmp_path: Path, content: bytes | None, expected: str
) -> None:
    """What is wrong with the file is told at the key that names it, what is wrong in it where it stands."""
    if content is not None:
        (tmp_path / "bot.md").write_bytes(content)
    assert line_errors("", base=FROM_FILE) == [expected]


def test_instructions_stand_in_one_place(line_errors: LineErrors, tmp_path: Path) -> None:
    """Beside instructions, instructions_file is one too many."""
    (tmp_path / "bot.md").write_text("Hello")
    assert line_errors("instructions: Hello\n", base=FROM_FILE) == [
        "line.yaml:2:1: instructions_file: stands beside instructions, expected one of them"
    ]


def test_empty_instructions_are_told(line_errors: LineErrors) -> None:
    """Empty instructions would bring back the service's own."""
    assert line_errors("", base='numbers: ["*"]\ninstructions: " "\n') == [
        "line.yaml:2:1: instructions: is empty, expected a text"
    ]


def test_a_file_name_must_be_fit_for_an_address(tmp_path: Path) -> None:
    """The stem names the line in the paths of the media stream."""
    file = tmp_path / "my line.yaml"
    file.write_text('numbers: ["*"]\ninstructions: Answer.\n')
    (error,) = LineFile(file, "gpt-realtime", {}).errors
    assert str(error) == f"{file}: 'my line' cannot name a line, expected letters, digits, '.', '_' and '-'"


@pytest.mark.parametrize(
    ("voice", "kind"),
    [
        ("marin", "openai"),
        ("en-US-Ava:DragonHDLatestNeural", "azure-standard"),
        ("zh-CN-XiaoxiaoMultilingualNeural", "azure-standard"),
    ],
)
def test_a_voice_s_name_tells_its_type(read_line: ReadLine, voice: str, kind: str) -> None:
    """Azure's voices begin with a locale; OpenAI's are single words."""
    line = read_line(f"voice: {voice}\n").line
    assert line
    assert line.settings.voice.type == kind


def test_a_voice_s_numbers_become_the_texts_that_the_service_takes(read_line: ReadLine) -> None:
    """``rate: 1.1`` needs no quotes."""
    line = read_line("voice: {type: azure-standard, name: en-US-AvaNeural, rate: 1.1}\n").line
    assert line
    assert isinstance(line.settings.voice, AzureStandardVoice)
    assert line.settings.voice.rate == "1.1"


def test_a_number_where_a_text_is_meant_stays_as_it_was_written(read_line: ReadLine) -> None:
    """Nothing is converted in silence: no zero is lost at either end, no sign, no notation."""
    text = "variables: {postcode: 01067, agent: 007, price: 2.50, phone: +14255550100, a: 1e3, b: 0x1F}\n"
    line = read_line(text + "metadata: {build: 1.10}\nvoice: {type: azure-standard, name: x, rate: 1.10}\n").line
    assert line
    assert list(line.settings.variables.values()) == ["01067", "007", "2.50", "+14255550100", "1e3", "0x1F"]
    assert line.settings.metadata == {"build": "1.10"}
    assert isinstance(line.settings.voice, AzureStandardVoice)
    assert line.settings.voice.rate == "1.10"


@pytest.mark.parametrize(
    ("text", "base", "expected"),
    [
        (
            "",
            'numbers: ["*"]\ninstructions: We are ${COMPANY}.\n',
            "line.yaml:2:22: instructions: environment variable COMPANY is not set",
        ),
        (
            "",
            'numbers: ["*"]\ninstructions_file: ${WHERE}/bot.md\n',
            "line.yaml:2:20: instructions_file: environment variable WHERE is not set",
        ),
        (
            'variables: [company]\ngreeting: "We are {company}."',
            BASE,
            "line.yaml:3:1: variables: expected keys with values, such as {company: Contoso}, found a list",
        ),
    ],
)
def test_one_mistake_gives_one_message(line_errors: LineErrors, text: str, base: str, expected: str) -> None:
    """What only follows from a mistake is not told: it would hide the mistake."""
    assert line_errors(text, base=base) == [expected]


@pytest.mark.parametrize("content", ["numbers: 5\n".encode("utf-16"), b"a: [\n", None])
def test_a_file_that_cannot_be_read_misses_no_keys(tmp_path: Path, content: bytes | None) -> None:
    """Of a file that is no text, no YAML or not there, only that is told."""
    file = tmp_path / "line.yaml"
    if content is not None:
        file.write_bytes(content)
    assert len(LineFile(file, "gpt-realtime", {}).errors) == 1


def test_a_name_that_no_file_can_have_is_told(line_errors: LineErrors) -> None:
    """A null byte in a path is not an error of the operating system's but of Python's; no text may hold one."""
    (error,) = line_errors("", base='numbers: ["*"]\ninstructions_file: "a\\0b"\n')
    assert error == "line.yaml:2:22: instructions_file: holds U+0000, a control character, expected text"


CLOSED = 'hours: {open: {mon: "09:00-17:00"}, closed: {play: "%s"}}'


def test_recordings_stand_beside_the_line(read_line: ReadLine, tmp_path: Path) -> None:
    """They are read with it, found by their names as written, and ready to be played."""
    write_wav(tmp_path / "welcome.wav", np.zeros(8000, np.int16), 16000)
    (tmp_path / "more").mkdir()
    write_wav(tmp_path / "more" / "closed.wav", np.zeros(8000, np.int16), 8000)
    read = read_line(f"greeting: {{play: welcome.wav, text: Welcome.}}\n{CLOSED % 'more/closed.wav'}\n")
    assert read.line
    assert {name: sound.duration_ms for name, sound in read.line.sounds.items()} == {
        "welcome.wav": 500,
        "more/closed.wav": 1000,
    }
    assert len(read.line.sounds["welcome.wav"].encoded(PCMU)) == 4000
    assert set(read.stamps) == {tmp_path / name for name in ("line.yaml", "welcome.wav", "more/closed.wav")}


def test_a_greeting_is_the_same_in_both_ways_of_writing(read_line: ReadLine) -> None:
    """A bare text is what is said."""
    for text in ("greeting: Hello.", "greeting: {say: Hello., interruptible: true}"):
        line = read_line(text).line
        assert line
        assert line.settings.greeting == Greeting(say="Hello.", interruptible=True)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "a.wav: no such file; expected a recording"),
        (b"", "a.wav: an empty file; expected a recording"),
        (
            b"#!AMR...",
            "a.wav: not a recording that can be read: it looks like an AMR file; expected WAV, FLAC, Ogg, MP3 or AIFF. "
            "To convert it: ffmpeg -i a.wav -c:a pcm_s16le a-pcm.wav",
        ),
    ],
)
@pytest.mark.parametrize(("text", "key"), [("greeting: {play: a.wav}", "greeting"), (CLOSED % "a.wav", "hours.closed")])
def test_a_wrong_recording_is_told(
    line_errors: LineErrors, tmp_path: Path, content: bytes | None, expected: str, text: str, key: str
) -> None:
    """At the key that names it, before the first call."""
    if content is not None:
        (tmp_path / "a.wav").write_bytes(content)
    column = text.index("play") + 1
    assert line_errors(text) == [f"line.yaml:3:{column}: {key}.play: {expected}"]


def test_a_recording_is_a_minute_long_at_most(line_errors: LineErrors, tmp_path: Path) -> None:
    """Nobody listens for longer."""
    write_wav(tmp_path / "a.wav", np.zeros(61 * 1000, np.int16), 1000)
    assert line_errors("greeting: {play: a.wav}") == [
        "line.yaml:3:12: greeting.play: a.wav lasts 61 s, expected at most 60 s"
    ]


def test_a_name_that_no_recording_can_have_is_told(line_errors: LineErrors) -> None:
    """A null byte in a path is not an error of the operating system's but of Python's; no text may hold one."""
    (error,) = line_errors('greeting: {play: "a\\0b"}')
    assert error == "line.yaml:3:20: greeting.play: holds U+0000, a control character, expected text"


def test_a_pipe_is_no_recording_and_no_instructions(line_errors: LineErrors, tmp_path: Path) -> None:
    """Reading one would wait until somebody writes to it."""
    os.mkfifo(tmp_path / "pipe")
    (error,) = line_errors("greeting: {play: pipe}")
    assert error == "line.yaml:3:12: greeting.play: it is a named pipe, expected a file"
    (error,) = line_errors("", base='numbers: ["*"]\ninstructions_file: pipe\n')
    assert error.endswith("pipe: cannot be read: it is a named pipe, expected a file")


def test_control_characters_in_instructions_are_told_with_their_place(line_errors: LineErrors, tmp_path: Path) -> None:
    """In the file that holds them."""
    (tmp_path / "text.md").write_text("Be kind.\nBe \x0bbrief.\n")
    (error,) = line_errors("", base='numbers: ["*"]\ninstructions_file: text.md\n')
    assert error.endswith("text.md:2:4: holds U+000B, a control character, expected text")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5000)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "none", "marin", "{caller}", "{", "${X}", "azure_semantic_vad", "*", "#", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "name", "prompt", "model", "say", "after_s", "languages", "texts", "calls", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Settings.model_fields, "x"]), VALUES, max_size=6))
def test_any_value_at_any_key_gives_a_line_or_errors(data: dict[str, object]) -> None:
    """Nothing that can be written in YAML gets past the messages as a traceback."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "line.yaml"
        file.write_text(json.dumps({"numbers": ["*"], "instructions": "Answer.", **data}))
        read = LineFile(file, "gpt-4.1", {"X": "x"})
    assert (read.line is None) == bool(read.errors)
    assert all(str(error).startswith(str(file.parent)) for error in read.errors)


@given(st.text(alphabet="ab:{}[]-'\"|>&*!%@#,?\n\t ${}", max_size=30))
def test_any_text_gives_data_or_errors(text: str) -> None:
    """Whatever is saved, the gateway can say what is wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "line.yaml"
        file.write_text(text)
        assert LineFile(file, "gpt-4.1", {}).errors


def test_the_line_of_the_documentation_is_right(tmp_path: Path) -> None:
    """The first line that a newcomer copies."""
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    file = tmp_path / "florist.yaml"
    file.write_text(text.partition("```yaml\n")[2].partition("```")[0])
    assert LineFile(file, "gpt-realtime", {}).errors == []
