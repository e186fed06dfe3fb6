"""The members of a provider's messages and webhooks, as its simulator writes them."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from msgspec import Struct

from gateway.audio.formats import AudioFormat
from gateway.errors import GatewayError, WireError
from gateway.phone.commands import PlayAudio, SendMark, StopPlayback
from gateway.phone.events import WireReply
from gateway.phone.provider import Codec
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import Message, Send, SimCall, StreamOpening, Wire
from gateway.sim.providers import PROVIDERS, open_account
from gateway.tape.form import kind_of
from gateway.tape.rules import PRIVATE

_CALLER, _CALLED = "+14155550123", "+14255550100"
_PARAMETERS = {"call_uuid": "1", "from": _CALLER, "to": _CALLED}
"""The parameters that our answers have the provider send in the first message."""
_URL = "http://gateway.example"
_QUIRKS: Mapping[str, tuple[frozenset[str], ...]] = {"asterisk": (frozenset(), frozenset({"json"}))}
"""Forms in which a provider may speak, beside its usual one."""


class Model(Struct, frozen=True):
    """The messages of a provider's stream by their kind: the paths of the members that its simulator sends."""

    members: Mapping[str, frozenset[str]]
    always: Mapping[str, frozenset[str]]
    """Those of them that each message of the kind has."""
    frame_ms: int


def stream_model(provider: str, new_codec: Callable[[], Codec]) -> Model:
    """Return what the simulator of a provider sends on a stream to the gateway, which answers by ``new_codec``."""
    members: dict[str, set[str]] = {}
    always: dict[str, set[str]] = {}
    frame_ms = 20
    formats = PROVIDERS[provider].audio_formats
    for quirks, audio_format, parameters in product(_QUIRKS.get(provider, (frozenset(),)), formats, ({}, _PARAMETERS)):
        wire = _wire(provider, audio_format, quirks, parameters)
        frame_ms = wire.frame_ms
        for message in _Dialogue(wire, new_codec()).everything():
            if isinstance(message, str):
                kind, paths = shape_of(message)
                members.setdefault(kind, set()).update(paths)
                always[kind] = always.get(kind, paths) & paths
        for message in _wire(provider, audio_format, quirks, None).opening():
            if isinstance(message, str):
                kind, paths = shape_of(message)
                always[kind] = always.get(kind, paths) & paths
    return Model(_frozen(members), _frozen(always), frame_ms)


