"""Lines while their files change, hang and vanish."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.call.metrics import Metrics
from gateway.config import Lines, following, line_file, load_deployment
from gateway.config import lines as all_lines
from gateway.config.lines import Refused, Update
from gateway.errors import ConfigError
from gateway.routes.line_book import HangWatch, LineBook
from tests.e2e.rig import LINE, NUMBER, Log, configuration, listening


@asynccontextmanager
async def followed(file: Path) -> AsyncIterator[tuple[LineBook, Log]]:
    """A book whose files are followed, and its log; bounded in time."""
    lines = Lines(load_deployment(file, {}))
    async with asyncio.timeout(20):
        with listening() as log:
            book = LineBook(lines, Metrics())
            async with book.following():
                yield book, log


@pytest.fixture(params=["watched", "polled"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How changes are noticed: told by the system, or, where that fails, by looking again."""
    if request.param == "polled":

        def fails(*_: object, **__: object) -> None:
            raise OSError(28, "OS file watch limit reached")

        monkeypatch.setattr("watchfiles.watch", fails)
        monkeypatch.setattr(following, "POLL_S", 0.02)
    return str(request.param)


async def test_files_are_followed(tmp_path: Path, way: str) -> None:
    """New, changed, broken, mended and deleted ones, each told when it happens."""
    file = configuration(tmp_path)
    async with followed(file) as (book, log):
        sales = tmp_path / "lines" / "sales.yaml"
        sales.write_text(LINE.replace("0100", "0101"))
        loaded = await log.until("line_loaded", line="sales")
        line = book.find("", "+14255550101")
        assert line
        assert (line.generation, str(sales)) == (loaded["generation"], loaded["file"])
        sales.write_text("numbers: 7\n")
        await log.until("line_refused", line="sales")
        assert book.find("sales") is line
        sales.unlink()
        assert (await log.until("line_removed", line="sales"))["generation"] == line.generation
        assert book.find("sales") is None
        assert book.find("", NUMBER) is book.find("support")
        assert bool(log.of("line_files_polled")) == (way == "polled")


async def test_what_a_line_names_is_followed_too(tmp_path: Path) -> None:
    """Instructions in another folder; a folder that is made anew; and a folder of links, as Kubernetes mounts it."""
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.md").write_text("One.")
    for name in ("v1", "v2"):
        (tmp_path / "lines" / name).mkdir(parents=True)
        (tmp_path / "lines" / name / "linked.yaml").write_text(f'numbers: ["*"]\ninstructions: {name}\n')
    (tmp_path / "lines" / "..data").symlink_to("v1")
    (tmp_path / "lines" / "linked.yaml").symlink_to("..data/linked.yaml")
    file = configuration(
        tmp_path, {"support": f'numbers: ["{NUMBER}"]\ninstructions_file: ../texts/a.md\nmodel: gpt-4.1\n'}
    )
    async with followed(file) as (book, log):

        async def changed(name: str, instructions: str) -> None:
            while (line := book.find(name)) is None or line.instructions != instructions:
                await log.grown()

        await changed("support", "One.")
        (texts / "a.md").write_text("Two.")
        await changed("support", "Two.")
        texts.rename(tmp_path / "old")
        texts.mkdir()
        (texts / "a.md").write_text("Three.")
        await changed("support", "Three.")
        (texts / "a.md").write_text("Four.")
        await changed("support", "Four.")
        (tmp_path / "lines" / "..new").symlink_to("v2")
        (tmp_path / "lines" / "..new").rename(tmp_path / "lines" / "..data")
        await changed("linked", "v2")


async def test_a_file_with_another_ending_is_told(tmp_path: Path) -> None:
    """It is no line, whatever it was meant to be."""
    async with followed(configuration(tmp_path)) as (_, log):
        (tmp_path / "lines" / "florist.yml").write_text(LINE)
        refused = await log.until("line_refused", line="florist")
        assert refused["detail"] == (
            f"{tmp_path}/lines/florist.yml: is not read, expected a name that ends with .yaml (lines: lines/*.yaml)"
        )


async def test_a_pipe_among_the_lines_holds_up_nothing(tmp_path: Path) -> None:
    """It is refused, and the other lines are followed."""
    async with followed(configuration(tmp_path)) as (book, log):
        os.mkfifo(tmp_path / "lines" / "pipe.yaml")
        assert "named pipe" in (await log.until("line_refused", line="pipe"))["detail"]
        (tmp_path / "lines" / "sales.yaml").write_text(LINE.replace("0100", "0101"))
        await log.until("line_loaded", line="sales")
        assert book.find("support")


