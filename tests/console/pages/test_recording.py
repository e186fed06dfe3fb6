"""The sound of a call."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from structlog.testing import capture_logs

from gateway.audio.wav import write_wav
from gateway.records.rows import RecordingRow
from tests.console.conftest import browser, console_with, fill, text_of
from tests.records.kept import rows_of

SOUND = (np.sin(np.arange(2 * 16_000) / 9) * 9000).astype(np.int16).reshape(-1, 2)


@asynccontextmanager
async def recorded(folder: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, bytes]]:
    """A console with a call whose recording is in a directory; yields its bytes as well."""
    file = folder / "k1.wav"
    write_wav(file, SOUND, 8000)
    console = console_with(folder)
    row = RecordingRow(call_key="k1", url=file.as_uri(), seconds=2.0, state="stored")
    gone = RecordingRow(call_key="k2", url=(folder / "k2.wav").as_uri(), state="stored")
    async with browser(console) as client:
        await fill(console, [*rows_of("k1"), row, *rows_of("k2"), gone, *rows_of("k3")])
        yield client, file.read_bytes()


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-", 0, None),
        ("bytes=100-199", 100, 200),
        ("bytes=-50", -50, None),
        ("bytes=64000-99999999", 64_000, None),
    ],
)
async def test_a_part_is_sent_where_one_is_asked_for(tmp_path: Path, asked: str, start: int, end: int | None) -> None:
    """As players do that go to a moment (RFC 9110, 14)."""
    async with (
        recorded(tmp_path) as (client, content),
        client.get("/calls/k1/recording", headers={"Range": asked}) as answer,
    ):
        assert answer.status == 206
        part = content[start:end]
        assert await answer.read() == part
        first = len(content) + start if start < 0 else start
        assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(content)}"


async def test_all_of_it_is_sent_otherwise(tmp_path: Path) -> None:
    """With the headers of every answer; as a file where it is to be kept."""
    async with recorded(tmp_path) as (client, content):
        for headers in ({}, {"Range": "bytes=0-1,5-6"}, {"Range": "lines=1-2"}):
            async with client.get("/calls/k1/recording", headers=headers) as answer:
                assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/wav")
                assert answer.headers["Accept-Ranges"] == "bytes"
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert await answer.read() == content
        async with client.get("/calls/k1/recording?download") as answer:
            assert answer.headers["Content-Disposition"] == 'attachment; filename="k1.wav"'


async def test_who_hears_a_call_is_noted(tmp_path: Path) -> None:
    """Once for all the parts that a player asks for; and that a listener keeps what was heard, though just heard."""
    with capture_logs() as logs:
        async with recorded(tmp_path) as (client, _):
            for path in (*["/calls/k1/recording"] * 3, *["/calls/k1/recording?download"] * 2):
                async with client.get(path, headers={"Range": "bytes=0-99"}) as answer:
                    assert answer.status == 206
            await text_of(client, "/calls/k3/recording", 404)
    acts = [(entry["who"], entry["act"], entry["call"]) for entry in logs if entry["event"] == "console_audit"]
    assert acts == [("local", "heard", "k1"), ("local", "downloaded", "k1")]


async def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """A part behind the end, a file that is gone, a call without a recording."""
    async with recorded(tmp_path) as (client, _):
        await text_of(client, "/calls/k1/recording", 416, headers={"Range": "bytes=99999999-"})
        assert "cannot be read" in await text_of(client, "/calls/k2/recording", 502)
        await text_of(client, "/calls/k3/recording", 404)
        await text_of(client, "/calls/k3/waveforms", 404)


async def test_the_picture_gets_the_shapes_of_both_sides(tmp_path: Path) -> None:
    """For both widths."""
    async with recorded(tmp_path) as (client, _):
        shapes = json.loads(await text_of(client, "/calls/k1/waveforms"))
        assert "cannot be read" in await text_of(client, "/calls/k2/waveforms", 502)
    assert {(name, side) for name, sides in shapes.items() for side in sides} == {
        (name, side) for name in ("wide", "narrow") for side in ("caller", "bot")
    }
    assert all(shape.startswith("M0,") for sides in shapes.values() for shape in sides.values())
