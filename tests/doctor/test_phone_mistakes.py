"""The doctor finds mistakes that were planted at a provider, and names each of them first; no secret is printed."""

import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.sim.phone.rest_api import ApiResponse, SimulatedApi
from tests.doctor.stage import Authority, Examined, Stage, answering
from tests.doctor.test_mistakes import first, voice_live

TOKEN, API_KEY = "planted-auth-token-42", "planted-telnyx-key-42"
PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
NUMBERS = "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json"


@asynccontextmanager
async def at_provider(authority: Authority, stage: Stage) -> AsyncIterator[tuple[str, SimulatedApi]]:
    """A gateway at a public URL, Voice Live behind it, and the APIs of Twilio and Telnyx."""
    async with (
        voice_live(authority, stage),
        answering(200, authority.server()) as public_url,
        SimulatedApi.serving() as api,
    ):
        stage.set(TWILIO_AUTH_TOKEN=TOKEN, TWILIO_ACCOUNT_SID="AC1", TELNYX_API_KEY=API_KEY)
        stage.set(TELNYX_PUBLIC_KEY=PUBLIC_KEY, TWILIO_API_URL=api.url, TELNYX_API_URL=api.url)
        stage.write("gateway.yaml", f"public_url: {public_url}\nproviders: {{twilio: {{}}, telnyx: {{}}}}\n")
        yield public_url, api


def twilio(url: str) -> Callable[[Any], ApiResponse]:
    """Twilio's answer: a number with this webhook."""
    return lambda _: ApiResponse(200, {"incoming_phone_numbers": [{"sid": "PN1", "voice_url": url}]})


def telnyx(api: SimulatedApi, url: str, codecs: list[str]) -> None:
    """Telnyx' answers: a number of an application with this webhook and these codecs."""
    application = {"friendly_name": "bots", "voice_url": url, "inbound": {"codecs": codecs}}
    api.on("GET", "/v2/phone_numbers", lambda _: ApiResponse(200, {"data": [{"connection_id": "77"}]}))
    api.on("GET", "/v2/texml_applications/77", lambda _: ApiResponse(200, {"data": application}))


def without_secrets(found: Examined) -> Examined:
    """What was found, in which no planted secret is printed."""
    assert "planted" not in found.told
    return found


async def test_nothing_is_wrong_at_two_providers(authority: Authority, stage: Stage) -> None:
    """Webhooks and codecs are right; the same for a script."""
    async with at_provider(authority, stage) as (url, api):
        api.on("GET", NUMBERS, twilio(f"{url}/answer/twilio"))
        telnyx(api, f"{url}/answer/telnyx/sales", ["G711U", "G711A"])
        found = without_secrets(await stage.examined("--phone", "twilio", "--phone", "telnyx"))
        for_scripts = without_secrets(await stage.examined("--phone", "twilio", "--json"))
    assert found.faults == []
    assert found.code == 0
    assert json.loads(for_scripts.told)["exit"] == 0


async def test_a_webhook_of_somebody_else(authority: Authority, stage: Stage) -> None:
    """The command that mends it is named; a password in it is not shown."""
    async with at_provider(authority, stage) as (_, api):
        api.on("GET", NUMBERS, twilio("https://me:planted-pass-1@old.example.com/voice?token=planted-t-1"))
        found = without_secrets(await stage.examined("--phone", "twilio"))
    code, name, detail = first(found)
    assert (code, name) == (1, "webhook")
    assert "old.example.com/voice" in detail
    assert found.row("webhook").remedy == "gateway point twilio +14255550100"


@pytest.mark.parametrize(
    ("codecs", "code", "words"),
    [(["G722", "G711U"], 1, "streams in G722 are refused"), (["G711U", "OPUS"], 4, "that come in OPUS are refused")],
)
async def test_a_wrong_codec_at_telnyx(
    authority: Authority, stage: Stage, codecs: list[str], code: int, words: str
) -> None:
    """Calls in it would be refused at their start."""
    async with at_provider(authority, stage) as (url, api):
        telnyx(api, f"{url}/answer/telnyx", codecs)
        found = without_secrets(await stage.examined("--phone", "telnyx"))
    found_code, name, detail = first(found)
    assert (found_code, name) == (code, "codecs")
    assert words in detail


async def test_a_public_url_that_nobody_reaches(authority: Authority, stage: Stage) -> None:
    """Its port is closed."""
    async with at_provider(authority, stage) as (_, api):
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))  # bound, and not listening
            url = f"https://localhost:{held.getsockname()[1]}"
            api.on("GET", NUMBERS, twilio(f"{url}/answer/twilio"))
            stage.write("gateway.yaml", f"public_url: {url}\nproviders: {{twilio: {{}}}}\n")
            found = without_secrets(await stage.examined("--phone", "twilio"))
    code, name, detail = first(found)
    assert (code, name) == (1, "connection")
    assert detail.startswith("port ")
    assert "cannot be reached" in detail


async def test_wrong_credentials_at_the_provider(authority: Authority, stage: Stage) -> None:
    """They are not admitted, and not printed."""
    async with at_provider(authority, stage) as (_, api):
        api.on("GET", NUMBERS, lambda _: ApiResponse(401, {"code": 20003}))
        found = without_secrets(await stage.examined("--phone", "twilio"))
    code, name, detail = first(found)
    assert (code, name) == (1, "credentials")
    assert "401 (20003)" in detail
