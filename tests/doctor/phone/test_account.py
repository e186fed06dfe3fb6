"""An account, seen from its provider's side."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from gateway.config import Lines, load_deployment
from gateway.config.telling.origins import origins
from gateway.doctor.phone.account import Account, account_checked
from gateway.doctor.row import Row
from gateway.sim.phone.rest_api import ApiRefusal, ApiRequest, ApiResponse, SimulatedApi
from tests.doctor.stage import answering

NUMBERS = "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json"
SECRETS = {"TWILIO_AUTH_TOKEN": "planted-token-123", "TWILIO_ACCOUNT_SID": "AC1"}
LINE = 'numbers: ["+14255550100", "*"]\ninstructions: Answer.\n'


@asynccontextmanager
async def gateway_and_api(status: int = 200) -> AsyncIterator[tuple[str, SimulatedApi]]:
    """A public URL that answers so, and Twilio's API."""
    async with answering(status) as public_url, SimulatedApi.serving() as api:
        yield public_url, api


async def rows_of(
    folder: Path, text: str, environ: dict[str, str], name: str = "twilio", line: str = LINE
) -> list[Row]:
    """The rows of an account in this ``gateway.yaml``."""
    (folder / "lines").mkdir()
    (folder / "lines" / "sales.yaml").write_text(line)
    (folder / "gateway.yaml").write_text(text)
    deployment = load_deployment(folder / "gateway.yaml", environ)
    account = Account(name, deployment, list(Lines(deployment)), origins(deployment, ("providers", name)))
    rows: list[Row] = []
    async with aiohttp.ClientSession() as http:
        await account_checked(account, http, time.time, rows.append)
    return rows


def told(rows: list[Row]) -> dict[str, str]:
    """The outcome of each row, but for settings."""
    return {row.name: row.outcome for row in rows if not row.name.startswith("providers.")}


def pointing_at(url: str) -> "ApiResponse":
    """What Twilio says of a number."""
    return ApiResponse(200, {"incoming_phone_numbers": [{"sid": "PN1", "voice_url": url}]})


async def test_an_account_in_order(tmp_path: Path) -> None:
    """Every row is fine, and no secret is in one."""
    async with gateway_and_api() as (url, api):
        api.on("GET", NUMBERS, lambda _: pointing_at(f"{url}/answer/twilio"))
        text = f"public_url: {url}\nproviders: {{twilio: {{api_url: '{api.url}'}}}}\n"
        rows = await rows_of(tmp_path, text, SECRETS)
    steps = ["proof", "name", "connection", "gateway", "clock", "credentials", "webhook"]
    assert told(rows) == dict.fromkeys(steps, "fine")
    assert "providers.twilio.auth_token" in {row.name for row in rows}
    assert not any("planted" in row.detail + row.remedy for row in rows)


async def test_a_proof_that_is_missing(tmp_path: Path) -> None:
    """The variable is named; without credentials nothing is asked."""
    async with gateway_and_api() as (url, api):
        text = f"public_url: {url}\nproviders: {{twilio: {{api_url: '{api.url}'}}}}\n"
        rows = await rows_of(tmp_path, text, {"TWILIO_ACCOUNT_SID": "AC1"})
        assert [request for request in api.requests if request.path != "/"] == []
    row = next(row for row in rows if row.name == "proof")
    assert (row.outcome, row.remedy) == ("failed", "set TWILIO_AUTH_TOKEN")
    assert told(rows)["number"] == "failed"


@pytest.mark.parametrize(("status", "name", "outcome"), [(401, "credentials", "failed"), (500, "number", "unclear")])
async def test_an_api_that_refuses(tmp_path: Path, status: int, name: str, outcome: str) -> None:
    """Credentials are wrong, or it has trouble of its own."""

    def refuse(_: ApiRequest) -> ApiResponse:
        raise ApiRefusal(status)

    async with gateway_and_api() as (url, api):
        api.on("GET", NUMBERS, refuse)
        text = f"public_url: {url}\nproviders: {{twilio: {{api_url: '{api.url}'}}}}\n"
        rows = await rows_of(tmp_path, text, SECRETS)
    assert (rows[-1].name, rows[-1].outcome) == (name, outcome)
    assert str(status) in rows[-1].detail


@pytest.mark.parametrize(("others", "outcome"), [("", "failed"), (", twilio-eu: {provider: twilio}", "failed")])
async def test_a_number_of_nobody(tmp_path: Path, others: str, outcome: str) -> None:
    """The account has none of the numbers."""
    async with gateway_and_api() as (url, api):
        api.on("GET", NUMBERS, lambda _: ApiResponse(200, {"incoming_phone_numbers": []}))
        text = f"public_url: {url}\nproviders: {{twilio: {{api_url: '{api.url}'}}{others}}}\n"
        rows = await rows_of(tmp_path, text, SECRETS)
    assert (rows[-1].name, rows[-1].outcome) == ("number", outcome)


async def test_a_number_of_another_account(tmp_path: Path) -> None:
    """Where the account has one of the numbers, and there is another account."""

    def answer(request: ApiRequest) -> ApiResponse:
        is_ours = request.query["PhoneNumber"] == "+14255550100"
        return pointing_at(f"{url}/answer/twilio") if is_ours else ApiResponse(200, {"incoming_phone_numbers": []})

    async with gateway_and_api() as (url, api):
        api.on("GET", NUMBERS, answer)
        other = f"twilio: {{api_url: '{api.url}'}}, twilio-eu: {{provider: twilio}}"
        line = 'numbers: ["+14255550100", "+442071838750"]\ninstructions: Answer.\n'
        rows = await rows_of(tmp_path, f"public_url: {url}\nproviders: {{{other}}}\n", SECRETS, line=line)
    assert told(rows)["number"] == "fine"
    assert rows[-1].detail == "+442071838750 is not a number of this account; another one may have it"


async def test_a_provider_without_an_api(tmp_path: Path) -> None:
    """It says what must be entered where."""
    async with gateway_and_api(403) as (url, _):
        text = f"public_url: {url}\nproviders: {{exotel: {{stream_secret: '${{SECRET}}'}}}}\n"
        rows = await rows_of(tmp_path, text, {"SECRET": "planted-secret"}, "exotel")
    assert (rows[-1].name, rows[-1].outcome) == ("webhook", "unclear")
    assert f"{url}/answer/exotel" in rows[-1].remedy


async def test_a_gateway_without_a_public_url(tmp_path: Path) -> None:
    """Nothing else is looked at."""
    rows = await rows_of(tmp_path, "providers: {twilio: {}}\n", SECRETS)
    assert (rows[-1].name, rows[-1].outcome) == ("public_url", "configuration")


async def test_lines_without_a_number(tmp_path: Path) -> None:
    """None can be looked up."""
    async with gateway_and_api() as (url, api):
        text = f"public_url: {url}\nproviders: {{twilio: {{api_url: '{api.url}'}}}}\n"
        rows = await rows_of(tmp_path, text, SECRETS, line='numbers: ["*"]\ninstructions: Answer.\n')
    assert (rows[-1].name, rows[-1].outcome) == ("webhook", "unclear")
