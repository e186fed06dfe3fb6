"""``gateway explain``."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from gateway.audio.wav import write_wav
from gateway.cli import main
from gateway.records.rows import CallRow, RecordingRow
from gateway.records.store.database import Database
from tests.records.kept import TOLD, keep, rows_of

SAMPLES = np.zeros((8000, 2), np.int16)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose database has two calls: one that was recorded, and one that broke off."""
    file = tmp_path / "gateway.yaml"
    file.write_text("{}\n", "utf-8")
    (tmp_path / "data").mkdir()
    write_wav(tmp_path / "k1.wav", SAMPLES, 8000)

    async def fill() -> None:
        async with Database(f"sqlite:///{tmp_path}/data/calls.db") as database:
            await database.migrate()
            await keep(database, rows_of("k1"))
            await keep(database, [RecordingRow(call_key="k1", url=(tmp_path / "k1.wav").as_uri(), state="stored")])
            broken = rows_of("m2", told=TOLD[:9])
            await keep(
                database, [replace(row, state="interrupted") if hasattr(row, "state") else row for row in broken]
            )
            await keep(database, [RecordingRow(call_key="m2", url=(tmp_path / "gone.wav").as_uri(), state="stored")])

    asyncio.run(fill())
    return file


def explained(config: Path, *words: str) -> int:
    """The exit code of the command."""
    return main(["explain", *words, "--config", str(config)])


def test_a_call_of_the_database_is_explained(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Found by its key, by the provider's id, or by the beginning of one."""
    for name in ("k1", "CA-k1", "CA-k"):
        assert explained(config, name) == 0
        out = capsys.readouterr().out
        assert out.startswith("The bot transferred the caller after 9.5 s (transferred, by the bot).")
        assert "  1. A tool failed\n     order_status: error after 0.5 s" in out


def test_without_a_name_it_is_the_last_call(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its start, whether or not it is over."""

    async def add() -> None:
        async with Database(f"sqlite:///{tmp_path}/data/calls.db") as database:
            told = rows_of("z9")
            later = [replace(row, started=row.started + timedelta(days=1)) for row in told if isinstance(row, CallRow)]
            await keep(database, [*later, *(row for row in told if not isinstance(row, CallRow))])

    asyncio.run(add())
    assert explained(config) == 0
    assert "CA-z9" in capsys.readouterr().out


def test_without_a_call_there_is_nothing_to_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That is told, and what else could be explained."""
    (tmp_path / "gateway.yaml").write_text("{}\n", "utf-8")

    async def make() -> None:
        async with Database(f"sqlite:///{tmp_path}/data/calls.db") as database:
            await database.migrate()

    (tmp_path / "data").mkdir()
    asyncio.run(make())
    assert explained(tmp_path / "gateway.yaml") == 2
    assert "there is no call yet, expected one, or the folder of a simulated call" in capsys.readouterr().err


def test_a_call_that_broke_off_says_what_is_unknown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And that nobody has said why."""
    assert explained(config, "m2") == 0
    out = capsys.readouterr().out
    assert out.startswith("The process that had the call ended without a word: the record goes to 5.3 s.")
    assert "how the call ended is not known" in out


def test_a_script_reads_the_same(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As one JSON object."""
    assert explained(config, "k1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"call", "ended", "about", "findings", "silences", "interruptions", "figures", "unknown"}
    assert told["findings"][0]["kind"] == "tool_failed"


def test_a_page_is_written_for_its_user_alone(config: Path, tmp_path: Path) -> None:
    """With the sound, in place of what was there; a link is replaced and not followed."""
    (tmp_path / "other").write_text("kept")
    page = tmp_path / "page.html"
    page.symlink_to(tmp_path / "other")
    assert explained(config, "k1", "--html", str(page)) == 0
    assert "A tool failed." in page.read_text("utf-8")
    assert "data:audio/ogg;codecs=opus;base64,T2dnUw" in page.read_text("utf-8")
    assert page.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "other").read_text() == "kept"


def test_a_page_without_its_sound_is_a_page(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A call that is missing is named; a page that cannot be written is an error."""
    assert explained(config, "m2", "--html", str(tmp_path / "page.html")) == 0
    assert "--html: without sound: " in capsys.readouterr().err
    assert "There is no recording of this call." in (tmp_path / "page.html").read_text("utf-8")
    assert explained(config, "k1", "--html", str(tmp_path / "no" / "page.html")) == 2
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_the_folder_of_a_simulated_call_needs_no_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in its texts controls the terminal."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "call").mkdir()
    told = {
        "call_id": "CA1",
        "provider": "twilio",
        "line": "support",
        "caller": "+1",
        "called": "+2",
        "started": "2026-11-29T09:00:00+00:00",
        "gateway_started_ms": 0,
    }
    started = {"caller": "+1", "called": "+2", "generation": "g1", "line_error": "support.yaml:3:1: wrong \x1b[31m"}
    end = {"reason": "caller_hung_up", "by": "caller", "detail": "", "provider": "twilio", "duration_s": 1, "turns": 0}
    rows = [{"at_ms": 0, "kind": "call_started", **started}, {"at_ms": 1000, "kind": "call_ended", **end}]
    (tmp_path / "call" / "call.json").write_text(json.dumps(told))
    (tmp_path / "call" / "events.jsonl").write_text(
        "".join(json.dumps({**row, "source": "gateway"}) + "\n" for row in rows)
    )
    assert main(["explain", "call"]) == 0
    out = capsys.readouterr().out
    assert "1. The newest version of the line's file has a mistake" in out
    assert "\x1b" not in out


def test_what_is_no_call_is_refused(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was expected."""
    assert explained(config, "zz") == 2
    assert "zz: no such call, expected its key" in capsys.readouterr().err
    (tmp_path / "data" / "calls.db").unlink()
    assert explained(config, "k1") == 1
    assert "no such file" in capsys.readouterr().err
