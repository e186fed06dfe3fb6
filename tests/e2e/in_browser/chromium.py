"""A real Chromium in front of a console, a gateway and an emulator; a recording is its microphone."""

import asyncio
import shutil
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from gateway.app import serving
from gateway.audio.audio_file import read_audio
from gateway.audio.formats import AudioFormat
from gateway.audio.g711 import Samples
from gateway.audio.resample import resample
from gateway.audio.wav import write_wav
from gateway.cli.console.beside import console_beside, keyed, live_folder
from gateway.cli.emulated_identity import EmulatedIdentity
from gateway.config import Lines, load_deployment
from gateway.console import static_files
from gateway.sim.emulator import Emulator, Script
from gateway.sim.prompts import caller_prompt

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: no browser is driven")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
MICROPHONE_HZ = 48_000
PATIENCE_MS = 45_000
"""How long a page may take for anything, on a machine that has much else to do."""
CAPTURE = """
registerProcessor("capture", class extends AudioWorkletProcessor {
  process(inputs) {
    const block = inputs[0][0];
    if (block) this.port.postMessage(block.slice());
    return true;
  }
});
"""
"""A worklet that hands out what passes it; it stands behind that of the loudspeaker."""
LOUDSPEAKER = "phone/loudspeaker.js"
TAP = """
const hear = (heard, value) => {
  heard.frames++;
  if (Math.abs(value) < 0.005) return;
  if (heard.frames - heard.last > 0.3 * heard.rate) heard.replies.push(0);
  heard.last = heard.frames;
  heard.replies[heard.replies.length - 1]++;
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    const capture = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    window.captured = { rate: this.context.sampleRate, frames: 0, last: -Infinity, replies: [] };
    capture.port.onmessage = ({ data }) => data.forEach((value) => hear(window.captured, value));
    connect.call(this, capture);
  }
  return connect.call(this, target, ...rest);
};
document.addEventListener("securitypolicyviolation", (event) => (window.violated ??= []).push(event.violatedDirective));
"""
"""Counts what the loudspeaker gets: for each reply the frames that sound. A silence of 0.3 s is between two replies."""


async def hiss(text: str, audio_format: AudioFormat, *, language: str = "en") -> bytes:
    """Stand in for the emulator's voice: ``"900 ms of …"`` is so long, and each of its samples sounds."""
    samples = round(float(text.partition(" ms")[0]) * audio_format.rate_hz / 1000)
    return np.random.default_rng(samples).integers(800, 1200, samples).astype("<i2").tobytes()


def write_microphone(file: Path, *, before_s: float, speech_s: float, after_s: float) -> None:
    """Write what the microphone hears, again and again: silence, a caller, silence."""
    prompt = caller_prompt("order_status")
    assert prompt is not None
    audio = read_audio(prompt.path)
    speech: Samples = resample(audio.samples[:, 0], audio.rate_hz, MICROPHONE_HZ)[: round(speech_s * MICROPHONE_HZ)]
    quiet = [np.zeros(round(length * MICROPHONE_HZ), np.int16) for length in (before_s, after_s)]
    write_wav(file, np.concatenate([quiet[0], speech, quiet[1]]), MICROPHONE_HZ)


@dataclass
class Served:
    """A console that is served; ``url`` is its address."""

    url: str


@contextmanager
def served(
    config: Path, script: Script, *, speaks: bool = False, environ: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Serve a gateway, its console and an emulator in a thread; the emulator hisses unless it ``speaks``."""
    began: Future[str] = Future()
    ended: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        deployment = keyed(load_deployment(config, environ or {}))
        ended.append((asyncio.get_running_loop(), asyncio.Event()))
        with live_folder(None, deployment) as live:
            async with (
                Emulator(script) as emulator,
                serving(
                    deployment,
                    Lines(deployment),
                    endpoint=emulator.endpoint,
                    api_key="any",
                    identity=EmulatedIdentity(),
                    host="127.0.0.1",
                    keep_records=True,
                    live=live,
                ) as gateway,
                console_beside(deployment, gateway.url, emulator.endpoint, live) as console,
            ):
                began.set_result(console)
                await ended[0][1].wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if began.done():
                raise
            began.set_exception(error)

    thread = threading.Thread(target=run, name="gateway")
    with pytest.MonkeyPatch.context() as patch:
        if not speaks:
            patch.setattr("gateway.sim.emulator.speaking.response.spoken", hiss)
        shown = {**static_files.files()}
        shown[LOUDSPEAKER] += CAPTURE.encode()
        patch.setattr(static_files, "files", lambda: shown)
        thread.start()
        try:
            yield Served(began.result(60))
        finally:
            loop, event = ended[0]
            if loop.is_running():
                loop.call_soon_threadsafe(event.set)
            thread.join(60)


@contextmanager
def chromium(microphone: Path) -> Iterator[Browser]:
    """Start a Chromium whose microphone is a recording."""
    with sync_playwright() as playwright:
        switches = [*SWITCHES, f"--use-file-for-fake-audio-capture={microphone}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(browser: Browser, held: Served, **options: Any) -> Iterator[Page]:
    """Open a page, and fail if anything on it went wrong that it did not show."""
    context: BrowserContext = browser.new_context(base_url=held.url, **options)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    context.add_init_script(TAP)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    try:
        yield page
        problems += page.evaluate("window.violated ?? []")
    finally:
        context.close()
    expected = [problem for problem in problems if "404" in problem]  # a record that is not written yet
    assert problems == expected
