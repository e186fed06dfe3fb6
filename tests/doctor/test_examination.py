"""The order of the checks."""

import asyncio
from pathlib import Path

import pytest

from gateway.config import Lines, load_deployment
from gateway.doctor.examination import Wishes, examine, means_for, settings_rows, version_row
from gateway.doctor.row import Row
from tests.doctor.sessions.opening import at_emulator

LINE = 'numbers: ["+1425555010{}"]\ninstructions: Answer.\nmodel: {}\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A deployment with two lines."""
    (tmp_path / "lines").mkdir()
    for number, model in enumerate(("gpt-4.1", "gpt-realtime")):
        (tmp_path / "lines" / f"{model}.yaml").write_text(LINE.format(number, model))
    (tmp_path / "gateway.yaml").write_text("voice_live: {model: gpt-5}\nrecordings: {store: memory://calls}\n")
    return tmp_path / "gateway.yaml"


async def test_cause_before_effect(config: Path) -> None:
    """Settings, an object store, the way, clock, credential, then each bot, with a pause between two connections."""
    rows: list[Row] = []
    async with at_emulator() as (service, emulator), means_for(service, pace_s=0.2) as means:
        deployment = load_deployment(config, {"AZURE_VOICELIVE_API_KEY": "right"}, emulator.endpoint)
        begun = asyncio.get_running_loop().time()
        await examine(deployment, list(Lines(deployment)), means, rows.append, Wishes())
        took_s = asyncio.get_running_loop().time() - begun
        assert emulator.handshakes == 2
        emulator.check()
    names = [row.name for row in rows if "." not in row.name and row.name != "public_url"]
    of_a_bot = ["handshake", "members", "settings", "echo"]
    assert names == [
        "recordings",
        "name",
        "connection",
        "proxy",
        "clock",
        "version",
        "credential",
        *of_a_bot,
        *of_a_bot,
    ]
    assert took_s >= 0.2


def test_each_setting_has_its_origin(config: Path) -> None:
    """The file, a variable or the default; a secret is not shown."""
    environ = {"AZURE_VOICELIVE_API_KEY": "planted-secret", "VOICE_LIVE_MODEL": "unused"}
    told = {row.name: row.detail for row in settings_rows(load_deployment(config, environ, "http://127.0.0.1:1"))}
    assert told["voice_live.model"] == f"gpt-5 ({config}:1)"
    assert told["voice_live.key"] == "set (environment, AZURE_VOICELIVE_API_KEY)"
    assert told["voice_live.api_version"] == "2026-07-15 (default)"
    assert told["public_url"] == "not set (default)"


@pytest.mark.parametrize(
    ("version", "outcome"),
    [("2026-07-15", "fine"), ("2026-06-01-preview", "reduced"), ("2027-01-01", "fine")],
)
def test_an_older_version_has_less(version: str, outcome: str) -> None:
    """Than the one that this gateway was written for."""
    assert version_row(version).outcome == outcome
