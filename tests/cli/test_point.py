"""``gateway point`` against the providers' APIs, played here as their documents describe them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

import pytest
from aiohttp import web
from pydantic import SecretStr

from gateway.cli import main
from gateway.cli.point import _point
from gateway.cli.starting.commands import command_line
from gateway.config.providers import Plivo, ProviderSettings, SignalWire, Telnyx, Twilio, Vonage, settings_of
from gateway.errors import GatewayError, InputError
from gateway.phone.pointing import ByApi, Pointing, Urls
from gateway.phone.providers import PROVIDERS
from gateway.rest import CallControl
from gateway.served import make_provider

NUMBER = "+14255550100"
ANSWER, STATUS = "https://gw.example.com/answer/x", "https://gw.example.com/status/x"
FALLBACK = "https://static.example.com/sorry.xml"
URLS = Urls(ANSWER, STATUS, FALLBACK)
OLD = "https://old.example.com/voice"


def point(name: str, settings: ProviderSettings) -> Pointing:
    """The pointing of the number."""
    pointing = make_provider(name, settings).pointing
    assert isinstance(pointing, ByApi)
    return pointing.point(NUMBER, URLS)


@asynccontextmanager
async def api(documents: Mapping[str, object]) -> AsyncIterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """An API that answers GETs of these paths, and keeps what is changed."""
    changes: list[tuple[str, str, bytes]] = []

    async def handle(request: web.Request) -> web.Response:
        assert request.headers["Authorization"]
        if request.method != "GET":
            changes.append((request.method, request.path, await request.read()))
            return web.json_response({})
        return web.json_response(documents[request.path])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", changes
    finally:
        await runner.cleanup()


TWILIO = "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers"
SIGNALWIRE = "/api/laml/2010-04-01/Accounts/AC1/IncomingPhoneNumbers"
FOUND = {"incoming_phone_numbers": [{"sid": "PN1", "voice_url": OLD}]}
VOICE = {"webhooks": {"answer_url": {"address": OLD, "http_method": "GET"}}, "region": "eu-west"}


@pytest.mark.parametrize(
    ("provider", "documents", "changed", "sent"),
    [
        ("twilio", {f"{TWILIO}.json": FOUND}, ("POST", f"{TWILIO}/PN1.json"), b"VoiceMethod=POST"),
        ("signalwire", {f"{SIGNALWIRE}.json": FOUND}, ("POST", f"{SIGNALWIRE}/PN1.json"), b"VoiceMethod=POST"),
        (
            "telnyx",
            {
                "/v2/phone_numbers": {"data": [{"connection_id": "77"}]},
                "/v2/texml_applications/77": {"data": {"friendly_name": "bots", "voice_url": OLD}},
            },
            ("PATCH", "/v2/texml_applications/77"),
            b'"friendly_name":"bots"',
        ),
        (
            "plivo",
            {
                "/v1/Account/AC1/Number/14255550100/": {"application": "/v1/Account/AC1/Application/5/"},
                "/v1/Account/AC1/Application/5/": {"app_name": "bots", "answer_url": OLD},
            },
            ("POST", "/v1/Account/AC1/Application/5/"),
            b'"answer_method":"POST"',
        ),
        (
            "vonage",
            {
                "/account/numbers": {"numbers": [{"msisdn": "14255550100", "app_id": "app-1"}]},
                "/v2/applications/app-1": {"name": "bots", "capabilities": {"voice": VOICE, "rtc": {}}},
            },
            ("PUT", "/v2/applications/app-1"),
            b'"region":"eu-west"',
        ),
    ],
)
async def test_a_number_is_found_and_pointed(
    provider: str, documents: Mapping[str, object], changed: tuple[str, str], sent: bytes
) -> None:
    """What it points to now is read first; the change keeps what is not ours to change."""
    async with api(documents) as (url, changes), CallControl() as control:
        settings = {
            "twilio": Twilio.model_construct(account_sid="AC1", auth_token=None, api_url=url),
            "signalwire": SignalWire.model_construct(project_id="AC1", api_token=None, api_url=url),
            "telnyx": Telnyx.model_construct(api_key=None, api_url=url),
            "plivo": Plivo.model_construct(auth_id="AC1", auth_token=None, api_url=url),
            "vonage": Vonage.model_construct(
                application_id="app-1", api_key="k", api_secret=None, api_url=url, rest_url=url
            ),
        }[provider]
        for secret in ("auth_token", "api_token", "api_key", "api_secret"):
            if hasattr(settings, secret) and getattr(settings, secret) is None:
                object.__setattr__(settings, secret, SecretStr("s3cret"))
        change = await control.follow(point(provider, settings))
        assert (change.before, change.after) == (OLD, ANSWER)
        assert changes == []
        await control.perform([change.request])
    ((method, path, body),) = changes
    assert (method, path) == changed
    assert sent in body
    told = unquote(body.decode())
    assert ANSWER in told
    assert FALLBACK in told


async def test_a_number_of_somebody_else() -> None:
    """A number that the account has not is told, and nothing is changed."""
    async with api({f"{TWILIO}.json": {"incoming_phone_numbers": []}}) as (url, changes), CallControl() as control:
        settings = Twilio.model_construct(account_sid="AC1", auth_token=SecretStr("t"), api_url=url)
        with pytest.raises(InputError, match="is not a number of this account"):
            await control.follow(point("twilio", settings))
    assert changes == []


@pytest.mark.parametrize(
    "answer",
    [[], {"incoming_phone_numbers": {}}, {"incoming_phone_numbers": 7}, {"incoming_phone_numbers": [{}]}],
    ids=str,
)
async def test_an_answer_of_another_shape_is_told(answer: object) -> None:
    """Never as a traceback."""
    async with api({f"{TWILIO}.json": answer}) as (url, changes), CallControl() as control:
        settings = Twilio.model_construct(account_sid="AC1", auth_token=SecretStr("t"), api_url=url)
        with pytest.raises(GatewayError):
            await control.follow(point("twilio", settings))
    assert changes == []


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A deployment that is reached at gw.example.com."""
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "gateway.yaml"
    file.write_text("public_url: https://gw.example.com\nproviders: {twilio: {}}\n")
    return str(file)


