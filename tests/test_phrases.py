"""Words for callers whose session is lost: rendered once, in the line's voice, before they are needed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.audio.formats import L16_24K, PCMU
from gateway.config import Line
from gateway.phrases import Phrases, RenderingError, rendered
from gateway.sim.emulator import Emulator
from gateway.voice.endpoints.pooled import Service, Single
from gateway.voice.service import VoiceLive
from tests.e2e.rig import LINE, configuration, instant, load
from tests.virtual_time import virtual_time

WORDS = "One moment please."
SAYS = f"{LINE}on_trouble: {{say: {WORDS}}}\n"


def line_of(folder: Path, text: str) -> Line:
    """A line with this file."""
    (line,) = load(configuration(folder, {"support": text}))[1]
    return line


@asynccontextmanager
async def service(**script: object) -> AsyncIterator[tuple[Emulator, Service]]:
    """A service that speaks, and the way to it."""
    async with Emulator(instant(**script)) as emulator, VoiceLive(emulator.endpoint, "any") as live:
        yield emulator, Single(live)


async def until_said(phrase: object) -> bytes:
    """The phrase, once it was rendered."""
    assert callable(phrase)
    while not phrase():  # noqa: ASYNC110 -- there is no event for it, and calls never wait either
        await asyncio.sleep(0.01)
    return bytes(phrase())


@virtual_time
async def test_a_phrase_is_rendered_once_and_given_in_each_format(tmp_path: Path) -> None:
    """Nothing is given before it is there; a call never waits for it."""
    line = line_of(tmp_path, SAYS)
    async with service() as (emulator, live), Phrases(live) as phrases:
        phrases.begin([line])
        phrase = phrases.of(line, PCMU)
        assert phrase() == b""
        said = await until_said(phrase)
        assert len(said) > 4000
        assert len(phrases.of(line, L16_24K)()) == pytest.approx(6 * len(said), abs=12)
        assert len(emulator.sessions) == 1


@virtual_time
async def test_a_folder_keeps_phrases_between_starts(tmp_path: Path) -> None:
    """A second process opens no session for them."""
    line, folder = line_of(tmp_path, SAYS), tmp_path / "kept"
    async with service() as (emulator, live):
        async with Phrases(live, folder) as phrases:
            said = await until_said(phrases.of(line, PCMU))
            while not list(folder.glob("*.wav")):  # noqa: ASYNC110 -- written in a thread
                await asyncio.sleep(0.01)
        async with Phrases(live, folder) as phrases:
            assert await until_said(phrases.of(line, PCMU)) == said
        assert len(emulator.sessions) == 1


@virtual_time
async def test_a_line_without_words_opens_no_session(tmp_path: Path) -> None:
    """Nor does one that ends with its session."""
    plain = line_of(tmp_path / "a", LINE)
    none = line_of(tmp_path / "b", f"{LINE}on_trouble: {{say: Wait., tries: 0}}\n")
    async with service() as (emulator, live), Phrases(live) as phrases:
        phrases.begin([plain, none])
        assert phrases.of(plain, PCMU)() == b""
        await asyncio.sleep(1)
        assert emulator.sessions == []


@virtual_time
async def test_words_that_cannot_be_rendered_are_an_error(tmp_path: Path) -> None:
    """It says why; the gateway goes on without them."""
    line = line_of(tmp_path, SAYS)
    async with service(faults={"handshake": {"status": 401}}) as (_, live):
        with pytest.raises(RenderingError, match="401"):
            await rendered(live, line, WORDS)
        async with Phrases(live) as phrases:
            phrases.begin([line])
            await asyncio.sleep(1)
            assert phrases.of(line, PCMU)() == b""
