"""The built wheel does everything outside a clone: installed into a venv of its own, used from an empty directory."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.test_readme import FOLDER, from_nothing


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a venv's commands; its packages are the wheel and, without the clone, those installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    run("-m", "venv", "--without-pip", str(folder / "venv"))
    python = next((folder / "venv").glob("*/python"))
    pip = ("-m", "pip", "--disable-pip-version-check", "--python", str(python), "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", str(wheel))
    (packages,) = (folder / "venv").glob("lib/*/site-packages")
    # A .pth file adds the directory and not what the .pth files in it add, so that the editable clone stays out.
    (packages / "installed_here.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return python.parent


def run(*words: str, cwd: Path | None = None) -> None:
    """Run this Python to its end."""
    subprocess.run([sys.executable, *words], cwd=cwd, check=True, timeout=100, stdin=DEVNULL, stdout=DEVNULL)  # noqa: S603 -- our own words


class Shell:
    """Types commands of the venv in one directory."""

    def __init__(self, commands: Path, directory: Path) -> None:
        self._directory = directory
        self._environ = from_nothing() | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "HOME": str(directory)}
        self._environ.pop("PYTHONPATH", None)

    async def start(self, line: str, directory: Path | None = None) -> asyncio.subprocess.Process:
        """Start a command line."""
        words = shlex.split(line)
        return await asyncio.create_subprocess_exec(
            *words, cwd=directory or self._directory, env=self._environ, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )

    async def type(self, line: str, directory: Path | None = None, code: int = 0) -> str:
        """Run a command line to its end; return its output once it ended with ``code``."""
        process = await self.start(line, directory)
        try:
            async with asyncio.timeout(100):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == code, (line, out.decode(), err.decode())
        return out.decode() + err.decode()


@pytest.mark.timeout(300)
async def test_a_newcomer_comes_from_the_package_to_a_call(commands: Path, tmp_path: Path) -> None:
    """Demo, init, check, serve with the emulator, and the command that it prints, typed in another directory."""
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    shell = Shell(commands, here)
    where = await shell.type("python -c 'import gateway; print(gateway.__file__)'")
    assert Path(where.strip()).is_relative_to(commands.parent)
    assert re.fullmatch(r"gateway \d+\.\d+\.\d+\n", await shell.type("gateway --version"))
    assert (await shell.type("voice-line-gateway --version")).startswith("gateway ")
    assert "gateway init" in await shell.type("gateway serve --emulator", code=2)
    assert not list(here.iterdir())
    async with asyncio.TaskGroup() as group:
        demo = group.create_task(shell.type("gateway demo", elsewhere))
        group.create_task(serve_and_call(shell, here, elsewhere))
    assert "Sorry, can I change the delivery to Friday?" in demo.result()
    folders = list((elsewhere / "calls").iterdir())
    assert len(folders) == 2
    assert all({file.name for file in folder.iterdir()} == FOLDER for folder in folders)
    kept = [json.loads((folder / "call.json").read_text("utf-8")) for folder in folders]
    assert all(call["complaints"] == [] for call in kept)
    assert all("without understanding" in call["answered_by"] for call in kept)


async def serve_and_call(shell: Shell, here: Path, elsewhere: Path) -> None:
    """Everything that the output of each command says comes next."""
    told = await shell.type("gateway init")
    assert "gateway serve --emulator" in told
    assert (here / ".env").stat().st_mode & 0o077 == 0
    assert "support: any other number" in await shell.type("gateway check")
    serving = await shell.start("gateway serve --emulator --port 0 --log json")
    assert serving.stdout is not None
    try:
        async with asyncio.timeout(60):
            while not (line := await serving.stdout.readline()).strip().startswith(b"gateway call --url"):
                assert line, "it ended before it told how to call it"
        await shell.type(line.decode(), elsewhere)
        serving.terminate()
        await serving.communicate()
    finally:
        if serving.returncode is None:
            serving.kill()
            await serving.communicate()
    assert serving.returncode == 0
