"""The pages of the console in a real Chromium: what axe-core finds, and the player by keyboard."""

import asyncio
import re
from pathlib import Path

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from gateway.audio.wav import write_wav
from gateway.call.calls import Calls
from gateway.call.history.glance import Glance, LastWords
from gateway.console.application import console_listening
from gateway.console.state import console_for
from gateway.records.rows import RecordingRow
from tests.console.access.people import console_of_people
from tests.console.conftest import console_with, fill
from tests.console.pages.test_call import hostile
from tests.console.test_line_files import LINE, folder_with
from tests.e2e.in_browser.chromium import NEEDS_CHROMIUM, PATIENCE_MS, chromium
from tests.live.conftest import process
from tests.live.played import PlayedCall, going_on
from tests.records.kept import NINE as ONCE
from tests.records.kept import TOLD, rows_of

pytestmark = NEEDS_CHROMIUM
PATHS = ("/", "/calls", "/calls/k1", "/lines", "/figures?days=90", "/audit")
WORDS = "I ordered a bunch of roses on Monday, for delivery to my mother, and nothing has come; where is my order?"


async def test_nothing_serious_is_wrong_and_the_player_obeys_the_keyboard(tmp_path: Path) -> None:
    """Contrast, names and order in light and dark; no page is wider than its screen, none breaks its policy."""
    folder_with(tmp_path, support=LINE, sales=LINE + "voise: alloy\n")
    sound = tmp_path / "k9.wav"
    write_wav(sound, (np.sin(np.arange(2 * 80_000) / 9) * 9000).astype(np.int16).reshape(-1, 2), 8000)
    console = console_for(console_with(tmp_path).deployment, tmp_path)
    row = RecordingRow(call_key="k9", url=sound.as_uri(), seconds=10.0, state="stored")
    await fill(console, [*hostile(), *rows_of("k9", told=TOLD, started=ONCE), row])
    (tmp_path / "people").mkdir()
    people = console_of_people(tmp_path / "people")
    calls, call = Calls(1), PlayedCall("CA1", Glance("talking", "bot", LastWords("caller", WORDS), ("desk",)))
    async with (
        process(tmp_path, calls),
        console_listening(console, "127.0.0.1", 0) as url,
        console_listening(people, "127.0.0.1", 0) as closed,
    ):
        with going_on(calls, call):
            await asyncio.to_thread(_look, url, closed, sound)


def _look(url: str, closed: str, microphone: Path) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    with chromium(microphone) as browser:
        wide = browser.new_context(viewport={"width": 1400, "height": 900}, color_scheme="light")
        _try(wide, url, closed, 1400)
        narrow = browser.new_context(viewport={"width": 390, "height": 900}, color_scheme="dark")
        _try(narrow, url, closed, 390)


def _try(context: BrowserContext, url: str, closed: str, width: int) -> None:
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    for path in [*(url + path for path in PATHS), f"{closed}/sign-in"]:
        page.goto(path)
        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
        assert [(path, one["id"], one["nodes"][0]["html"]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{url}/audit")
    assert page.locator(".card").first.evaluate("card => card.scrollWidth <= card.clientWidth")
    _read_last_words(page, url, width)
    _play(page, url)
    context.close()
    assert problems == []


def _read_last_words(page: Page, url: str, width: int) -> None:
    """See the last words of a call whole, without scrolling its table."""
    page.goto(url)
    words = page.locator("#calls .words")
    expect(words).to_contain_text(WORDS)
    box, around = words.bounding_box(), page.locator(".card").first
    assert box is not None
    assert 0 <= box["x"] < box["x"] + box["width"] <= width
    assert around.evaluate("card => card.scrollWidth <= card.clientWidth")


def _play(page: Page, url: str) -> None:
    """Go to the interruption, and to a moment, by keys alone."""
    page.goto(f"{url}/calls/k9")
    audio, now = page.locator("audio"), page.locator(".turns li.now")
    expect(page.locator("svg.wide path.bot")).to_have_attribute("d", re.compile("M0,.{1000}"))
    page.get_by_role("button", name="Next interruption or problem").press("Enter")
    expect(now).to_contain_text("order_status: error")
    page.get_by_role("button", name="Pause").press("Enter")
    expect(audio).to_have_js_property("paused", value=True)
    page.locator("button.moment", has_text="0:00.9").first.press("Enter")
    expect(now).to_contain_text("Welcome to Contoso.")
    expect(audio).to_have_js_property("paused", value=False)
