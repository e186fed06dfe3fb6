"""Takes the pictures in ``docs/``: each page of the console at both widths, light and dark, in one file, and a report.

``python -m tests.e2e.in_browser.pictures docs`` calls a line in a real Chromium, with the emulator's own dialogue.
"""

import base64
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, expect

from gateway.config.console.passwords import nobodys
from gateway.sim.emulator import Script
from tests.e2e.in_browser.chromium import Served, chromium, page_of, served, write_microphone
from tests.e2e.rig import configuration

GATEWAY = "console: {listen: '127.0.0.1:0'}\nproviders: {}\n"
PEOPLE = """
providers: {}
console:
  listen: 127.0.0.1:0
  url: http://127.0.0.1:8088
  users: {vera: {password: "${HASH}"}}
  openid: {issuer: "https://login.example.com", client_id: console, roles: {viewer: [everybody]}}
"""
"""A console at which people sign in, with a password or at their organisation."""
PAGES = {"calls": "/calls", "call": "first", "lines": "/lines", "figures": "/figures", "audit": "/audit"}
LINE = """
numbers: ["+14255550102"]
instructions: You answer the phone of a florist.
greeting: Thank you for calling Contoso. How can I help?
voice: en-US-Ava:DragonHDLatestNeural
model: gpt-4.1
recording: {channels: stereo}
tools:
  - end_call
  - name: order_status
    description: Looks an order up.
    parameters: {number: string}
    http: {url: "http://127.0.0.1:1/orders", timeout_s: 1}
"""
SCRIPT = Script.default().model_copy(update={"at_the_end": "last"})
WIDE, NARROW, HEIGHT = 1400, 390, 900
HEARD_S = 5.6
"""The caller begins to speak over the bot then."""
SHOWN = """
<body style="margin:0;background:#8a8f98;width:{width}px">
<div style="display:flex;gap:24px;padding:24px;width:max-content">{images}</div></body>
"""


def main(folder: Path) -> None:
    """Take all pictures."""
    with TemporaryDirectory() as temporary:
        microphone = Path(temporary) / "caller.wav"
        write_microphone(microphone, before_s=3.2, speech_s=3.0, after_s=HEARD_S)
        config = configuration(Path(temporary) / "config", {"florist": LINE}, GATEWAY)
        people = configuration(Path(temporary) / "people", {"florist": LINE}, PEOPLE)
        with served(config, SCRIPT, speaks=True) as held, chromium(microphone) as browser:
            taken = talk(browser, held, folder / "console.png")
            for name, path in PAGES.items():
                taken[name] = shots(browser, held, path)
            for name, images in taken.items():
                compose(browser, images, folder / f"console-{name}.png")
            report(browser, Path(temporary) / "demo", folder / "report.png")
        with served(people, SCRIPT, environ={"HASH": nobodys()}) as held, chromium(microphone) as browser:
            compose(browser, shots(browser, held, "/sign-in"), folder / "console-sign-in.png")


def report(browser: Browser, call: Path, file: Path) -> None:
    """Make the call of ``gateway demo``, and take the beginning of its report."""
    subprocess.run([sys.executable, "-m", "gateway", "demo", "--out", str(call)], check=True, timeout=120)  # noqa: S603 -- our own words
    with browser.new_context(viewport={"width": 1180, "height": 1046}) as context:
        page = context.new_page()
        page.goto((call / "report.html").as_uri())
        page.screenshot(path=file)


def talk(browser: Browser, held: Served, alone: Path) -> dict[str, list[bytes]]:
    """Call the line, interrupt it, press a key; take the page as it then is, and that of the calls in progress."""
    with page_of(browser, held, viewport={"width": WIDE, "height": 720}) as page:
        page.goto("/phone/florist")
        page.get_by_role("button", name="Call").click()
        expect(page.locator("li.turn.bot:has(del)").first).to_be_visible()
        page.locator("[data-key='7']").click()
        expect(page.locator("li.key").first).to_be_visible()
        page.screenshot(path=alone)
        taken = {"try": ways(page), "now": shots(browser, held, "/")}
        page.get_by_role("button", name="Hang up").click()
        expect(page.get_by_role("link", name="Report")).to_be_visible()
        page.wait_for_timeout(3000)  # for the recording
        return taken


def shots(browser: Browser, held: Served, path: str) -> list[bytes]:
    """Take a page in all ways; ``first`` is the page of the newest call."""
    with page_of(browser, held) as page:
        page.goto("/calls" if path == "first" else path)
        if path == "first":
            page.locator("tr", has_text="florist").first.locator("a").first.click()
        return ways(page)


def ways(page: Page) -> list[bytes]:
    """Take a page light and dark, wide and narrow."""
    taken = []
    for scheme in ("light", "dark"):
        for width in (WIDE, NARROW):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.wait_for_timeout(400)
            taken.append(page.screenshot())
    return taken


def compose(browser: Browser, images: list[bytes], file: Path) -> None:
    """Put the pictures of a page side by side into one, at half their size."""
    sizes: Mapping[int, int] = {0: WIDE, 1: NARROW, 2: WIDE, 3: NARROW}
    tags = [
        f'<img width="{sizes[number] // 2}" src="data:image/png;base64,{base64.b64encode(image).decode()}">'
        for number, image in enumerate(images)
    ]
    width = sum(sizes.values()) // 2 + 5 * 24
    context = browser.new_context(viewport={"width": width, "height": HEIGHT // 2 + 48})
    page = context.new_page()
    page.set_content(SHOWN.format(width=width, images="".join(tags)))
    page.screenshot(path=file)
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
