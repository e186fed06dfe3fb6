"""Every signal is a stop in order, whenever it comes; the second one does not wait for calls."""

import asyncio
import fcntl
import os
import pty
import signal
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bench.target import free_port
from gateway.cli.loop import run
from gateway.cli.serving import process
from gateway.cli.starting.commands import command_line
from gateway.cli.stopping import Stop, stop_on_signals
from gateway.config import Deployment, load_deployment
from tests.cli.test_main import ENVIRON, Running, command
from tests.cli.test_main import serve as serve_arguments
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import configuration


def test_the_second_signal_urges_and_a_closed_terminal_does_not() -> None:
    """What is to be done at once is done once it is known, also where the second signal came before."""
    stop, urged = Stop(), []
    stop.at_once(lambda: urged.append("early"))
    for name in ("SIGHUP", "SIGHUP"):
        stop.request(name)
    assert (stop.asked.is_set(), stop.signal, urged) == (True, "SIGHUP", [])
    stop.request("SIGTERM")
    stop.at_once(lambda: urged.append("late"))
    assert (stop.signal, urged) == ("SIGHUP", ["early", "late"])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_each_signal_stops_in_order(tmp_path: Path, how: signal.Signals) -> None:
    """Calls end with their reason, the log names the signal, and the exit code is 0."""
    async with command(*serve_arguments(configuration(tmp_path)), cwd=tmp_path) as gateway:
        port = (await gateway.until("serving"))["port"]
        async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone, asyncio.TaskGroup() as group:
            await phone.start()
            await phone.next("media")
            closing = group.create_task(phone.closed())
            assert await gateway.stop(how) == 0
        assert closing.result() == 1000
    said = {entry["event"]: entry for entry in gateway.log}
    assert said["stopping"]["signal"] == how.name
    assert said["call_ended"]["reason"] == "shut_down"


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_the_second_signal_ends_calls_at_once_and_in_order(tmp_path: Path, second: signal.Signals) -> None:
    """A drain of minutes is cut short; the call ends as at any stop."""
    async with command(*serve_arguments(configuration(tmp_path), "--drain", "600"), cwd=tmp_path) as gateway:
        port = (await gateway.until("serving"))["port"]
        async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone, asyncio.TaskGroup() as group:
            await phone.start()
            await phone.next("media")
            closing = group.create_task(phone.closed())
            gateway.process.send_signal(signal.SIGTERM)
            assert (await gateway.until("stopping"))["calls"] == 1
            assert await gateway.stop(second) == 0
        assert closing.result() == 1000
    (ended,) = [entry for entry in gateway.log if entry["event"] == "call_ended"]
    assert ended["reason"] == "shut_down"


@asynccontextmanager
async def workers(tmp_path: Path, *more: str) -> AsyncIterator[tuple[Running, int]]:
    """Two workers without a service that answers: a call waits for it. With the port that they share."""
    port = free_port()
    arguments = ("serve", "--config", str(configuration(tmp_path)), "--workers", "2", "--log", "json")
    listen = ("--host", "127.0.0.1", "--port", str(port))
    environ = {"AZURE_VOICELIVE_ENDPOINT": "http://127.0.0.1:1", "AZURE_VOICELIVE_API_KEY": "k"}
    async with command(*arguments, *listen, *more, cwd=tmp_path, **environ) as gateway:
        for _ in range(2):
            await gateway.until("serving")
        yield gateway, port


async def test_a_hang_up_of_a_process_alone_loses_no_call(tmp_path: Path) -> None:
    """It cannot be replaced: the log says what could be."""
    async with command(*serve_arguments(configuration(tmp_path)), cwd=tmp_path) as gateway:
        port = (await gateway.until("serving"))["port"]
        async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone:
            await phone.start()
            await phone.next("media")
            gateway.process.send_signal(signal.SIGHUP)
            assert "--workers 1" in str((await gateway.until("restart_ignored"))["detail"])
            await phone.hang_up()
            assert (await gateway.until("call_ended"))["reason"] == "caller_hung_up"
        assert await gateway.stop() == 0


