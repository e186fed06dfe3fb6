"""``gateway console``."""

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest

from gateway.cli import main


async def test_it_serves_until_it_is_stopped(tmp_path: Path) -> None:
    """It prints its address, and ends in order."""
    file = tmp_path / "gateway.yaml"
    file.write_text("lines: lines/*.yaml\n", "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "console", "--config", str(file), "--listen", "127.0.0.1:0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
            async with aiohttp.ClientSession() as client, client.get(line.split()[1]) as answer:
                assert answer.status == 200
            process.terminate()
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0


def test_an_address_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With an example."""
    with pytest.raises(SystemExit) as ended:
        main(["console", "--listen", "8088"])
    assert ended.value.code == 2
    assert "127.0.0.1:9090" in capsys.readouterr().err
