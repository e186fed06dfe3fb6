"""Chooses how connections to Voice Live are opened: by the SDK's private names where they are what they were."""

import importlib
from collections.abc import Coroutine
from functools import cache
from urllib.parse import parse_qs, urlsplit

import structlog
from azure.core.credentials import AzureKeyCredential

from gateway.connecting import by_connect
from gateway.connecting.asked import ROUTE, Asked, Open
from gateway.sockets import choice as socket_choice
from gateway.sockets.choice import Way

log = structlog.get_logger()


def opener(wanted: Way) -> tuple[Way, Open]:
    """Return the way that is taken where ``wanted`` is, and what opens connections."""
    if wanted == "public" or socket_choice.lack_of_aiohttp() or lack_of_sdk():
        return "public", by_connect.open_socket
    fast: Open = importlib.import_module("gateway.connecting.by_manager").open_socket
    return "fast", fast


def public_legs(wanted: Way) -> tuple[str, ...]:
    """Return the legs whose sockets use public names alone; log why, where it was not asked for."""
    ways = {"phone": socket_choice.choose_sockets(wanted).way, "voice": opener(wanted)[0]}
    legs = tuple(leg for leg, way in ways.items() if way == "public")
    if legs and wanted == "fast":
        log.warning("sockets_public", legs=legs, detail=socket_choice.lack_of_aiohttp() or lack_of_sdk())
    return legs


@cache
def lack_of_sdk() -> str:
    """Return how the SDK's private names differ from what they were; empty where they do not."""
    try:
        manager = importlib.import_module("azure.ai.voicelive.aio._patch")
        for name in ("_USER_AGENT", "_VoiceLiveConnectionManager"):
            getattr(manager, name)
    except (ImportError, AttributeError) as error:
        return str(error)
    try:
        _try(importlib.import_module("gateway.connecting.by_manager").Handshake)
    except Exception as error:  # noqa: BLE001 -- whatever a later SDK does instead, the other way is taken
        return f"azure-ai-voicelive's connection manager differs: {type(error).__name__}: {error}"
    return ""


def _try(handshake: type) -> None:
    """Prepare an address and headers as for a call. Raises whatever goes wrong."""
    asked = Asked("https://host/root/", "version", AzureKeyCredential("key"), {"extra": "1"}, model="name")
    prepared = handshake(asked)
    parts = urlsplit(prepared.url())
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = (f"{parts.scheme}://{parts.netloc}{parts.path}", query.get("model"), query.get("api-version"))
    expected = (f"wss://host/root{ROUTE}", "name", "version")
    if found != expected or query.get("extra") != "1":
        raise ValueError(f"it prepares {found}, expected {expected}")
    headers = _now(prepared.headers())
    if headers.get("api-key") != "key":
        raise ValueError(f"it prepares the headers {sorted(headers)}, expected api-key")


def _now(coroutine: "Coroutine[object, None, dict[str, str]]") -> dict[str, str]:
    """Return the result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    coroutine.close()
    raise ValueError("it waits for something where a key is given")
