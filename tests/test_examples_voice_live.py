"""The programs of ``examples/voice_live`` converse with the emulator, and break no rule of the service."""

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from gateway.sim.emulator import Emulator, Script
from gateway.sim.emulator.script import Latency, load_script
from tests.documents import ROOT

FOLDER = ROOT / "examples" / "voice_live"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "common")
SAID = {
    "mcp_server": "bot: It is a managed service for real-time voice.",
    "audio_files": "answer.wav: ",
    "function_calling": "move_delivery(",
    "interruption": "heard 1",
    "history": "3 messages, the last is ",
}
"""What a program prints beside an answer of the bot."""


@pytest.fixture
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """One of the programs, as Python finds it where it is run as a file."""
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location(f"example_{request.param}", FOLDER / f"{request.param}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("program", PROGRAMS, indirect=True)
async def test_a_program_holds_its_conversation(program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """To its end: the bot has answered, and the service has nothing to object to."""
    name = program.__name__.removeprefix("example_")
    script = load_script(FOLDER / "mcp.script.yaml") if name == "mcp_server" else Script.default()
    async with Emulator(script.model_copy(update={"latency_ms": Latency.none()})) as emulator:
        await program.main(emulator.endpoint, "gpt-4.1")
        emulator.check()
    printed = capsys.readouterr().out
    assert "bot: " in printed
    assert SAID.get(name, "bot: ") in printed
    assert name != "audio_files" or len(await asyncio.to_thread(Path("answer.wav").read_bytes)) > 48_000
