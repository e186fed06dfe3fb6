"""The checks beside the calls of a gateway that has started."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.config import Lines, load_deployment
from gateway.doctor import background
from gateway.doctor.background import examining
from tests.doctor.sessions.opening import at_emulator
from tests.doctor.stage import KEY, Stage

LINE = 'numbers: ["*"]\ninstructions: Answer.\nmodel: {}\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A deployment with two lines."""
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "a.yaml").write_text(LINE.format("gpt-4.1"))
    (tmp_path / "lines" / "b.yaml").write_text(LINE.format("gpt-5").replace("*", "100"))
    (tmp_path / "gateway.yaml").write_text("")
    return tmp_path / "gateway.yaml"


async def until(is_so: Callable[[], bool]) -> None:
    """Return once that is so."""
    while not is_so():  # noqa: ASYNC110 -- nobody tells
        await asyncio.sleep(0.01)


async def examined(config: Path, **faults: object) -> list[dict[str, object]]:
    """What is logged of a gateway at an emulator with these faults, until the checks are through."""
    environ = {"AZURE_VOICELIVE_API_KEY": "right"}
    async with asyncio.timeout(60), at_emulator(faults=faults) as (service, emulator):
        deployment = load_deployment(config, environ, emulator.endpoint)
        with capture_logs() as entries:
            async with examining(deployment, Lines(deployment), service):
                await until(lambda: any(entry["event"] in ("doctor_done", "doctor_gave_up") for entry in entries))
        assert emulator.handshakes <= 1
    return [dict(entry) for entry in entries if str(entry["event"]).startswith("doctor")]


async def test_only_what_is_wrong_is_logged(config: Path) -> None:
    """Of the first line, in one connection."""
    (done,) = await examined(config)
    assert (done["event"], done["code"]) == ("doctor_done", 0)


async def test_what_would_fail_is_an_error(config: Path) -> None:
    """With the remedy."""
    found, done = await examined(config, handshake={"status": 403})
    assert (found["event"], found["log_level"], found["check"]) == ("doctor_found", "error", "handshake")
    assert "Foundry User" in str(found["remedy"])
    assert done["code"] == 1


async def test_a_bug_ends_nothing(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged with its traceback."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(background, "examine", broken)
    (gave_up,) = await examined(config)
    assert (gave_up["event"], gave_up["exc_info"]) == ("doctor_gave_up", True)


async def test_it_does_not_outlive_the_gateway(config: Path) -> None:
    """A service that never answers holds up no end."""
    async with at_emulator(faults={"handshake": {"never": True}}) as (service, emulator):
        deployment = load_deployment(config, {}, emulator.endpoint)
        async with asyncio.timeout(30):
            async with examining(deployment, Lines(deployment), service):
                await until(lambda: emulator.handshakes > 0)


async def test_serve_does_it(stage: Stage, config: Path) -> None:
    """And logs what it finds, while it serves; no secret is in the log."""
    async with at_emulator(faults={"handshake": {"status": 401}}) as (_, emulator):
        stage.set(AZURE_COGNITIVE_SERVICES_ENDPOINT=emulator.endpoint, AZURE_COGNITIVE_SERVICES_KEY=KEY)
        command = (sys.executable, "-m", "gateway", "serve", "--config", str(config))
        options = ("--host", "127.0.0.1", "--port", "0", "--log", "json")
        process = await asyncio.create_subprocess_exec(*command, *options, stdout=PIPE, stderr=PIPE)
        assert process.stderr is not None
        lines: list[dict[str, object]] = []
        async with asyncio.timeout(60):
            while not any(line["event"] == "doctor_done" for line in lines):
                lines.append(json.loads(await process.stderr.readline()))
            process.send_signal(signal.SIGTERM)
            await process.communicate()
    assert process.returncode == 0
    found = {str(line["check"]) for line in lines if line["event"] == "doctor_found"}
    assert found == {"handshake"}
    assert KEY not in json.dumps(lines)
