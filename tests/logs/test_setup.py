"""What is logged, and what is not."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import structlog

from gateway.logs import setup as logs
from gateway.sim.emulator import Emulator
from tests.e2e.rig import instant

NUMBER = "+14155550123"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is the process's: give it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What went to standard error, as JSON; nothing may go to standard output."""
    logs.flush()
    told = capsys.readouterr()
    assert told.out == ""
    return [json.loads(line) for line in told.err.splitlines()]


def tell_of_a_bug() -> None:
    """An exception, logged where it is caught."""
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        structlog.get_logger().exception("call_failed")


def test_json_has_event_level_time_and_the_bound_call(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line."""
    logs.configure(json=True)
    with structlog.contextvars.bound_contextvars(call="CA1"):
        structlog.get_logger().info("call_started", line="support")
    (line,) = lines(capsys)
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {"event": "call_started", "level": "info", "call": "CA1", "line": "support"}


@pytest.mark.parametrize("field", sorted(logs.PRIVATE))
def test_what_a_caller_is_says_or_keys_is_hidden(capsys: pytest.CaptureFixture[str], field: str) -> None:
    """Only its length is told; with ``private`` it is shown."""
    logs.configure(json=True)
    structlog.get_logger().info("note", **{field: NUMBER})
    logs.configure(json=True, private=True)
    structlog.get_logger().info("note", **{field: NUMBER})
    hidden, shown = lines(capsys)
    assert hidden[field] == "<12 characters>"
    assert shown[field] == NUMBER


def test_private_values_that_are_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Structures are hidden whole; what is empty is told as empty."""
    logs.configure(json=True)
    structlog.get_logger().info("note", parameters={"to": NUMBER}, caller="", text=None)
    (line,) = lines(capsys)
    assert (line["parameters"], line["caller"], line["text"]) == ("<hidden>", "", None)


def test_levels(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below the level is not written."""
    logs.configure(json=True, level="warning")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_a_traceback_is_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    """A bug's traceback stays on its line."""
    logs.configure(json=True)
    tell_of_a_bug()
    (line,) = lines(capsys)
    assert "ZeroDivisionError" in str(line["exception"])


def test_for_the_eye(capsys: pytest.CaptureFixture[str]) -> None:
    """Text has no colour codes where it goes to a file, and hides the same."""
    logs.configure(json=False)
    structlog.get_logger().info("call_started", caller=NUMBER)
    tell_of_a_bug()
    logs.flush()
    told = capsys.readouterr().err
    assert "call_started" in told
    assert "ZeroDivisionError" in told
    assert NUMBER not in told
    assert "\x1b" not in told


def test_libraries_write_there_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning of a library is a line like any other, with the library's name; its chatter is none."""
    logs.configure(json=True)
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("mind %s", "this")
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("mind this", "warning", "some.library")


def test_a_log_that_nobody_reads_any_more_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever logs goes on, now and later, and each line is counted as lost."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure(json=True)
        os.close(reader)
        structlog.get_logger().info("one")
        structlog.get_logger().info("two")
        logging.getLogger("library").warning("three")
        logs.flush()
        assert logs.lost() == 3


class Unwritable:
    """A value whose text cannot be made."""

    def __repr__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize("json_lines", [True, False])
def test_a_field_that_cannot_be_written_raises_nothing(capsys: pytest.CaptureFixture[str], json_lines: bool) -> None:
    """Whoever logs goes on; the line says which event it was."""
    logs.configure(json=json_lines)
    structlog.get_logger().warning("noted", what=Unwritable())
    (line,) = lines(capsys)
    assert line == {"event": "noted", "level": "warning", "detail": "the fields cannot be written: ZeroDivisionError"}


def test_a_library_that_logs_wrongly_raises_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does the standard library print a traceback of it, which would wait for standard error."""
    logs.configure(json=True)
    logging.getLogger("some.library").warning("mind %s", *("this", "that"))
    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == ("log_line_unreadable", "some.library")


@pytest.mark.parametrize(
    "text", ["\x1b[31mred\x1b[0m", "one\n2026-01-01T00:00:00Z [info] forged", "\x9b31m", "a\rb", "\u202eback"]
)
def test_what_a_peer_wrote_acts_on_no_terminal(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """It can neither colour, nor overwrite, nor begin a line; wherever in a field it stands."""
    logs.configure(json=False)
    structlog.get_logger().warning("noted", detail=text, more={text: [text]})
    logging.getLogger("some.library").warning("it said %s", text)
    logs.flush()
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 2
    assert all(line.isprintable() for line in told.splitlines())


def python(code: str) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 -- our own code


def test_what_python_prints_by_itself_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning, an exception in a finalizer, a thread that failed: printing them would wait for standard error."""
    code = """
import threading, warnings
from gateway.logs import setup as logs
from gateway.sim.emulator import Emulator
from tests.e2e.rig import instant
logs.configure(json=True)
class Finalized:
    def __del__(self): raise ZeroDivisionError("in a finalizer")
def fail(): raise ZeroDivisionError("in a thread")
warnings.warn("take care")
Finalized()
thread = threading.Thread(target=fail, name="t1")
thread.start()
thread.join()
"""
    done = python(code)
    warned, finalizer, thread = [json.loads(line) for line in done.stderr.splitlines()]
    assert "take care" in warned["event"]
    assert (finalizer["event"], "in a finalizer" in finalizer["exception"]) == ("unraisable", True)
    assert (thread["event"], thread["thread"], "in a thread" in thread["exception"]) == ("thread_failed", "t1", True)


CRASH = """
import sys, structlog
from gateway import cli
from gateway.logs import setup as logs
def run(options):
    logs.configure(json=True)
    for number in range(3): structlog.get_logger().info("line", number=number)
    raise ZeroDivisionError("a bug")
parser = cli.command_line
def with_bug():
    made = parser()
    made.parse_args = lambda arguments: __import__("argparse").Namespace(run=run)
    return made
cli.command_line = with_bug
sys.exit(cli.main(["check"]))
"""


def test_a_crash_is_told_behind_the_log() -> None:
    """The lines before it are not lost, and its traceback is written as ever."""
    done = python(CRASH)
    assert done.returncode == 1, done.stderr
    told = done.stderr.splitlines()
    assert [json.loads(line)["number"] for line in told[:3]] == [0, 1, 2]
    assert told[3].startswith("Traceback")
    assert told[-1] == "ZeroDivisionError: a bug"


def test_the_end_of_a_process_waits_for_no_reader() -> None:
    """With a pipe that is full and that nobody reads, it ends all the same, after a crash too."""
    code = CRASH.replace("range(3)", "range(10_000)")
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) as process:  # noqa: S603 -- our own code
        assert process.wait(60) == 1


@pytest.mark.parametrize("json_lines", [True, False])
def test_no_secret_stands_in_the_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, json_lines: bool
) -> None:
    """Wherever in a line it stands, whoever wrote the line: a library that prints a request, a traceback, a field."""
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", 'planted "token"')
    logs.configure(json=json_lines, private=True)
    log = structlog.get_logger()
    log.warning(
        "refused",
        url="https://me:planted@h/stream/twilio/a/planted-stream?sig=planted",
        more={"a": ['planted "token"']},
    )
    logging.getLogger("aiohttp.server").error("GET / Authorization: Basic cGxhbnRlZDpwbGFudGVk")
    try:
        raise ValueError('it was planted "token"')
    except ValueError:
        log.exception("failed")
    logs.flush()
    told = capsys.readouterr().err
    assert "refused" in told
    assert "Basic …" in told
    assert "it was …" in told
    assert "planted" not in told
    assert "cGxhbnRlZDpwbGFudGVk" not in told


