"""What is logged, and what is not."""

import errno
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest
import structlog

from gateway import logs

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


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What went to standard error, as JSON; nothing may go to standard output."""
    told = capsys.readouterr()
    assert told.out == ""
    return [json.loads(line) for line in told.err.splitlines()]


class FullDisk:
    """A file on a disk that has no room, until it has."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.full = True

    def write(self, text: str) -> int:
        """Write, or not."""
        if self.full:
            raise OSError(errno.ENOSPC, "no room")
        return self._file.write(text)

    def flush(self) -> None:
        """Nothing is kept back."""
        self._file.flush()

    def isatty(self) -> bool:
        """It is a file."""
        return False


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
    """Whoever logs goes on, now and later: standard error leads nowhere from then on."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure(json=True)
        os.close(reader)
        structlog.get_logger().info("one")
        structlog.get_logger().info("two")
        logging.getLogger("library").warning("three")
        stream.write("four")


def test_a_log_that_fails_for_a_while_goes_on_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs the lines that it has no room for."""
    with (tmp_path / "log").open("w", encoding="utf-8") as file:
        stream = FullDisk(file)
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure(json=True)
        structlog.get_logger().info("one")
        stream.full = False
        structlog.get_logger().info("two")
    assert [json.loads(line)["event"] for line in (tmp_path / "log").read_text("utf-8").splitlines()] == ["two"]


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
