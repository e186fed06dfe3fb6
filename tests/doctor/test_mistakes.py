"""The doctor finds mistakes that were planted, over real TLS, and names each of them first."""

import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.doctor.sessions import hearing
from gateway.sim.emulator import Emulator
from tests.doctor.stage import KEY, LINE, Authority, Examined, Stage, answering, behind_tls
from tests.sim.emulator.wire import scripted


@asynccontextmanager
async def voice_live(authority: Authority, stage: Stage, **keys: Any) -> AsyncIterator[Emulator]:
    """A Voice Live service by TLS, which the configuration names; ``keys`` are those of its script."""
    async with (
        Emulator(scripted(*keys.pop("turns", [{"say": "A"}]), **keys), api_key=KEY) as emulator,
        behind_tls(int(emulator.endpoint.rpartition(":")[2]), authority.server()) as endpoint,
    ):
        stage.set(AZURE_COGNITIVE_SERVICES_ENDPOINT=endpoint, AZURE_COGNITIVE_SERVICES_KEY=KEY)
        stage.write("gateway.yaml", "")
        yield emulator


def first(found: Examined) -> tuple[int, str, str]:
    """The exit code, and name and detail of the first row that is not fine, which the verdict names."""
    row = found.faults[0]
    assert found.told.splitlines()[-1].endswith(row.remedy)
    assert f"begin with {row.name}" in found.told
    return found.code, row.name, row.detail


async def test_nothing_is_wrong(authority: Authority, stage: Stage) -> None:
    """All rows are fine, the command ends with 0, and no secret is printed."""
    async with voice_live(authority, stage):
        found = await stage.examined()
    assert found.faults == []
    assert found.code == 0
    assert found.told.endswith("calls work as configured\n")
    assert found.row("tls").detail.startswith("TLSv1.3, certificate until 20")
    assert KEY not in found.told


async def test_a_wrong_key(authority: Authority, stage: Stage) -> None:
    """The handshake is answered with 401."""
    async with voice_live(authority, stage):
        stage.set(AZURE_COGNITIVE_SERVICES_KEY="planted-other-key-9876")
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "handshake")
    assert "401" in detail
    assert "Keys and Endpoint" in found.row("handshake").remedy
    assert "planted" not in found.told


async def test_a_host_that_is_no_voice_live(authority: Authority, stage: Stage) -> None:
    """It is there, and answers the handshake with 404."""
    async with answering(404, authority.server()) as endpoint:
        stage.set(AZURE_COGNITIVE_SERVICES_ENDPOINT=endpoint, AZURE_COGNITIVE_SERVICES_KEY=KEY)
        stage.write("gateway.yaml", "")
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "handshake")
    assert "404" in detail
    assert "voice_live.endpoint" in found.row("handshake").remedy


async def test_a_host_that_does_not_exist(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is not known, and nothing after it is tried."""

    def unknown(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    stage.set(AZURE_COGNITIVE_SERVICES_ENDPOINT="https://typo.services.ai.azure.com", AZURE_COGNITIVE_SERVICES_KEY=KEY)
    stage.write("gateway.yaml", "")
    found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "name")
    assert "typo.services.ai.azure.com is not known" in detail
    assert found.row("handshake").outcome == "skipped"


async def test_a_missing_role(authority: Authority, stage: Stage) -> None:
    """The handshake is answered with 403, and the roles are named."""
    async with voice_live(authority, stage, faults={"handshake": {"status": 403}}):
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "handshake")
    assert "403" in detail
    assert "Foundry User" in found.row("handshake").remedy


async def test_a_quota_that_is_used_up(authority: Authority, stage: Stage) -> None:
    """The handshake is answered with 429."""
    async with voice_live(authority, stage, faults={"connections_per_minute": 0}):
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "handshake")
    assert "429" in detail
    assert "quota" in found.row("handshake").remedy


async def test_a_slow_name_server(authority: Authority, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls work, and wait."""
    look_up = socket.getaddrinfo

    def slow(*args: Any, **options: Any) -> Any:
        time.sleep(1.1)
        return look_up(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    async with voice_live(authority, stage):
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (4, "name")
    assert detail.endswith("slow")


async def test_a_certificate_of_an_unknown_authority(stage: Stage, tmp_path: Path) -> None:
    """Its issuer is named, and no key is sent to it."""
    stranger = Authority(tmp_path, "Corporate Inspection CA")
    async with voice_live(stranger, stage) as emulator:
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "tls")
    assert "issued by CN=Corporate Inspection CA" in detail
    assert "SSL_CERT_FILE" in found.row("tls").remedy
    assert emulator.handshakes == 0


async def test_an_old_version(authority: Authority, stage: Stage) -> None:
    """Calls work, without what is newer."""
    async with voice_live(authority, stage):
        stage.write("gateway.yaml", "voice_live: {api_version: 2026-06-01-preview}")
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (4, "version")
    assert detail.startswith("2026-06-01-preview is older than 2026-07-15")


@pytest.mark.parametrize("off_s", [600, -600])
async def test_a_clock_that_is_ten_minutes_off(authority: Authority, stage: Stage, off_s: float) -> None:
    """Signatures would be refused by their time."""
    stage.with_means(now_s=lambda: time.time() + off_s)
    async with voice_live(authority, stage):
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "clock")
    assert f"10 min {'ahead of' if off_s > 0 else 'behind'} localhost" in detail


