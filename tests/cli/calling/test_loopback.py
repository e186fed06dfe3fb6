"""What is made for a test call on this machine, and what is left as it is set."""

import asyncio
import shlex
from pathlib import Path

import pytest

from gateway.app import serving
from gateway.cli.call import _call, _secrets
from gateway.cli.calling.loopback import CALLER, is_loopback, loopback
from gateway.cli.starting.commands import command_line
from gateway.config import Deployment, Lines, load_deployment
from gateway.config.providers import Providers, settings_of
from gateway.config.secrets import values_of
from gateway.sim.emulator import Emulator
from gateway.sim.providers import PROVIDERS
from tests.e2e.rig import NUMBER, configuration, instant


def deployment(tmp_path: Path, gateway: str, **environ: str) -> Deployment:
    """The configuration, as ``serve`` reads it."""
    return load_deployment(configuration(tmp_path, gateway=gateway), environ)


def command(served: Deployment, host: str = "127.0.0.1") -> list[str]:
    """What is printed, in words."""
    with loopback(served, host, 0) as test:
        told = test.told(Lines(served))
    return shlex.split(next((line for line in told.splitlines() if line.strip().startswith("gateway call")), ""))


@pytest.mark.parametrize("provider", [name for name in Providers.model_fields if not PROVIDERS[name].commanded])
def test_every_provider_gets_the_proofs_that_the_caller_makes(tmp_path: Path, provider: str) -> None:
    """Both ends make them of the key in the printed command; ``gateway call`` takes that command."""
    served = deployment(tmp_path, f"providers: {{{provider}: {{}}}}\n")
    with loopback(served, "127.0.0.1", 0) as test:
        words = shlex.split(test.told(Lines(served)).splitlines()[-1])
        options = command_line().parse_args(words[1:])
        known = _secrets(options.provider, provider, options.test_key)
        section = getattr(test.deployment.providers, provider)
        assert options.url == test.deployment.public_url
        assert options.to == NUMBER
    assert options.provider == provider
    for name in settings_of(provider).proofs:
        made = getattr(section, name)
        assert made, name
        if name != "public_key":  # the caller has the private one
            assert values_of(made) == (known[name],), name


async def test_the_command_calls_the_gateway_of_every_provider(tmp_path: Path) -> None:
    """As it is printed, but for a shorter caller: the call is taken, answered and kept."""

    async def call(provider: str) -> int:
        served = deployment(tmp_path / provider, f"providers: {{{provider}: {{}}}}\n")
        lines = Lines(served)
        async with Emulator(instant(vad="audio")) as emulator:
            with loopback(served, "127.0.0.1", 0) as test:
                words = shlex.split(test.told(lines).splitlines()[-1])[1 : -len(CALLER)]
                options = command_line().parse_args([*words, "goodbye", "--out", str(tmp_path / provider / "out")])
                async with serving(
                    test.deployment, lines, endpoint=emulator.endpoint, api_key="x", listener=test.listener
                ):
                    return await _call(options)

    called = [provider for provider in Providers.model_fields if not PROVIDERS[provider].commanded]
    codes = await asyncio.gather(*map(call, called))
    assert dict(zip(called, codes, strict=True)) == dict.fromkeys(called, 0)


def test_what_is_set_is_kept(tmp_path: Path) -> None:
    """A public URL and an account of the operator's own are not replaced: a tunnel may lead here."""
    served = deployment(
        tmp_path, "public_url: https://voice.example.com\nproviders: {twilio: {}}\n", TWILIO_AUTH_TOKEN="mine"
    )
    words = command(served)
    assert words[:6] == ["gateway", "call", "--url", "https://voice.example.com", "--to", NUMBER]
    assert "--test-key" not in words
    with loopback(served, "127.0.0.1", 0) as test:
        assert test.deployment.providers == served.providers


def test_an_account_under_a_name_is_called_from_anywhere(tmp_path: Path) -> None:
    """The command brings the configuration that says whose account it is."""
    served = deployment(tmp_path, "providers: {telnyx-eu: {provider: telnyx}}\n")
    options = command_line().parse_args(command(served)[1:])
    assert (options.provider, options.config) == ("telnyx-eu", (tmp_path / "gateway.yaml").resolve())
    named = deployment(tmp_path, "providers: {telnyx-eu: {provider: telnyx}, plivo: {}}\n")
    assert command_line().parse_args(command(named)[1:]).provider == "plivo"


def test_two_starts_have_nothing_in_common(tmp_path: Path) -> None:
    """A web page that guesses yesterday's credentials finds others."""
    served = deployment(tmp_path, "providers: {twilio: {}}\n")
    first, second = command(served), command(served)
    assert first[first.index("--test-key") + 1] != second[second.index("--test-key") + 1]


def test_without_a_provider_there_is_one_to_try(tmp_path: Path) -> None:
    """The gateway would take no call otherwise."""
    assert command(deployment(tmp_path, ""))[:3] == ["gateway", "call", "--url"]


def test_a_provider_that_cannot_be_played_from_outside_is_told(tmp_path: Path) -> None:
    """And no command that would fail."""
    served = deployment(tmp_path, "providers: {acs: {}}\n")
    assert command(served) == []
    with loopback(served, "127.0.0.1", 0) as test:
        assert "No call" in test.told(Lines(served))


def test_the_address_is_written_as_a_url_has_it(tmp_path: Path) -> None:
    """An IPv6 address stands in brackets."""
    assert command(deployment(tmp_path, ""), "::1")[3].startswith("http://[::1]:")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("host", False)],  # noqa: S104 -- the one that must not count
)
def test_only_this_machine(host: str, expected: bool) -> None:
    """Whatever others may reach gets no credentials that are printed."""
    assert is_loopback(host) is expected
