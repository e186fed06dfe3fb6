"""The page of the lines."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.console.pages.lines import place_of
from gateway.errors import ConfigError
from tests.console.conftest import browser, console_with, fill, text_of
from tests.console.test_line_files import LINE, folder_with, write
from tests.records.kept import TOLD, rows_of
from tests.report.test_page import HOSTILE, Attributes
from tests.sim.report.test_page import text

CLOSED = """hours:
  open: {mon-sun: "00:00-24:00"}
  holidays: [%s]
  closed: {say: We are closed.}
"""


async def test_a_line_is_shown_with_its_calls(tmp_path: Path) -> None:
    """Numbers, who answers, whether it is open, calls of today, its version, and where to try it."""
    today = datetime.now(UTC)
    days = ", ".join((today + timedelta(days=n)).date().isoformat() for n in (-1, 0, 1))
    folder_with(tmp_path, support=LINE, sales=LINE.replace("0100", "0101") + CLOSED % days)
    console = console_with(tmp_path)
    async with browser(console) as client:
        await fill(console, [*rows_of("k1", started=today), *rows_of("k2", started=today, told=TOLD[:9])])
        page = await text_of(client, "/lines")
    seen = text(page)
    assert "sales closed now" in seen
    assert "support open now 1 call in progress Try Numbers +14255550100" in seen
    assert "Calls today (UTC) 2" in seen
    assert "3f (2 calls since " in seen
    assert "File lines/support.yaml" in seen
    assert 'href="/phone/support"' in page
    assert "when full as gateway.yaml says" in seen


async def test_a_mistake_stands_with_its_place(tmp_path: Path) -> None:
    """And the line says that its file was refused."""
    folder_with(tmp_path, support=LINE + "voise: alloy\n")
    async with browser(console_with(tmp_path)) as client:
        seen = text(await text_of(client, "/lines"))
    assert "support file refused" in seen
    assert "lines/support.yaml:5:1" in seen
    assert "Until it is mended, calls have the last good version, if there was one." in seen


async def test_what_changed_is_inert(tmp_path: Path) -> None:
    """Whatever somebody writes into a file."""
    folder_with(tmp_path, support=LINE)
    async with browser(console_with(tmp_path)) as client:
        await text_of(client, "/lines")
        write(tmp_path, "support", LINE + f"  {HOSTILE.replace(chr(27), '')}\n")
        page = await text_of(client, "/lines")
    assert "What changed in this version" in text(page)
    assert "<script" not in page
    assert "<img" not in page
    assert {name for name in Attributes(page).names if name == "style" or name.startswith("on")} == set()


async def test_without_lines_the_page_says_how_to_begin(tmp_path: Path) -> None:
    """With the command that writes one."""
    async with browser(console_with(tmp_path)) as client:
        assert "gateway init" in text(await text_of(client, "/lines"))


def test_a_place_is_that_of_the_check(tmp_path: Path) -> None:
    """Relative to gateway.yaml where it can be; of a whole file it is the file."""
    error = ConfigError("x", file=tmp_path / "lines" / "a.yaml", line=3, column=7)
    assert place_of(error, tmp_path) == "lines/a.yaml:3:7"
    assert place_of(ConfigError("x", file="/elsewhere.yaml"), tmp_path) == "/elsewhere.yaml"
    assert place_of(ConfigError("x"), tmp_path) == ""
