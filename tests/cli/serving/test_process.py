"""One process that serves."""

from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.cli.serving import process
from gateway.cli.starting.commands import command_line
from gateway.config import Deployment
from tests.cli.test_main import command
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import GATEWAY, configuration, load

TELLS = """
import json, os, sys

class Tells:
    def find_spec(self, name, path=None, target=None):
        os.write(2, (json.dumps({"event": "looked_for", "module": name}) + "\\n").encode())

sys.meta_path.insert(0, Tells())
"""
"""A ``sitecustomize`` that tells in the log of every module that is looked for."""


async def test_nothing_is_loaded_once_calls_are_taken(tmp_path: Path) -> None:
    """Neither by a call, nor by what begins beside it: loading a module holds the loop up, and makes frames late."""
    (tmp_path / "sitecustomize.py").write_text(TELLS, "utf-8")
    config = configuration(tmp_path, gateway=f"{GATEWAY}records: true\nconsole: {{listen: 127.0.0.1:0}}\n")
    arguments = ("serve", "--config", str(config), "--host=127.0.0.1", "--port=0", "--log=json", "--drain=0")
    environ = {"AZURE_VOICE_LIVE_ENDPOINT": "http://127.0.0.1:9", "AZURE_VOICE_LIVE_API_KEY": "x" * 20}
    async with command(*arguments, cwd=tmp_path, PYTHONPATH=str(tmp_path), **environ) as gateway:
        port = (await gateway.until("serving"))["port"]
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/readyz") as said:
            assert said.status
        async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone:
            await phone.start()
            await phone.closed()
        await gateway.until("doctor_done")
        assert await gateway.stop() == 0
    serving = [entry["event"] for entry in gateway.log].index("serving")
    looked_for = [entry.get("module") for entry in gateway.log]
    assert {"gateway.app", "phonenumbers.data.region_JP"} <= {*looked_for[:serving]}
    assert [name for name in looked_for[serving:] if name] == []


@pytest.mark.parametrize(("host", "told"), [("192.0.2.1", True), ("", False)])
def test_where_others_reach_it_the_missing_credentials_are_explained(
    tmp_path: Path,
    host: str,
    told: bool,
) -> None:
    """Otherwise nobody would know why the command is not printed."""
    deployment, lines = load(configuration(tmp_path, gateway="providers: {twilio: {}}\n"))
    with capture_logs() as entries:
        process._warn(deployment, lines, command_line().parse_args(["serve", "--emulator"]), host)
    details = [entry["detail"] for entry in entries]
    assert any("no test credentials are made" in detail for detail in details) is told
    assert not any("calls need the emulator" in detail for detail in details)


def test_too_few_open_files_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start, with what is needed; nothing is said where the limit could be raised."""
    for limit, count in ((900, 1), (1464, 0)):
        monkeypatch.setattr(process, "raise_limit", lambda wanted, limit=limit: limit)
        with capture_logs() as logs:
            process._make_room(Deployment(), ())
        assert [entry["event"] for entry in logs] == ["open_files_limited"] * count
        assert all((entry["limit"], entry["needed"]) == (900, 1464) for entry in logs)