def test_events_that_a_command_tells_itself_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that it names, and no others."""
    logs.configure(json=True, without=("call_ended",))
    for event in ("call_ended", "call_failed"):
        structlog.get_logger().error(event)
    assert [line["event"] for line in lines(capsys)] == ["call_failed"]


def test_secrets_of_the_configuration_are_hidden_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever their variables are called; they are known once the configuration was read."""
    logs.configure(json=True)
    logs.hide(["planted-secret"])
    structlog.get_logger().info("note", detail="it is planted-secret")
    assert [line["detail"] for line in lines(capsys)] == ["it is …"]


async def test_a_server_of_aiohttp_quotes_no_request(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours, the emulator's and the simulated provider's alike: what is wrong is told, and not what stood in it."""
    logs.configure(json=True)
    async with Emulator(instant()) as emulator:
        address = urlsplit(emulator.endpoint)
        for head in (b"Authorization: Bearer s3cret\x00", b"api-key: " + b"s3cret" * 2000, b"s3cret: \x7f", b"s3cret"):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(b"GET /s3cret HTTP/1.1\r\nHost: here\r\n" + head + b"\r\n\r\n")
            assert b" 400 " in await reader.readline()
            writer.close()
            await writer.wait_closed()
    told = [line for line in lines(capsys) if line["level"] == "error"]
    assert len(told) == 4
    assert all(line["logger"] == "aiohttp.server" for line in told)
    assert "s3cret" not in str(told)
