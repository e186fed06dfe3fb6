"""Every command of the README works as it is written."""

import asyncio
import json
import os
import re
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import aiohttp
import pytest

from gateway.cli.starting.commands import command_line
from gateway.config.providers import environment_names
from gateway.config.reading import environment
from tests.documents import ROOT, blocks, commands

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
TYPED = [words for block in blocks(README) if block.language == "sh" for words in commands(block)]
RUN = [words for block in blocks(README) if (block.language, block.mark) == ("sh", "") for words in commands(block)]
PLAIN = [words for words in RUN if words[0] == "gateway" and words[1] != "serve"]
SERVED = [words for words in RUN if words[:2] == ["gateway", "serve"]]
FOLDER = {"call.wav", "call.json", "events.jsonl", "report.html"}


def from_nothing() -> dict[str, str]:
    """The environment of somebody who has no account."""
    ours = {
        *environment.PUBLIC_URL,
        *environment.ENDPOINT,
        *environment.KEY,
        *environment.MODEL,
        *environment.API_VERSION,
        *environment.STREAM_KEY,
        *(name for names in environment_names().values() for name in names),
    }
    return {name: value for name, value in os.environ.items() if name not in ours}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a directory to run the commands in, with the configuration, the README's own line and the recordings."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "gateway").symlink_to(ROOT / "gateway")
    named = re.search(r"Save this as `(config/lines/\w+\.yaml)`", TEXT)
    assert named is not None
    (line,) = (block for block in blocks(README) if block.language == "yaml")
    (tmp_path / named[1]).write_text(line.text, "utf-8")
    return tmp_path


async def run(clone: Path, words: list[str]) -> str:
    """Run a ``gateway`` command to its end; what it wrote to standard output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *words[1:]),
        cwd=clone,
        env=from_nothing() | {"PYTHONPATH": str(ROOT)},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(110):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return out.decode()


def test_every_command_is_one_of_ours_or_explained() -> None:
    """Commands that need an account or a container are at least accepted by the command line."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for words in TYPED:
        match words:
            case ["gateway", *arguments]:
                command_line().parse_args(arguments)
            case ["make", target]:
                assert target in targets
            case ["source", script]:
                assert script == ".venv/bin/activate"
            case ["docker", "compose", "build" | "up" | "run", *_]:
                pass
            case _:
                pytest.fail(f"what is {words}?")


async def test_the_commands_do_what_is_said_of_them(clone: Path) -> None:
    """Demo, check, schema and call in one directory, as a newcomer has them; the calls at the same time."""
    async with asyncio.TaskGroup() as group:
        tasks = {tuple(words): group.create_task(run(clone, words)) for words in [["gateway", "demo"], *PLAIN]}
    told = {words: task.result() for words, task in tasks.items()}
    shown = next(block.text for block in blocks(README) if not block.language)
    for line in shown.splitlines():
        words = line[18:].partition("…")[0].partition(", who was heard")[0].strip()
        assert words in told["gateway", "demo"]
    assert "florist: +14255550102" in told["gateway", "check"]
    assert "numbers" in json.loads(told["gateway", "schema", "line"])["properties"]
    (called,) = (out for words, out in told.items() if words[1] == "call")
    assert "Rose and Thyme" in called
    folders = list((clone / "calls").iterdir())
    assert len(folders) == 2
    assert all({file.name for file in folder.iterdir()} == FOLDER for folder in folders)


@pytest.mark.parametrize("words", SERVED, ids=" ".join)
async def test_serve_starts_answers_and_stops(clone: Path, words: list[str]) -> None:
    """Without an account, on a free port; the signal to stop ends it with 0."""
    gateway = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *words[1:], "--host=127.0.0.1", "--port=0", "--log=json"),
        cwd=clone,
        env=from_nothing() | {"PYTHONPATH": str(ROOT)},
        stderr=PIPE,
    )
    assert gateway.stderr is not None
    try:
        async with asyncio.timeout(30):
            while b'"serving"' not in (line := await gateway.stderr.readline()):
                assert line, "it ended before it served"
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"http://127.0.0.1:{json.loads(line)['port']}/healthz") as alive,
            ):
                assert alive.status == 200
            gateway.terminate()
            await gateway.communicate()
    finally:
        if gateway.returncode is None:
            gateway.kill()
            await gateway.wait()
    assert gateway.returncode == 0


def test_make_does_what_the_readme_says_it_does() -> None:
    """``make demo`` is ``gateway demo``; ``make test`` is everything that the README lists."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipes = {
        match[1]: match[0] for match in re.finditer(r"^([a-z]+):.*\n(?:\t.*\n)+|^([a-z]+):.*\n", makefile, re.MULTILINE)
    }
    assert "/gateway demo\n" in recipes["demo"]
    assert recipes["test"].startswith("test: check\n")
    assert recipes["check"].startswith("check: lint\n")
    assert "/gateway check\n" in recipes["check"]
    assert all(tool in recipes["lint"] for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports"))
    assert (ROOT / ".ci" / "run").read_text("utf-8").rstrip().endswith("exec make test")


def test_the_environment_is_that_of_the_example() -> None:
    """Every variable that the README tells to fill in is in ``.env.example``, for copying."""
    example = (ROOT / ".env.example").read_text("utf-8")
    named = re.findall(r"^ *\| `([A-Z_]+)` \|", TEXT, re.MULTILINE)
    assert len(named) == 5
    assert all(re.search(rf"^{name}=", example, re.MULTILINE) for name in named)
