"""A simulated call is judged before it is made where that can be done, and kept whatever becomes of it."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gateway.app import serving
from gateway.cli import main
from gateway.cli.call import _call
from gateway.cli.calling.narrator import Narrator
from gateway.cli.emulated_identity import EmulatedIdentity
from gateway.cli.starting.commands import command_line
from gateway.phone.provider import SignatureError
from gateway.phone.providers.twilio.provider import TwilioWebhooks
from gateway.sim.caller.call import Progress
from gateway.sim.emulator import Emulator, Script
from tests.e2e.rig import NUMBER, configuration, load

FILES = {"call.wav", "call.json", "events.jsonl", "report.html"}
REFUSED = {"call.json", "events.jsonl"}
NOBODY = "ws://127.0.0.1:1/stream/twilio"


@pytest.fixture(autouse=True)
def in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With a configuration where the commands look for one, and logs as they were afterwards."""
    configuration(tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()


async def call(*words: str) -> int:
    """``gateway call``."""
    return await _call(command_line().parse_args(["call", *words]))


def kept(folder: Path) -> dict[str, object]:
    """``call.json``."""
    found: dict[str, object] = json.loads((folder / "call.json").read_text("utf-8"))
    return found


def names(folder: Path) -> set[str]:
    """What is in it."""
    return {file.name for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("make", "words", "complaint"),
    [
        ("file", [], "--out: out is no directory"),
        ("file", ["--force"], "--out: out is no directory"),
        ("directory", [], "--out: out is not empty, expected a new directory; --force replaces the call in it"),
    ],
)
def test_what_is_there_is_not_overwritten(
    make: str, words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told before the call is made: nobody listens, and nobody was tried."""
    out = Path("out")
    if make == "directory":
        out.mkdir()
    (out if make == "file" else out / "call.json").write_text("mine", "utf-8")
    assert main(["call", "goodbye", "--url", NOBODY, "--out", "out", *words]) == 2
    assert complaint in capsys.readouterr().err
    assert (out if make == "file" else out / "call.json").read_text("utf-8") == "mine"


def test_a_place_that_cannot_be_written_to_is_told_first(capsys: pytest.CaptureFixture[str]) -> None:
    """And not when the call is over."""
    Path("file").touch()
    assert main(["call", "goodbye", "--url", NOBODY, "--out", "file/below/out"]) == 2
    assert f"{Path.cwd() / 'file'} cannot be written to, so no call could be kept" in capsys.readouterr().err


def test_force_replaces_the_whole_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the earlier one nothing is left that could be taken for the new one's; other files stay."""
    out = Path("out")
    out.mkdir()
    for name in (*FILES, "notes.txt"):
        (out / name).write_text("of another call", "utf-8")
    assert main(["call", "goodbye", "--url", NOBODY, "--out", "out", "--force"]) == 1
    assert names(out) == {*REFUSED, "notes.txt"}
    assert "cannot be reached" in str(kept(out)["complaints"])
    assert "cannot be reached" in capsys.readouterr().err


def test_an_empty_directory_may_be_used() -> None:
    """It holds no call."""
    Path("out").mkdir()
    assert main(["call", "goodbye", "--url", NOBODY, "--out", "out"]) == 1
    assert names(Path("out")) == REFUSED


def test_a_call_that_never_began_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """Without ``--out`` too, and ``--json`` tells it; two in one second have a folder each."""
    for _ in range(2):
        assert main(["call", "goodbye", "--url", NOBODY, "--json"]) == 1
        told = json.loads(capsys.readouterr().out)
        assert (told["called"], told["refused"]) == (NUMBER, True)
        assert names(Path(told["folder"])) == REFUSED
    assert len(list(Path("calls").iterdir())) == 2


async def test_our_own_gateways_refusal_is_told_in_full(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not only the status: both ends are here, so the detail of its log is told, and what to do."""

    def refuses(*_: object) -> str:
        raise SignatureError("the signature is of another planet")

    monkeypatch.setattr(TwilioWebhooks, "verify", refuses)
    assert await call("goodbye", "--out", "out") == 1
    refused, why = capsys.readouterr().err.splitlines()
    assert "refused the call: 403 Forbidden" in refused
    assert why.startswith("the gateway's own account: bad signature: the signature is of another planet; check the")
    assert kept(Path("out"))["complaints"] == [refused, why]


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGHUP, signal.SIGHUP]], ids=str)
async def test_an_interrupted_call_is_kept(
    signals: list[signal.Signals], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A signal hangs up; what was heard until then is in the folder, and the code is that of an interrupt."""
    bot_speaks = asyncio.Event()
    told = Narrator.progress

    def progress(self: Narrator, step: Progress) -> None:
        told(self, step)
        if step.kind == "bot_started":
            bot_speaks.set()

    monkeypatch.setattr(Narrator, "progress", progress)
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(call("goodbye", "--out", "out"))
        await bot_speaks.wait()
        for number in signals:
            os.kill(os.getpid(), number)
    assert calling.result() == 130
    assert names(Path("out")) == FILES
    assert "interrupted: the caller hung up" in capsys.readouterr().err
    assert "interrupted: the caller hung up" in str(kept(Path("out"))["complaints"])


def test_without_to_a_gateway_elsewhere_gets_the_number_of_the_line_here() -> None:
    """The webhook would otherwise name no number, and no line would take the call."""
    for name, text in (("a", '"+14255550166"'), ("b", '"+14255550177"')):
        Path(f"config/lines/{name}.yaml").write_text(f"numbers: [{text}]\ninstructions: Answer.\n", "utf-8")
    Path("config/lines/support.yaml").unlink()
    assert main(["call", "goodbye", "--url", NOBODY, "--out", "out"]) == 1
    assert kept(Path("out"))["called"] == "+14255550166"


async def test_the_report_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the browser of the machine; where there is none its path is told. A call that never began has no report."""
    opened: list[str] = []

    def browser(url: str) -> bool:
        opened.append(url)
        return False

    monkeypatch.setattr("webbrowser.open", browser)
    assert await call("goodbye", "--url", NOBODY, "--open") == 1
    assert opened == []
    deployment, lines = load(Path("config/gateway.yaml"))
    async with (
        Emulator(Script.for_anyone()) as emulator,
        serving(
            deployment, lines, endpoint=emulator.endpoint, api_key="x", identity=EmulatedIdentity(), host="127.0.0.1"
        ) as gateway,
    ):
        stream = gateway.url.replace("http", "ws", 1) + "/stream/twilio"
        assert await call("--press", "1@0.1", "--url", stream, "--out", "out", "--open") == 0
    report = tmp_path / "out" / "report.html"
    assert opened == [report.as_uri()]
    assert f"--open: no browser was found for {report}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:1/answer/twilio"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1/answer/twilio"),
        ("http://127.0.0.1:1/answer/twilio", "http://127.0.0.1:1/answer/twilio"),
        ("http://127.0.0.1:1/bots/answer/twilio/florist", "http://127.0.0.1:1/bots/answer/twilio/florist"),
    ],
)
def test_the_address_may_be_the_gateways_or_its_webhooks(
    url: str, asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it is written at the provider, a line's own among them."""
    assert main(["call", "goodbye", "--url", url]) == 1
    assert capsys.readouterr().err.startswith(f"the answer webhook {asked} cannot be reached")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--expect", "Hello", "--url", NOBODY], "--expect: only the gateway knows the words"),
        (["--expect", " "], "--expect: there is no text"),
        (["--max-answer-ms", "-1"], "--max-answer-ms: -1 is negative"),
        (
            ["--url", "127.0.0.1:8080"],
            "--url: the address does not say how it is reached, expected a gateway's http://",
        ),
        (["--url", "sip:bot@example.com"], "--url: the address does not say how"),
        (["--test-key", "x"], "--test-key: expected beside --url"),
        (["--test-key", "x", "--url", NOBODY], "--test-key: expected beside --url http"),
        (["--script", "x.yaml", "--url", NOBODY], "--script: the emulator of a gateway that runs already"),
    ],
)
def test_options_that_mean_nothing_together(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 in one line, and nothing is kept."""
    assert main(["call", "goodbye", *words]) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert len(captured.err.splitlines()) == 1
    assert not Path("calls").exists()
