"""The recording of a call: its sound, whole or a part of it, and the shapes of it for the picture."""

import asyncio
from dataclasses import replace

from aiohttp import web
from msgspec import Struct

from gateway.console.access.audit import audit_heard
from gateway.console.pages.call import stored_call_of
from gateway.console.policy import protect
from gateway.console.route import Route
from gateway.console.seen_call import heard_of, playable
from gateway.console.state import Console, console_of
from gateway.console.visitors import Need
from gateway.errors import InputError, StoreError
from gateway.path_segment import segment
from gateway.records.explain.explaining import explain
from gateway.records.explain.page import shown_call
from gateway.records.explain.sound import sound_of
from gateway.records.explain.stored import of_stored
from gateway.records.storing.opening import Store, open_store
from gateway.report import picture
from gateway.report.heard import Heard
from gateway.text import json_bytes


class Span(Struct, frozen=True):
    """A part of a file, from ``start`` up to ``end``."""

    start: int
    end: int
    is_part: bool


def span_of(request: web.Request, size: int) -> Span:
    """Return the part that a request asks for (RFC 9110, 14.2); all of it where several are asked for at once.

    Raises 416 for a part behind the end.
    """
    try:
        asked = request.http_range
    except ValueError:
        return Span(0, size, is_part=False)
    if asked.start is None and asked.stop is None:
        return Span(0, size, is_part=False)
    start = max(0, size + asked.start) if (asked.start or 0) < 0 else asked.start or 0
    end = size if asked.stop is None else min(asked.stop, size)
    if start >= end:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return Span(start, end, is_part=True)


async def recording(request: web.Request) -> web.StreamResponse:
    """Return the sound, or the part of it that the browser asks for; as a file with ``?download``."""
    console, stored = console_of(request), await stored_call_of(request)
    found = playable(stored)
    if found is None:
        raise web.HTTPNotFound
    await audit_heard(request, stored.call.call_key)
    store = _store(console, found.url)
    try:
        return await _sent(request, store, found.url, stored.call.call_key)
    except StoreError as error:
        return web.Response(status=502, text=f"The recording cannot be read: {error}\n")
    finally:
        await store.close()


async def _sent(request: web.Request, store: Store, url: str, key: str) -> web.StreamResponse:
    size = await store.size(url)
    span = span_of(request, size)
    response = web.StreamResponse(status=206 if span.is_part else 200)
    response.headers.update({"Content-Type": "audio/wav", "Accept-Ranges": "bytes"})
    response.content_length = span.end - span.start
    if span.is_part:
        response.headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    if "download" in request.query:
        response.headers["Content-Disposition"] = f'attachment; filename="{segment(f"{key}.wav")}"'
    protect(response.headers)
    blocks = store.read(url, span.start, span.end)
    first = await anext(blocks, b"")  # before the answer begins: a store that fails is an answer of its own
    await response.prepare(request)
    await response.write(first)
    async for block in blocks:
        await response.write(block)
    await response.write_eof()
    return response


def _drawn(heard: Heard) -> bytes:
    widths = {"wide": picture.width_of(heard.duration_ms), "narrow": picture.NARROW_PX}
    shapes = {name: picture.waveforms(heard, width) for name, width in widths.items()}
    return json_bytes({name: {"caller": caller, "bot": bot} for name, (caller, bot) in shapes.items()})


async def waveforms(request: web.Request) -> web.Response:
    """Return the shapes of both channels as JSON; empty for a recording of one channel."""
    console, stored = console_of(request), await stored_call_of(request)
    if playable(stored) is None:
        raise web.HTTPNotFound
    try:
        sound = await sound_of(stored, console.deployment.recordings, console.deployment.file.parent)
    except (StoreError, InputError) as error:
        return web.Response(status=502, text=f"The recording cannot be read: {error}\n")
    if sound is None:
        return web.Response(body=b"{}", content_type="application/json")
    subject, events = of_stored(stored)
    heard = heard_of(shown_call(subject, events, explain(subject, events)).heard, stored)
    shapes = await asyncio.to_thread(_drawn, replace(heard, stereo=sound[0], rate_hz=sound[1]))
    return web.Response(body=shapes, content_type="application/json")


def _store(console: Console, url: str) -> Store:
    return open_store(console.deployment.recordings, console.deployment.file.parent, url)


ROUTES = (
    Route("GET", "/calls/{call}/recording", recording, Need.LISTENER),
    Route("GET", "/calls/{call}/waveforms", waveforms, Need.LISTENER),
)
