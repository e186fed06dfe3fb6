"""The command as a whole: what it answers, and how it stops."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from gateway.cli import main
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import GATEWAY, LINE, configuration

ENVIRON = {"PATH": os.environ.get("PATH", "")}


class Running:
    """A command in a process of its own, its log on standard error read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log: list[dict[str, object]] = []

    async def until(self, event: str) -> dict[str, object]:
        """Read the log on to this event."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == event:
                return self.log[-1]
        raise EOFError(f"no {event} in {self.log}")

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; returns the exit code."""
        self.process.send_signal(how)
        assert self.process.stderr is not None
        self.log += [json.loads(line) for line in (await self.process.stderr.read()).splitlines()]
        return await self.process.wait()


@asynccontextmanager
async def command(*arguments: str, cwd: Path, **environ: str) -> AsyncIterator[Running]:
    """``python -m gateway …``; ended at the end of the block, if it has not by itself."""
    async with asyncio.timeout(30):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=cwd,
            env={**ENVIRON, **environ},
        )
        try:
            yield Running(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


def serve(config: Path, *more: str) -> tuple[str, ...]:
    """``gateway serve`` on a free port of this machine, with the emulator."""
    return (
        "serve",
        "--config",
        str(config),
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--emulator",
        "--log",
        "json",
        "--drain",
        "0",
        *more,
    )


async def test_serve_answers_and_stops_in_order(tmp_path: Path) -> None:
    """A call is answered; the signal ends it with its reason in the log, closes the stream, and exits with 0."""
    async with command(*serve(configuration(tmp_path)), cwd=tmp_path) as gateway:
        port = (await gateway.until("serving"))["port"]
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}/readyz") as said,
        ):
            assert (said.status, (await said.json())["status"]) == (200, "ready")
        async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone:
            await phone.start()
            await phone.next("media")
            async with asyncio.TaskGroup() as group:
                closing = group.create_task(phone.closed())
                assert await gateway.stop() == 0
            assert closing.result() == 1000
    (ended,) = [entry for entry in gateway.log if entry["event"] == "call_ended"]
    assert (ended["reason"], ended["call"], ended["line"]) == ("shut_down", "CA1", "support")
    (started,) = [entry for entry in gateway.log if entry["event"] == "call_started"]
    assert (started["caller"], started["called"]) == ("<12 characters>", "<12 characters>")
    assert "+1" not in json.dumps(gateway.log)
    assert "Hello." not in json.dumps(gateway.log)


async def test_serve_lets_calls_finish(tmp_path: Path) -> None:
    """With ``--drain`` a call in progress may go on after the signal, and ends by itself."""
    async with command(*serve(configuration(tmp_path), "--drain", "20"), cwd=tmp_path) as gateway:
        port = (await gateway.until("serving"))["port"]
        async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone, asyncio.TaskGroup() as group:
            await phone.start()
            await phone.next("media")
            stopping = group.create_task(gateway.stop())
            await phone.next("mark")
            await phone.hang_up()
        assert stopping.result() == 0
    (ended,) = [entry for entry in gateway.log if entry["event"] == "call_ended"]
    assert ended["reason"] == "caller_hung_up"


async def test_serve_can_be_told_to_log_private_fields(tmp_path: Path) -> None:
    """Only when asked for does the log hold numbers and words. Ctrl-C stops it as well."""
    async with command(*serve(configuration(tmp_path), "--log-private"), cwd=tmp_path) as gateway:
        port = (await gateway.until("serving"))["port"]
        async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone:
            await phone.start()
            said = await gateway.until("reply_heard")
        assert said["text"] == "Hello."
        assert await gateway.stop(signal.SIGINT) == 0
        (started,) = [entry for entry in gateway.log if entry["event"] == "call_started"]
        assert (started["caller"], started["called"]) == ("+14155550123", "+14255550100")


