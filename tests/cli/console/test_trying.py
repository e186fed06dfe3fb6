"""``gateway try``: a phone in the browser."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from gateway.cli import main
from tests.e2e.rig import LINE

SECOND = LINE.replace("0100", "0101")


def configured(folder: Path, **lines: str) -> Path:
    """Write a configuration whose console takes any port."""
    (folder / "lines").mkdir()
    for name, text in lines.items():
        (folder / "lines" / f"{name}.yaml").write_text(text, "utf-8")
    file = folder / "gateway.yaml"
    file.write_text("console: {listen: '127.0.0.1:0'}\n", "utf-8")
    return file


async def test_it_serves_the_page_of_the_line(tmp_path: Path) -> None:
    """With the emulator, whose badge is on the page, until it is stopped; the address is printed."""
    file = configured(tmp_path, florist=LINE, support=SECOND)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "try", "florist", "--config", str(file), "--no-open"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environ,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            first = (await process.stdout.readline()).decode()
            url = first.split()[2]
            assert url.endswith("/phone/florist")
            assert "emulator answers from a script" in (await process.stdout.readline()).decode()
            async with aiohttp.ClientSession() as client, client.get(url) as answer:
                assert answer.status == 200
                assert "answers from a script" in await answer.text()
            process.send_signal(signal.SIGINT)
            _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")


def test_a_line_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With those that are."""
    file = configured(tmp_path, florist=LINE, support=SECOND)
    assert main(["try", "flowers", "--config", str(file)]) == 2
    assert "flowers: no line has this name, expected florist, support" in capsys.readouterr().err


def test_without_a_console_there_is_no_phone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The key to change is named."""
    file = configured(tmp_path, florist=LINE)
    file.write_text("console: false\n", "utf-8")
    assert main(["try", "--config", str(file)]) == 2
    assert "console: false, expected a console" in capsys.readouterr().err