async def test_a_mount_that_hangs_holds_up_neither_calls_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines stay as they were read last, the log names the file, and the thread is left behind."""
    monkeypatch.setattr("gateway.routes.line_book.HANG_LIMIT_S", 0.02)
    monkeypatch.setattr("gateway.routes.line_book.END_LIMIT_S", 0.02)
    monkeypatch.setattr(following, "POLL_S", 0.02)
    answers = threading.Event()
    stamp = line_file.stamp

    def hangs(file: Path) -> object:
        answers.wait(20)
        return stamp(file)

    file = configuration(tmp_path)
    try:
        async with followed(file) as (book, log):
            monkeypatch.setattr(all_lines, "stamp", hangs)
            told = await log.until("line_files_hang")
            assert told["file"] == f"{tmp_path}/lines/support.yaml"
            assert book.find("", NUMBER)
    finally:
        answers.set()
        for thread in threading.enumerate():
            if thread.name == "line-files":
                thread.join(20)


async def test_a_bug_ends_no_following(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and the files are looked at again."""
    monkeypatch.setattr(following, "POLL_S", 0.02)
    async with followed(configuration(tmp_path)) as (_, log):
        with monkeypatch.context() as broken:
            broken.setattr(Lines, "_refresh", lambda _: 1 // 0)
            await log.until("lines_not_followed")
        (tmp_path / "lines" / "sales.yaml").write_text(LINE.replace("0100", "0101"))
        await log.until("line_loaded", line="sales")


async def test_what_is_loaded_removed_and_refused_is_told_with_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name, version and file, and why; the metrics know the line and its tools before its first call."""
    tools = (
        "tools: [end_call, {name: status, description: Looks up., http: {url: https://shop.example.com/}},\n"
        "  {mcp: {server_label: crm, server_url: https://crm.example.com/mcp, require_approval: never}}]\n"
    )
    lines = Lines(load_deployment(configuration(tmp_path, {"support": LINE + tools}), {}))
    metrics, known = Metrics(), list[tuple[str, list[str]]]()
    monkeypatch.setattr(metrics, "know_line", lambda *told: known.append(told))
    (line,) = lines
    with listening() as log:
        book = LineBook(lines, metrics, {"twilio": "DE"})
        wrong = Refused(ConfigError("wrong.yaml: expected a list"), "wrong", "v2")
        book._take(Update(removed=(line,), refused=(wrong,)))
    assert known == [("support", ["status", "mcp:crm", "end_call"])]
    whose = {"line": "support", "generation": line.generation}
    assert [{name: value for name, value in entry.items() if name != "logger"} for entry in log.entries] == [
        {"event": "line_loaded", **whose, "file": str(line.file), "log_level": "info"},
        {"event": "line_removed", **whose, "log_level": "warning"},
        {
            "event": "line_refused",
            "line": "wrong",
            "generation": "v2",
            "detail": str(wrong.error),
            "log_level": "error",
        },
    ]
    assert metrics.registry.get_sample_value("gateway_line_refused_total") == 1
    assert (book.region("twilio"), book.region("plivo")) == ("DE", "")
    assert book.find("support", "+19995550100") is book.find("", NUMBER) is line
    assert book.find("sales", NUMBER) is None


async def test_the_mistake_in_a_line_s_newest_file_is_known_until_it_is_mended(tmp_path: Path) -> None:
    """For the notes of the calls that use the version before it."""
    lines = Lines(load_deployment(configuration(tmp_path), {}))
    (line,) = lines
    book = LineBook(lines, Metrics())
    wrong = Refused(ConfigError("support.yaml: expected a list"), "support", "v2")
    for mended in (Update(loaded=(line,)), Update(removed=(line,))):
        assert book.problem("support") == ""
        book._take(Update(refused=(wrong,)))
        assert (book.problem("support"), book.problem("sales")) == ("support.yaml: expected a list", "")
        book._take(mended)
    assert book.problem("support") == ""


async def test_a_hang_is_told_once_for_each_file(tmp_path: Path) -> None:
    """And a thread that is merely busy is none."""
    lines = Lines(load_deployment(configuration(tmp_path), {}))
    watch = HangWatch(lines)
    with listening() as log:
        for file in (None, first := Path("a"), Path("a"), second := Path("b"), second, second, None, first, first):
            lines.looking_at = file
            watch.look()
    assert [(entry["file"], entry["detail"]) for entry in log.entries] == [
        ("b", "the lines stay as they were read last"),
        ("a", "the lines stay as they were read last"),
    ]