async def test_serve_reads_a_dotenv_file(tmp_path: Path) -> None:
    """The environment of the deployment may stand beside it, and what is set already wins."""
    config = configuration(tmp_path, gateway="listen: {host: 127.0.0.1, port: 0}\n" + GATEWAY)
    (tmp_path / ".env").write_text(
        "AZURE_VOICE_LIVE_ENDPOINT=http://127.0.0.1:1\nAZURE_VOICE_LIVE_API_KEY=x\nTWILIO_AUTH_TOKEN=0f1e2d3c4b5a6978\n"
        "GATEWAY_PUBLIC_URL=https://of-the-file.example\n",
        "utf-8",
    )
    arguments = ("serve", "--config", str(config), "--log", "json")
    async with command(*arguments, cwd=tmp_path, GATEWAY_PUBLIC_URL="https://of-the-process.example") as gateway:
        await gateway.until("serving")
        assert await gateway.stop() == 0
    assert not [entry for entry in gateway.log if entry["event"] == "webhooks_refused"]


async def test_the_emulator_alone(tmp_path: Path) -> None:
    """It prints where it listens, lets a client in, and stops with 0."""
    async with command("emulator", "--port", "0", "--log", "json", cwd=tmp_path) as emulator:
        assert emulator.process.stdout is not None
        line = (await emulator.process.stdout.readline()).decode()
        endpoint = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        address = f"{endpoint}/voice-live/realtime?api-version=2026-07-15&model=gpt-4.1"
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(address, headers={"api-key": "any"}) as socket,
        ):
            assert (await socket.receive_json())["type"] == "session.created"
        assert await emulator.stop() == 0


def test_check_says_what_each_line_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 0, a paragraph for each line, warnings of what will not work, and the count."""
    monkeypatch.chdir(tmp_path)
    lines = {"support": LINE, "second": LINE.replace("0100", "0101")}
    config = configuration(tmp_path, lines, GATEWAY + "listen: {host: 127.0.0.1}\n")
    assert main(["check", "--config", str(config)]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    for words in ("support", "+14255550100", "second", "+14255550101", "gpt-4.1", "2 lines"):
        assert words in told.out


@pytest.mark.parametrize("which", ["line", "gateway"])
def test_schema_is_json(capsys: pytest.CaptureFixture[str], which: str) -> None:
    """One schema where it is named, both where not."""
    assert main(["schema", which]) == 0
    one = json.loads(capsys.readouterr().out)
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)[which] == one
    assert one["type"] == "object"


async def test_a_thread_that_hangs_does_not_keep_the_process(tmp_path: Path) -> None:
    """A saved line's module that never comes back: calls are still taken, and SIGTERM ends the process."""
    configuration(tmp_path / "config")
    (tmp_path / "config" / "hangs.py").write_text("print('here', flush=True)\nimport time\ntime.sleep(60)\n")
    async with command(
        *("serve", "--emulator", "--port", "0", "--log", "json", "--config", "config/gateway.yaml"), cwd=tmp_path
    ) as gateway:
        await gateway.until("serving")
        line = LINE.replace("0100", "0101") + 'tools: [{python: "hangs:f"}]\n'
        (tmp_path / "config" / "lines" / "hangs.yaml").write_text(line)
        assert gateway.process.stdout is not None
        while (said := await gateway.process.stdout.readline()) != b"here\n":
            assert said, "the module was not imported"
        assert await gateway.stop() == 0


def test_the_identity_s_variables_lose_their_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsoft's library reads them by itself, and a mounted secret ends in a line feed."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", " s3cret\r\n")
    assert main(["schema", "line"]) == 0
    assert os.environ["AZURE_CLIENT_SECRET"] == "s3cret"


@pytest.mark.parametrize("module", ["gateway.cli", "gateway.app"])
def test_an_interrupt_while_the_command_is_loaded_is_no_traceback(tmp_path: Path, module: str) -> None:
    """Loading takes a while, on a busy machine seconds; Ctrl-C then is as good as later."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "serve"],
        env={**ENVIRON, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