def test_what_cannot_be_pointed_is_told_by_hand(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no API, the command says what to enter where."""
    assert main(["point", "jambonz", NUMBER, "--config", config]) == 0
    assert "https://gw.example.com/answer/jambonz" in capsys.readouterr().out


def test_an_account_is_pointed_by_its_name(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its routes and its variables have its name; what it needs is looked for there and nowhere else."""
    text = "{twilio: {}, twilio-eu: {provider: twilio}, pbx: {provider: acs, stream_secret: '${HOME}'}}"
    Path(config).write_text(f"public_url: https://gw.example.com\nproviders: {text}\n", "utf-8")
    assert main(["point", "twilio-eu", NUMBER, "--config", config]) == 2
    assert "TWILIO_EU_ACCOUNT_SID is not set" in capsys.readouterr().err
    assert main(["point", "pbx", NUMBER, "--config", config]) == 0
    assert "https://gw.example.com/answer/pbx?secret=<PBX_STREAM_SECRET>" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["twillio", NUMBER], "twillio is neither a provider nor an account in"),
        (["twilio", "4255550100"], "not a number in international format"),
        (["twilio", NUMBER], "TWILIO_ACCOUNT_SID is not set"),
        (["twilio", "+1 (425) 555-0100"], "TWILIO_ACCOUNT_SID is not set"),
        (["twilio", "tel:+1-425-555-0100"], "TWILIO_ACCOUNT_SID is not set"),
    ],
)
def test_wrong_input_is_told(config: str, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    """One line on standard error, exit code 2."""
    assert main(["point", *arguments, "--config", config]) == 2
    assert says in capsys.readouterr().err


def test_the_providers_that_are_pointed_by_their_api() -> None:
    """All others say what to enter where."""
    by_api = {name for name in PROVIDERS if isinstance(make_provider(name, settings_of(name)()).pointing, ByApi)}
    assert by_api == {"plivo", "signalwire", "telnyx", "twilio", "vonage"}


async def test_what_a_number_points_at_is_shown_without_its_password(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Providers take a user and a password in a webhook's URL, and tell both to whoever asks."""
    found = {"incoming_phone_numbers": [{"sid": "PN1", "voice_url": "https://me:pass-word@old.example.com/?token=t0"}]}
    async with api({f"{TWILIO}.json": found}) as (url, changes):
        for name, value in (("ACCOUNT_SID", "AC1"), ("AUTH_TOKEN", "t"), ("API_URL", url)):
            monkeypatch.setenv(f"TWILIO_{name}", value)
        assert (
            await _point(command_line().parse_args(["point", "twilio", NUMBER, "--config", config, "--dry-run"])) == 0
        )
    assert changes == []
    assert "before: https://…@old.example.com/?token=…\n" in capsys.readouterr().out


def serving(config: str, provider: str) -> None:
    """Write a deployment that serves this provider."""
    Path(config).write_text(f"public_url: https://gw.example.com\nproviders: {{{provider}: {{}}}}\n", "utf-8")


async def test_codecs_that_cannot_be_used_are_told(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls in them would be refused at their start; an application without codecs says nothing."""
    application = {"friendly_name": "bots", "inbound": {"codecs": ["G722", "G711U"]}}
    documents: dict[str, object] = {
        "/v2/phone_numbers": {"data": [{"connection_id": "77"}]},
        "/v2/texml_applications/77": {"data": application},
    }
    serving(config, "telnyx")
    arguments = ["point", "telnyx", NUMBER, "--config", config, "--dry-run"]
    async with api(documents) as (url, _):
        for name, value in (("API_KEY", "k"), ("API_URL", url)):
            monkeypatch.setenv(f"TELNYX_{name}", value)
        assert await _point(command_line().parse_args(arguments)) == 0
        told = capsys.readouterr().out
        application["inbound"] = {}
        assert await _point(command_line().parse_args(arguments)) == 0
    assert "codecs: G722 cannot be used: set them to G711U and G711A alone\n" in told
    assert "codecs" not in capsys.readouterr().out
