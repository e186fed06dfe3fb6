"""The phone in a browser, in a real Chromium whose microphone is a recorded caller."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from gateway.sim.emulator import Script
from tests.e2e.in_browser.chromium import NEEDS_CHROMIUM, Served, chromium, page_of, served, write_microphone
from tests.e2e.rig import configuration

pytestmark = NEEDS_CHROMIUM
GATEWAY = "console: {listen: '127.0.0.1:0'}\nproviders: {}\n"
LINE = """
numbers: ["+14255550100"]
instructions: Talk.
greeting: 900 ms of a greeting
model: gpt-4.1
voice: en-US-AvaNeural
on_key: {"7": {say: "400 ms of a key's words"}}
recording: {channels: stereo}
"""
SECRET = LINE.replace("0100", "0101") + (
    """
tools:
  - name: pay
    description: Takes the card.
    parameters: {card: {secret: digits, prompt: 500 ms of a prompt, length: 8}}
    http: {url: "http://127.0.0.1:1/pay", timeout_s: 1}
"""
)
STORIES = [f"{9000 + number} ms of story {number}, which goes on and on, in many short words." for number in range(4)]
INTERRUPTED = 3
RELOADS = 60
WIDTHS = (390, 1400)
DIGITS = "73519264"


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway with a line that tells stories."""
    folder = tmp_path_factory.mktemp("phone")
    turns = [{"say": text, "heard": f"Tell me story {number}."} for number, text in enumerate(STORIES)]
    script = Script.model_validate({"turns": turns, "at_the_end": "repeat", "pace": 8})
    with served(configuration(folder, {"stories": LINE}, GATEWAY), script) as one:
        yield one


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose caller speaks for a while, and then listens for some seconds, again and again."""
    microphone = tmp_path_factory.mktemp("microphone") / "caller.wav"
    write_microphone(microphone, before_s=1.5, speech_s=1.2, after_s=2.0)
    with chromium(microphone) as one:
        yield one


def call(page: Page, line: str) -> None:
    """Call a line, and wait until the bot is heard."""
    page.goto(f"/phone/{line}")
    page.get_by_role("button", name="Call").click()
    expect(page.locator("li.turn.bot").first).to_be_visible()


def played_ms(page: Page) -> list[float]:
    """Return how much of each reply went to the audio device."""
    heard = page.evaluate("window.captured")
    return [frames * 1000 / heard["rate"] for frames in heard["replies"]]


def find_and_play(page: Page) -> None:
    """Find the call among all, read why it ended, and play what was recorded of it."""
    page.goto("/calls")
    page.locator("tr", has_text="stories").first.locator("a").first.click()
    expect(page.locator("h1")).to_contain_text("stories")
    expect(page.locator("h1")).to_contain_text("hung up")
    for _ in range(RELOADS):
        if page.locator("audio").count():
            break
        page.wait_for_timeout(500)  # the recording is stored behind the call
        page.reload()
    expect(page.locator("del").first).to_contain_text("many short words")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".player .clock b")).not_to_have_text("0:00.0")
    assert page.locator("audio").evaluate("audio => !audio.paused && !audio.error")


def test_a_call(browser: Browser, held: Served) -> None:
    """Talk, interrupt, see the words, press a key, hang up, find the call, play it, read why it ended.

    What the page says was heard agrees with what was played, to 40 ms: as a rule, because a machine that is busy may
    hold one of the messages up.
    """
    with page_of(browser, held) as page:
        call(page, "stories")
        cut = page.locator("li.turn.bot:has(del)")
        expect(cut.nth(INTERRUPTED - 1)).to_be_visible()
        page.locator("[data-key='4']").click()
        expect(page.locator("li.key .words")).to_have_text("4")
        assert "answered in" in cut.first.inner_text()
        assert "story 0" in cut.first.inner_text()
        assert "heard for" in cut.first.locator(".facts").inner_text()
        expect(page.locator("li.turn.caller .words").first).to_contain_text("Tell me story 0.")
        assert "as a rule" in page.locator("[data-part='latency']").inner_text()
        page.get_by_role("button", name="Hang up").click()
        expect(page.locator("[data-part='why']")).to_contain_text("The caller hung up")
        played = played_ms(page)
        told = [
            int(ms) for ms in page.locator("li.turn.bot").evaluate_all("all => all.map(one => one.dataset.heardMs)")
        ]
        assert abs(played[0] - 900) <= 1, "the greeting was played whole"
        assert abs(told[0] - 900) <= 1
        off = sorted(abs(ours - theirs) for ours, theirs in zip(told[1:], played[1:], strict=False))
        assert off[len(off) // 2] <= 40, f"the page says {told} ms, and {played} ms were played"
        assert page.locator("li.key").count() == 1
        expect(page.get_by_role("link", name="Report")).to_be_visible()
        find_and_play(page)


def test_secret_digits_are_seen_nowhere(browser: Browser, tmp_path: Path) -> None:
    """Neither on the page nor in what it was sent nor in the record: only that they were keyed in."""
    config = configuration(tmp_path, {"card": SECRET}, GATEWAY)
    pays = {"call": {"name": "pay", "arguments": {}}, "after_call": "700 ms of thanks"}
    with served(config, Script.model_validate({"turns": [pays]})) as held, page_of(browser, held) as page:
        received: list[str] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda one: received.append(str(one))))
        call(page, "card")
        expect(page.get_by_text("nothing shows or keeps it")).to_be_visible()
        for digit in DIGITS:
            page.keyboard.press(digit)
        expect(page.locator("li.tool .words")).to_contain_text("pay: error")
        expect(page.get_by_text("nothing shows or keeps it")).to_be_hidden()
        shown = page.locator("main").inner_text()
        page.get_by_role("button", name="Hang up").click()
        expect(page.get_by_role("link", name="Report")).to_be_visible()
        assert "card, unseen: entered" in shown
        assert DIGITS not in shown + page.locator("main").inner_text()
        assert '"digit_pressed"' not in "".join(received)
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*.db*"))
    assert kept
    assert DIGITS.encode() not in kept


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_serious_fault(browser: Browser, held: Served, scheme: str) -> None:
    """By axe-core, at both widths: contrast, names, order, keyboard."""
    with page_of(browser, held, color_scheme=scheme) as page:
        call(page, "stories")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert serious(page) == []
        page.goto("/phone")
        assert serious(page) == []


def serious(page: Page) -> list[str]:
    """Return the faults that keep somebody from using the page."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {json.dumps(one['nodes'][0]['target'])}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
