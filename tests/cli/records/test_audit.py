"""``gateway records audit``."""

import asyncio
import json
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.records.audit import AuditRow, add
from gateway.records.store.database import Database
from tests.records.kept import NINE


def test_entries_are_listed_for_people_and_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest, or those of one call; what somebody has typed as a name cannot steer a terminal."""
    file = tmp_path / "gateway.yaml"
    file.write_text("records: {}\n", "utf-8")

    async def fill() -> None:
        async with Database(f"sqlite:///{tmp_path}/data/calls.db") as database:
            await database.migrate()
            for n, who in enumerate(("anna", "\x1b[31mbert")):
                await add(database, AuditRow(id=f"e{n}", at=NINE, who=who, address="::1", act="heard", call=f"k{n}"))

    asyncio.run(fill())
    assert main(["records", "audit", "--config", str(file)]) == 0
    text = capsys.readouterr().out
    assert "anna" in text
    assert "\x1b[31m" not in text
    assert main(["records", "audit", "--config", str(file), "--call", "k0", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["who"], entry["act"], entry["call"]) == ("anna", "heard", "k0")
    assert main(["records", "audit", "--config", str(file), "--call", "k9"]) == 0
    assert capsys.readouterr().out == "there are none\n"
    assert main(["records", "audit", "--config", str(file), "--limit", "0"]) == 2
