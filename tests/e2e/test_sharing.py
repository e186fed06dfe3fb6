"""What is made for sharing holds no secret: the folder of a call, the terminal, the log."""

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog

from gateway.app import serving
from gateway.cli import main
from gateway.cli.call import _call
from gateway.cli.calling import own_gateway as cli_own_gateway
from gateway.cli.emulated_identity import EmulatedIdentity
from gateway.cli.starting.commands import command_line
from gateway.logs import setup as logs
from gateway.logs.redaction import PUBLIC
from gateway.phone.token import StreamTokens
from gateway.sim.emulator import Emulator
from gateway.sim.phone.accounts import Account
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.providers import PROVIDERS, open_account_at
from tests.e2e.rig import LINE, configuration, instant, load
from tests.virtual_time import virtual_time

GOODBYE = Path(__file__).parents[2] / "gateway" / "sim" / "prompts" / "caller" / "goodbye.wav"
ENVIRON = {
    "AZURE_VOICE_LIVE_API_KEY": "planted-azure-key",
    "GATEWAY_STREAM_KEY": "planted-stream-key-0123456789",
    "CRM_TOKEN": "planted-tool-header",
    "CRM_SECRET": "planted-tool-secret-0123456789",
    "MCP_KEY": "planted-mcp-authorization",
}
TOOLS = (
    "tools:\n"
    "  - {name: status, description: Looks up., http: {url: 'http://127.0.0.1:9/', headers: {X-Token: '${CRM_TOKEN}'},"
    " secret: '${CRM_SECRET}'}}\n"
    "  - {mcp: {server_label: crm, server_url: 'https://crm.example.com/mcp', authorization: '${MCP_KEY}',"
    " require_approval: never}}\n"
)
TURNS = ({"call": {"name": "status", "arguments": {}}, "after_call": "It is late."},)


@pytest.fixture(autouse=True)
def told_in_full(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The commands log everything that they can."""
    configure = logs.configure
    monkeypatch.setattr(logs, "configure", lambda **_: configure(json=True, level="debug", private=True))
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    yield
    structlog.reset_defaults()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Every secret of the accounts that are opened and every token that is issued, by a name for the failure."""
    found = dict(ENVIRON)
    issue = StreamTokens.issue

    def opened(provider: str, api: SimulatedApi) -> Account:
        account = open_account_at(provider, api)
        for secrets in (account.settings, account.secrets):
            found.update({f"{provider}.{name}": text for name, text in secrets.items() if name not in PUBLIC})
        return account

    def issued(self: StreamTokens, provider: str, *about: object) -> str:
        token = issue(self, provider, *about)  # type: ignore[arg-type]  # passed on as they came
        found[f"{provider}: a stream's token"] = token
        return token

    monkeypatch.setattr(cli_own_gateway, "open_account_at", opened)
    monkeypatch.setattr(StreamTokens, "issue", issued)
    return found


def traces(text: str, secrets: Mapping[str, str]) -> list[str]:
    """Which secrets stand in a text, in whatever spelling."""
    found = []
    for name, secret in secrets.items():
        inside = base64.b64encode(f"x:{secret}".encode()).decode()[4:-4]  # of Basic credentials, whoever the user is
        spellings = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], inside}
        if any(spelling in text for spelling in spellings):
            found.append(name)
    return found


def written(folder: Path) -> str:
    """Every file of a folder that is text."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".wav"]
    assert {file.name for file in files} >= {"call.json", "events.jsonl", "report.html"}
    return "".join(file.read_text("utf-8") for file in files)


@virtual_time
async def test_calls_at_every_provider_tell_no_secret(
    tmp_path: Path, planted: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither of the provider's account nor of the stream nor of a tool: in no file, on no terminal, in no log."""
    file = configuration(tmp_path, {"support": LINE + TOOLS})
    script = tmp_path / "script.yaml"
    script.write_text(json.dumps({"turns": list(TURNS)}), "utf-8")
    words = ("call", str(GOODBYE), "--config", str(file), "--script", str(script))

    async def call(provider: str) -> str:
        out = tmp_path / provider
        assert await _call(command_line().parse_args([*words, "--provider", provider, "--out", str(out)])) == 0, (
            provider
        )
        return written(out)

    folders = await asyncio.gather(*map(call, PROVIDERS))
    terminal = capsys.readouterr()
    assert '"function_failed"' in terminal.err  # the log is there
    for provider, text in zip(PROVIDERS, folders, strict=True):
        assert "/stream/" in text
        assert traces(text, planted) == [], provider
    assert traces(terminal.out + terminal.err, planted) == []
    assert {name.partition(".")[0].partition(":")[0] for name in planted} - set(ENVIRON) == set(PROVIDERS)


async def test_a_call_by_url_tells_neither_its_user_nor_the_streams_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lasting secret at the end of a static stream's path, and a password in front of the host."""
    secrets = {"secret": "planted-stream-secret", "user": "planted-user", "password": "planted-password"}
    file = configuration(tmp_path, gateway="providers: {twilio: {stream_secret: '${TWILIO_STREAM_SECRET}'}}\n")
    deployment, lines = load(file, {"TWILIO_STREAM_SECRET": secrets["secret"]})
    async with (
        Emulator(instant(vad="audio")) as emulator,
        serving(
            deployment,
            lines,
            endpoint=emulator.endpoint,
            api_key="any",
            identity=EmulatedIdentity(),
            host="127.0.0.1",
        ) as gateway,
    ):
        host = f"{secrets['user']}:{secrets['password']}@{gateway.url.removeprefix('http://')}"
        url = f"ws://{host}/stream/twilio/support/{secrets['secret']}"
        options = command_line().parse_args(["call", str(GOODBYE), "--url", url, "--out", str(tmp_path / "out")])
        assert await _call(options) == 0
    terminal = capsys.readouterr()
    assert traces(written(tmp_path / "out") + terminal.out + terminal.err, secrets) == []


@pytest.mark.parametrize(
    "url",
    [
        "ws://planted-user:planted-password@127.0.0.1:9/stream/twilio/support/planted-secret",
        "http://planted-user:planted-password@127.0.0.1:9",
        "ws://planted-user:planted-password@host:port/stream/twilio/-/planted-secret?token=planted-token",
        "http://127.0.0.1:9/?token=planted-token",
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_gateway_that_cannot_be_reached_is_told_without_secrets(
    provider: str, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the one line of the error."""
    for name in ("AUTH_TOKEN", "API_KEY", "STREAM_SECRET", "CLIENT_SECRET", "WEBHOOK_PASSWORD"):
        monkeypatch.setenv(f"{provider.upper()}_{name}", "cGxhbnRlZC1rZXk=")
    assert main(["call", str(GOODBYE), "--provider", provider, "--url", url]) in (1, 2)
    terminal = capsys.readouterr()
    assert terminal.err
    assert "planted" not in terminal.out + terminal.err
    assert "cGxhbnRlZC1rZXk" not in terminal.out + terminal.err
