import argparse
import json
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.starting.commands import command_line
from gateway.cli.tape import wanted_tape
from gateway.errors import InputError
from gateway.tape.tapes import Wanted
from tests.tape.calls import NUMBERS, WORDS, TapedCall
from tests.tape.conftest import twilio_call  # noqa: F401 -- the fixture


def options(*words: str) -> argparse.Namespace:
    """The options of ``gateway serve``."""
    return command_line().parse_args(["serve", *words])


def test_a_tape_is_wanted_of_a_tester(tmp_path: Path) -> None:
    """The directory is made, for its owner alone."""
    folder = tmp_path / "tapes"
    made = wanted_tape(options("--tape", str(folder), "--tape-from", "+1 415-555-0123", "--tape-calls", "2"))
    assert made == Wanted(folder, "+14155550123", 2)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert wanted_tape(options()) is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--tape", "{dir}"], "--tape without --tape-from"),
        (["--tape-from", "+14155550123"], "--tape-from without --tape"),
        (["--tape-calls", "2"], "--tape-calls without --tape"),
        (["--tape-audio"], "--tape-audio without --tape"),
        (["--tape", "{dir}", "--tape-from", "alice"], "--tape-from: 'alice' is no number"),
        (["--tape", "{dir}", "--tape-from", "4155550123"], "is no number in international format"),
        (["--tape", "{dir}", "--tape-from", "+14155550123", "--tape-calls", "0"], "--tape-calls: 0, expected 1 to"),
        (["--tape", "{dir}/a/b", "--tape-from", "+14155550123"], "cannot be used: No such file or directory"),
        (["--tape", "{dir}/file", "--tape-from", "+14155550123"], "is no folder of this user"),
        (["--tape", "{dir}/link", "--tape-from", "+14155550123"], "is no folder of this user"),
    ],
)
def test_options_that_cannot_be_used_are_refused(
    tmp_path: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything else, with what was expected."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    asked = [word.format(dir=tmp_path) for word in words]
    with pytest.raises(InputError) as raised:
        wanted_tape(options(*asked))
    assert told in str(raised.value)
    for several in ([], ["--workers", "2"]):
        assert main(["serve", *several, *asked]) == 2
        assert told in capsys.readouterr().err


def test_a_clean_tape_passes(
    twilio_call: TapedCall,  # noqa: F811 -- the fixture
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For people and for scripts."""
    monkeypatch.chdir(tmp_path)
    assert main(["tape", "check", str(twilio_call.file)]) == 0
    assert "it can be passed on" in capsys.readouterr().out
    assert main(["tape", "check", "--json", str(twilio_call.file)]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(twilio_call.file), "shareable": True, "left": []}


def test_what_is_left_is_told_by_its_place_and_the_exit_code(
    twilio_call: TapedCall,  # noqa: F811 -- the fixture
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A secret of the environment, a number of a line and its instructions, found without a word of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_TOKEN", "tok-of-the-shop")
    (tmp_path / "config" / "lines").mkdir(parents=True)
    (tmp_path / "config" / "gateway.yaml").write_text("providers: {}\n")
    line = f"numbers: ['{NUMBERS['called']}']\ninstructions: {WORDS['instructions']}\nmodel: gpt-4.1\n"
    (tmp_path / "config" / "lines" / "support.yaml").write_text(line)
    file = tmp_path / "tape.jsonl"
    left = ["tok-of-the-shop", NUMBERS["called"].removeprefix("+"), WORDS["instructions"]]
    records = [json.dumps({"t": 1, "side": "phone", "to": "in", "json": {"x": text}}) for text in left]
    file.write_text("\n".join([*twilio_call.file.read_text("utf-8").splitlines(), *records]) + "\n", "utf-8")
    assert main(["tape", "check", str(file)]) == 1
    out = capsys.readouterr().out
    for what in ("a known secret", "a number of a line", "a text of the configuration", "not to be passed on"):
        assert what in out
    assert not [text for text in left if text in out]
    assert main(["tape", "check", "--json", "--config", "config/gateway.yaml", str(file)]) == 1
    assert json.loads(capsys.readouterr().out)["shareable"] is False


def test_a_report_is_told_for_people_and_for_scripts(
    twilio_call: TapedCall,  # noqa: F811 -- the fixture
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Differences are no failure."""
    assert main(["tape", "report", str(twilio_call.file)]) == 0
    assert "end: bot_hung_up by bot" in capsys.readouterr().out
    assert main(["tape", "report", "--json", str(twilio_call.file)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["facts"]["provider"], told["differs"]) == ("twilio", [])


@pytest.mark.parametrize("what", ["check", "report"])
@pytest.mark.parametrize("content", [None, b"", b"\x00\xff", b"{}\n", b'{"tape":9}\n'])
def test_what_is_no_tape_is_wrong_input(
    what: str,
    content: bytes | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Said in a line, without a traceback."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "tape.jsonl"
    if content is not None:
        file.write_bytes(content)
    assert main(["tape", what, str(file)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(str(file))
    assert "Traceback" not in err