async def test_a_model_that_the_region_lacks(authority: Authority, stage: Stage) -> None:
    """The handshake succeeds, and an error follows."""
    async with voice_live(authority, stage, refuse={"models": ["gpt-4.1"]}):
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "settings")
    assert "gpt-4.1 is not supported in this region" in detail
    assert "region" in found.row("settings").remedy


async def test_a_refused_member(authority: Authority, stage: Stage) -> None:
    """Calls work without it."""
    async with voice_live(authority, stage, refuse={"updates": [{"member": "metadata"}]}):
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (4, "settings")
    assert "session.metadata" in detail
    assert found.row("settings").remedy.startswith("take metadata out of sales")


async def test_a_refused_member_that_is_not_named(authority: Authority, stage: Stage) -> None:
    """It is found by trying."""
    rule = {"member": "input_audio_transcription", "how": "unnamed"}
    async with voice_live(authority, stage, refuse={"updates": [rule]}):
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "settings")
    assert "the session is accepted without input_audio_transcription" in detail


async def test_another_format_in_the_echo(authority: Authority, stage: Stage) -> None:
    """Callers would hear noise."""
    async with voice_live(authority, stage, echo={"output_audio_format": "pcm16_16000hz"}):
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "echo")
    assert "output_audio_format is pcm16_16000hz, where" in detail


async def test_an_agent_of_the_wrong_kind(authority: Authority, stage: Stage) -> None:
    """It is reached by another address, and the row says so."""
    stage.write("lines/sales.yaml", 'numbers: ["*"]\nagent: {name: desk, project: contoso}\n')
    async with voice_live(authority, stage, refuse={"agent": "voice"}):
        stage.with_identity()
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (1, "settings")
    assert "kind" in found.row("settings").remedy
    assert "invalid_session_update_message" in detail


async def test_a_model_that_follows_and_is_not_there(authority: Authority, stage: Stage) -> None:
    """Calls work as long as the first one answers."""
    stage.write("lines/sales.yaml", LINE.replace("model: gpt-4.1", "model: [gpt-4.1, gpt-4o]"))
    async with voice_live(authority, stage, refuse={"models": ["gpt-4o"]}):
        found = await stage.examined()
    code, name, detail = first(found)
    assert (code, name) == (4, "fallback")
    assert "gpt-4o is not supported in this region" in detail


async def test_audio_is_tried_where_it_is_asked_for(
    authority: Authority, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The greeting, a cancel, a truncation; a recording, its transcript and an answer."""
    monkeypatch.setattr(hearing, "FRAME_S", 0.0005)
    heard = {"heard": "Hi. I would like to know where my order is.", "say": "One. " * 60}
    async with voice_live(authority, stage, turns=[heard], pace=4.0):
        found = await stage.examined("--speak", "--hear")
    assert found.faults == []
    steps = [row.name for row in found.rows[-7:]]
    assert steps == ["greeting", "pace", "cancel", "truncate", "turn", "transcript", "answer"]


async def test_no_row_shows_what_the_service_repeats_of_a_secret(authority: Authority, stage: Stage) -> None:
    """Neither for a reader nor for a script."""
    stage.write("lines/sales.yaml", LINE)
    rule = {"member": "metadata", "how": "unnamed", "message": f"Refused for the key {KEY}."}
    async with voice_live(authority, stage, refuse={"updates": [rule]}):
        for_readers = await stage.examined()
        for_scripts = await stage.examined("--json")
    for found in (for_readers, for_scripts):
        assert "Refused for the key …." in found.row("settings").detail
        assert "planted" not in found.told
    assert for_readers.code == json.loads(for_scripts.told)["exit"] == 4