def _frozen(paths: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {kind: frozenset(each) for kind, each in paths.items()}


def shape_of(message: str) -> tuple[str, set[str]]:
    """Return the kind of a text message, and the paths of its members; in words as Asterisk has them too."""
    if message.startswith("{"):
        read = json.loads(message)
        return kind_of(read) or "start", set(paths_in(read))
    word, *rest = message.split(" ")
    return word, {name for name, is_set, _ in (each.partition(":") for each in rest) if is_set}


def paths_in(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of all members; not of those below a member that is the operator's."""
    if isinstance(value, list):
        for each in value:
            yield from paths_in(each, f"{path}[]")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            where = f"{path}.{name}" if path else str(name)
            yield where
            if name.lower() not in PRIVATE:
                yield from paths_in(inner, where)


def _wire(
    provider: str, audio_format: AudioFormat, quirks: frozenset[str], parameters: Mapping[str, str] | None
) -> Wire:
    """Return a stream's end that begins with ``parameters`` beside the provider's own; ``None`` for none at all."""
    simulated = PROVIDERS[provider]
    call = SimCall(
        to=_CALLED,
        from_=_CALLER,
        call_id=simulated.new_call_id(),
        stream_id=simulated.new_stream_id(),
        audio_format=audio_format,
        quirks=quirks,
    )
    url = f"ws://gateway.example/stream/{provider}"
    if parameters is None:
        return simulated.wire(call, StreamOpening(url))
    opened = simulated.webhook(call, cast(aiohttp.ClientSession, None), None).stream(url)  # it makes no request
    return simulated.wire(call, StreamOpening(url, parameters={**opened.parameters, **parameters}))


class _Dialogue:
    """The simulator and our codec in one short call, so that messages that answer ours are sent as well."""

    def __init__(self, wire: Wire, codec: Codec) -> None:
        self._wire = wire
        self._codec = codec

    def everything(self) -> Iterator[Message]:
        """Yield a message of each kind that the simulator sends by itself, or answers."""
        wire = self._wire
        yield from self._taken(wire.opening())
        yield from self._taken(wire.media(wire.audio_format.silence(wire.frame_ms), 0))
        yield from self._taken(wire.key("5"))
        for is_cleared in (False, True):
            self._say(PlayAudio(wire.audio_format.silence(200)), SendMark("g1-1"))
            yield from self._taken(wire.mark_returned("g1-1", cleared=is_cleared))
        yield from self._taken((*wire.playback_started(), *wire.playback_ended()))
        self._say(StopPlayback())
        yield from self._taken(wire.cleared())
        for second in range(1, 31):
            yield from self._taken(wire.tick(second * 1000, 0.0))
        for orders in (wire.pinged(), wire.overflowed()):
            yield from (message for order in orders if isinstance(order, Send) for message in order.messages)
        yield from self._taken(wire.stop())

    def _taken(self, messages: Sequence[Message]) -> Iterator[Message]:
        """Give messages to our codec, and its replies to the simulator; yield the messages and its answers."""
        for message in messages:
            yield message
            for event in self._codec.decode(message):
                for reply in event.messages if isinstance(event, WireReply) else ():
                    for order in self._wire.parse(reply):
                        if isinstance(order, Send):
                            yield from self._taken(order.messages)

    def _say(self, *commands: PlayAudio | SendMark | StopPlayback) -> None:
        for command in commands:
            for message in self._codec.encode(command):
                self._wire.parse(message)


def webhook_model(provider: str) -> frozenset[str]:
    """Return the names of the fields, and the paths of the members, of the simulator's first webhook; maybe none."""
    return asyncio.run(_first_webhook(provider))


class _CaughtError(Exception):
    """The simulator has sent its webhook."""


class _Catching:
    """Stands for the HTTP client of a simulated provider, and keeps the first request that announces a call."""

    def __init__(self) -> None:
        self.url = ""
        self.data: Any = None

    def request(self, method: str, url: str, *, data: Any = None, **rest: Any) -> Any:
        """Keep a request in place of sending it; answer one that only asks whose address it is (Event Grid)."""
        code = re.search(rb'"validationCode"\s*:\s*"([^"]+)"', data) if isinstance(data, bytes) else None
        if code is not None:
            return _Validated(code[1].decode())
        self.url, self.data = url, data
        raise _CaughtError


class _Validated:
    """The answer to a question whose address it is."""

    status = 200
    content_type = "application/json"

    def __init__(self, code: str) -> None:
        self._code = code

    async def __aenter__(self) -> "_Validated":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """There is nothing to close."""

    async def text(self) -> str:
        """Return the code that proves the address."""
        return json.dumps({"validationResponse": self._code})


async def _first_webhook(provider: str) -> frozenset[str]:
    simulated, caught = PROVIDERS[provider], _Catching()
    account = open_account(provider, _URL)
    call = SimCall(
        to=_CALLED,
        from_=_CALLER,
        call_id=simulated.new_call_id(),
        stream_id=simulated.new_stream_id(),
        audio_format=simulated.audio_formats[0],
        secrets=account.secrets,
        answer_url=f"{_URL}/answer/{provider}",
        status_url=f"{_URL}/status/{provider}",
    )
    async with SimulatedApi.serving() as api:
        webhook = simulated.webhook(call, cast(aiohttp.ClientSession, caught), api)
        with suppress(_CaughtError, GatewayError, WireError):
            await webhook.call_in()
    return frozenset((*fields_of(caught.data), *(name for name, _ in parse_qsl(urlsplit(caught.url).query))))


def fields_of(data: object) -> Iterable[str]:
    """Return the names in a request's body: of a form's fields, or the paths of JSON."""
    if isinstance(data, Mapping):
        return list(data)
    text = data.decode() if isinstance(data, bytes) else str(data or "")
    if text.lstrip().startswith(("{", "[")):
        return list(paths_in(json.loads(text)))
    return [name for name, _ in parse_qsl(text, keep_blank_values=True)]
