"""``gateway records deliveries`` and ``gateway records redeliver``."""

import asyncio
import json
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.records.deliveries import _redeliver
from gateway.cli.starting.commands import command_line
from gateway.records.delivery.listing import Listed, listed
from gateway.records.store.database import Database
from tests.e2e.rig import save
from tests.records.delivery.receiving import SECRET, Server, receiving
from tests.records.delivery.stage import stage
from tests.records.delivery.test_listing import filled

LINE = "numbers: ['*']\ninstructions: Answer.\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with a receiver for all lines, and the outbox of :func:`filled`."""
    monkeypatch.setenv("CRM_SECRET", SECRET)
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "support.yaml").write_text(LINE, "utf-8")
    file = tmp_path / "gateway.yaml"
    file.write_text('deliver: [{url: "http://127.0.0.1:9/calls", name: crm, secret: "${CRM_SECRET}"}]\n', "utf-8")
    return file


@pytest.fixture
def outbox(config: Path) -> Path:
    """The configuration, with an outbox."""
    (config.parent / "data").mkdir()

    async def fill() -> None:
        async with stage(config.parent / "data") as kept:
            await filled(kept)

    asyncio.run(fill())
    return config


def deliveries(config: Path) -> list[Listed]:
    """Return what is in the outbox."""

    async def read() -> list[Listed]:
        async with Database(f"sqlite:///{config.parent}/data/calls.db") as database:
            return await listed(database)

    return asyncio.run(read())


def test_deliveries_are_listed(outbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, or those in one state; as a table or for a script."""
    assert main(["records", "deliveries", "--config", str(outbox)]) == 0
    shown = capsys.readouterr().out
    assert all(f"key{n}" in shown for n in (1, 2, 3))
    assert "dead is told" in shown
    assert main(["records", "deliveries", "--config", str(outbox), "--state", "dead", "--json", "--to", "pager"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["call_key"], one["target"], one["state"], one["attempts"]) == ("key2", "pager", "dead", 1)
    assert main(["records", "deliveries", "--config", str(outbox), "CA1", "--limit", "1"]) == 0
    shown = capsys.readouterr().out
    assert "key1" in shown
    assert "key2" not in shown
    assert main(["records", "deliveries", "--config", str(outbox), "nobody"]) == 0
    assert capsys.readouterr().out == "there are none\n"


def test_the_dead_are_delivered_again(outbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, or those of a call; what was delivered only if it is named."""
    assert main(["records", "redeliver", "--dead", "--to", "pager", "--config", str(outbox)]) == 0
    assert capsys.readouterr().out == "1 event is delivered again by gateway serve\n"
    assert main(["records", "redeliver", "--dead", "--config", str(outbox)]) == 0
    assert {row.state for row in deliveries(outbox)} == {"waiting", "delivered"}
    assert main(["records", "redeliver", "--dead", "--config", str(outbox)]) == 1
    assert main(["records", "redeliver", "CA1", "--config", str(outbox)]) == 0
    assert {row.state for row in deliveries(outbox)} == {"waiting"}
    capsys.readouterr()
    assert main(["records", "redeliver", "key", "--config", str(outbox)]) == 2
    assert capsys.readouterr().err == "key: names 3 calls, expected more of one of their ids\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["redeliver"], 2, "expected an ID, --dead"),
        (["deliveries"], 1, "calls.db: no such file"),
        (["redeliver", "--test", "pager"], 2, "--test: no receiver is named pager: the configuration has crm"),
        (["redeliver", "--test", "crm"], 1, ""),
    ],
)
def test_what_cannot_be_done_is_told(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, told: str
) -> None:
    """In one line."""
    assert main(["records", *arguments, "--config", str(config)]) == code
    printed = capsys.readouterr()
    assert told in printed.err
    if not told:
        assert printed.out == "crm: no connection\n"


def test_a_receiver_is_tried_by_its_name_or_its_address(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a message that is signed as all are."""

    text = config.read_text("utf-8")

    async def tried() -> Server:
        async with receiving() as server:
            save(config, text.replace("http://127.0.0.1:9/calls", server.url))
            for named in ("crm", server.url):
                options = command_line().parse_args(["records", "redeliver", "--test", named, "--config", str(config)])
                assert await _redeliver(options) == 0
            return server

    server = asyncio.run(tried())
    assert [got.body["type"] for got in server.got] == ["gateway.test"] * 2
    assert capsys.readouterr().out == "crm: answered with 204\n" * 2
