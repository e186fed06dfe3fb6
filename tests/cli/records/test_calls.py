"""``gateway calls``, on SQLite and PostgreSQL."""

import asyncio
import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.config.records.prices import LIST_PRICES, read_prices
from gateway.records.pricing import Pricing
from gateway.records.rows import Row
from gateway.records.store.database import Database
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.report.folder import write_folder
from tests.records.conftest import database_url, postgresql_url  # noqa: F401 -- fixtures
from tests.records.kept import NINE, keep, rows_of
from tests.sim.conftest import call, notes  # noqa: F401 -- fixtures


@pytest.fixture
def config(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: F811 -- the fixture
    """A configuration whose database has three calls, one a day."""

    async def fill() -> None:
        priced = Pricing([read_prices(LIST_PRICES, {})])
        rows: list[Row] = []
        for day, line in enumerate(("support", "sales", "support")):
            rows += rows_of(f"0-{day}-a{day}", line=line, started=NINE + timedelta(days=day), priced=priced)
        async with Database(database_url) as database:
            await database.migrate()
            await keep(database, rows)

    asyncio.run(fill())
    monkeypatch.setenv("CALLS_DATABASE", database_url)
    file = tmp_path / "gateway.yaml"
    file.write_text("records: {url: '${CALLS_DATABASE}'}\n", "utf-8")
    return str(file)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """Return what the command prints."""
    assert main(["calls", *words]) == code
    out, err = capsys.readouterr()
    return out if code == 0 else err


def test_calls_are_listed_page_by_page(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest first; a list that goes on says how, and there is a last page."""
    text = said(capsys, "--config", config, "--limit", "2")
    assert text.index("2026-12-01") < text.index("2026-11-30")
    assert text.splitlines()[-1] == "more: --before a1"
    assert "2026-11-29" in said(capsys, "list", "--config", config, "--before", "a1")
    assert said(capsys, "--config", config, "--line", "nobody") == "no calls\n"


def test_a_list_for_a_program(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the key behind which it goes on, if it does."""
    told = json.loads(said(capsys, "--config", config, "--json", "--limit", "1", "--line", "support"))
    assert [one["call_key"] for one in told["calls"]] == ["0-2-a2"]
    assert told["before"] == "0-2-a2"
    assert json.loads(said(capsys, "--config", config, "--json", "--said", "WHERE"))["before"] is None


def test_one_call_is_shown(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By its key, the provider's id, or a part of it; whole, as JSON."""
    for name in ("0-1-a1", "CA-0-1-a1", "0-1", "a1"):
        assert "Where is my order?" in said(capsys, "show", name, "--config", config)
    told = json.loads(said(capsys, "show", "a1", "--config", config, "--json"))
    assert (told["call_key"], len(told["events"]), told["cost"]) == ("0-1-a1", 19, "0.00312")


def test_all_calls_are_exported(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that the options name, whole as JSON lines, or as a table, which has a head in any case."""
    lines = said(capsys, "export", "--config", config).splitlines()
    assert [json.loads(line)["call_key"] for line in lines] == ["0-2-a2", "0-1-a1", "0-0-a0"]
    table = said(capsys, "export", "--config", config, "--format", "csv", "--line", "support")
    assert [row["call_key"] for row in csv.DictReader(table.splitlines())] == ["0-2-a2", "0-0-a0"]
    empty = said(capsys, "export", "--config", config, "--format", "csv", "--line", "nobody")
    assert empty.startswith("call_key,")
    assert len(empty.splitlines()) == 1


def test_costs_by_line_and_by_day(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exact, with the prices that they come from."""
    told = json.loads(said(capsys, "cost", "--config", config, "--json"))
    assert [(one["line"], one["calls"], one["cost"], one["unknown"]) for one in told["costs"]] == [
        ("sales", 1, "0.00312", 0),
        ("support", 2, "0.00624", 0),
    ]
    assert "2026-08-11" in told["prices"][0]
    text = said(capsys, "cost", "--config", config, "--by", "day", "--since", "2026-11-30")
    assert "2026-11-30" in text
    assert "2026-11-29" not in text


def test_the_folder_of_a_simulated_call_is_shown(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    call: CallResult,  # noqa: F811 -- the fixture
    notes: list[TimelineEvent],  # noqa: F811 -- the fixture
) -> None:
    """Without any configuration."""
    folder = write_folder(tmp_path / "call", call, notes=notes)
    nowhere = str(tmp_path / "nowhere.yaml")
    assert f"({call.plan.provider} {call.call_id})" in said(capsys, "show", str(folder), "--config", nowhere)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show"], "expected gateway calls show CALL"),
        (["export", "a1"], "export takes no CALL"),
        (["show", "zz"], "zz: no such call"),
        (["show", "0-"], "0-: means several calls, expected one of 0-2-a2, 0-1-a1, 0-0-a0"),
        (["--limit", "0"], "--limit: 0, expected 1 or more"),
        (["--day", "someday"], "is no day"),
    ],
)
def test_what_is_wrong_is_told(config: str, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    """In one line, with what was expected."""
    assert told in said(capsys, *words, "--config", config, code=2)


def test_a_database_that_does_not_answer_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its password, and without a traceback."""
    file = tmp_path / "gateway.yaml"
    file.write_text("records: {url: 'postgresql://nobody@127.0.0.1:1/calls'}\n", "utf-8")
    text = said(capsys, "--config", str(file), code=1)
    assert "@127.0.0.1:1/calls: the database does not answer: ConnectionRefusedError" in text
    assert len(text.splitlines()) == 1