@pytest.mark.parametrize(("restarts", "had", "has"), [(True, False, False), (True, True, True), (True, True, False)])
async def test_a_hang_up_is_a_restart_unless_the_terminal_is_gone(
    monkeypatch: pytest.MonkeyPatch, restarts: bool, had: bool, has: bool
) -> None:
    """A service manager sends it on purpose, a terminal when it closes."""
    there = iter([had, has])
    monkeypatch.setattr("gateway.cli.stopping.has_terminal", lambda: next(there, has))
    stop = stop_on_signals(restarts=restarts)
    os.kill(os.getpid(), signal.SIGHUP)
    await stop.wait()
    assert (stop.restart.is_set(), stop.asked.is_set()) == ((False, True) if had and not has else (True, False))


async def test_the_second_signal_reaches_the_workers(tmp_path: Path) -> None:
    """A stream that has not started holds up the drain of one of them, until the second signal."""
    async with workers(tmp_path, "--drain", "600") as (gateway, port):
        async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone, asyncio.TaskGroup() as group:
            closing = group.create_task(phone.closed())
            gateway.process.send_signal(signal.SIGTERM)
            for _ in range(2):
                await gateway.until("stopping")
            assert await gateway.stop(signal.SIGTERM) == 0
        assert closing.result() == 1001


async def test_nohup_is_respected(tmp_path: Path) -> None:
    """Whoever ignores SIGHUP for us wants us to go on."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *serve_arguments(configuration(tmp_path))),
        stderr=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env=ENVIRON,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    gateway = Running(process)
    async with asyncio.timeout(30):
        await gateway.until("serving")
        process.send_signal(signal.SIGHUP)
        assert await gateway.stop(signal.SIGTERM) == 0
    assert [entry["signal"] for entry in gateway.log if entry["event"] == "stopping"] == ["SIGTERM"]


async def test_a_terminal_that_is_gone_takes_no_log_and_costs_no_call(tmp_path: Path) -> None:
    """The kernel's SIGHUP comes, every line of the log fails, and the process ends in order all the same."""
    ours, theirs = pty.openpty()

    def own_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *serve_arguments(configuration(tmp_path))),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env=ENVIRON,
        preexec_fn=own_the_terminal,
    )
    os.close(theirs)
    log = b""
    async with asyncio.timeout(30):
        while b'"serving"' not in log or not log.endswith(b"\n"):
            log += await asyncio.to_thread(os.read, ours, 4096)
        port = int(log.partition(b'"port": ')[2].partition(b",")[0])
        async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone, asyncio.TaskGroup() as group:
            await phone.start()
            await phone.next("media")
            closing = group.create_task(phone.closed())
            os.close(ours)
            try:
                async with asyncio.timeout(60):
                    assert await process.wait() == 0
            finally:
                if process.returncode is None:
                    process.kill()
        assert closing.result() == 1000


async def test_a_signal_during_the_start_is_a_stop_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway goes on to serve, and stops at once, with 0."""

    def load_slowly(file: Path, environ: Mapping[str, str], **how: Any) -> Deployment:
        os.kill(os.getpid(), signal.SIGTERM)
        return load_deployment(file, environ, **how)

    monkeypatch.setattr("gateway.cli.serving.process.load_deployment", load_slowly)
    options = command_line().parse_args(
        ["serve", "--config", str(configuration(tmp_path)), "--emulator", "--port", "0"]
    )
    assert await process.serve(options) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_any_other_command_closes_what_it_has_open(capsys: pytest.CaptureFixture[str], how: signal.Signals) -> None:
    """The exit code is a shell's, 128 and the number; the reason is told."""
    closed = []

    async def work() -> int:
        try:
            os.kill(os.getpid(), how)
            await asyncio.Event().wait()
        finally:
            closed.append(True)
        return 0

    with pytest.raises(SystemExit) as left:
        run(work())
    assert (left.value.code, closed) == (128 + how, [True])
    assert capsys.readouterr().err == f"stopped by {how.name}\n"


async def test_handlers_last_as_long_as_the_loop() -> None:
    """A signal that comes while everything is being closed does not kill the process."""
    stop = stop_on_signals()
    os.kill(os.getpid(), signal.SIGHUP)
    await stop.asked.wait()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
    assert stop.signal == "SIGHUP"
