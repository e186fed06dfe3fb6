"""Compares the lines' settings with the capabilities of the served providers, for ``gateway check``."""

from collections.abc import Iterable, Iterator

from gateway.addresses import is_sip
from gateway.config import Deployment, Line
from gateway.config.full import DeploymentWhenFull, WhenFull
from gateway.config.providers import ProviderSettings
from gateway.config.session_formats import is_converted
from gateway.config.telling.describe_actions import wants_keys
from gateway.path_segment import segment
from gateway.phone.provider import Grant, Provider
from gateway.phone.token import StreamTokens
from gateway.served import make_provider, usual_format

LONGEST_ADDRESS = 500
"""Characters of a stream's address that every provider is known to take."""
_CALL_ID_LENGTH = 64
"""Characters of a call's id: more than most providers' ids have."""


def capability_warnings(deployment: Deployment, lines: Iterable[Line]) -> list[str]:
    """Return one sentence for each thing that a line asks for and a served provider cannot do."""
    known = list(lines)
    found: list[str] = []
    made = []
    for name, section in deployment.providers.accounts.items():
        provider = make_provider(name, section, deployment.public_url or "https://gateway.invalid")
        made.append(provider)
        found += _of_the_provider(provider, section, known)
        found += [f"{line.name}: {warning}" for line in known for warning in _of_a_line(provider, line)]
        found += [f"{line.name}: {warning}" for line in known for warning in _of_a_full_line(provider, line)]
        found += [f"{warning}" for warning in _of_when_full(provider, deployment.when_full)]
        found += [f"{line.name}: {warning}" for line in known for warning in _of_a_voice(provider, section, line)]
        if public_url := deployment.public_url:
            found += [
                f"{line.name}: {warning}" for line in known for warning in _of_an_address(provider, public_url, line)
            ]
    if not made or any(provider.traits.transfers_after for provider in made):
        found += [f"{line.name}: {warning}" for line in known for warning in _of_failures(line)]
    return found


def _of_failures(line: Line) -> Iterator[str]:
    """Yield what is missing for callers whose call fails, if a provider could do something for them."""
    if "on_failure" in line.following:
        return
    if "after" in line.following:
        yield "on_failure is not set: after does not follow a call that fails, and its caller is hung up on"
    else:
        yield "neither on_failure nor after is set: when the bot cannot go on, its caller is hung up on without a word"


def _of_the_provider(provider: Provider, section: ProviderSettings, lines: list[Line]) -> Iterator[str]:
    """Yield what an account cannot do because a key of its REST API is not set."""
    traits, commands, name = provider.traits, provider.commands, f"providers.{provider.name}"
    keys = [key for key in section.rest if not getattr(section, key)]
    missing = f"{' and '.join(keys)} {'are' if len(keys) > 1 else 'is'} not set"
    if traits.hang_up.startswith("REST") and "closing" not in traits.hang_up and commands is None:
        yield f"{name}: {missing}, so that calls cannot be ended from here"
    wanted = any(line.settings.transfers for line in lines) or any(
        line.number_of(one) for line in lines for one in line.following.values()
    )
    if wanted and traits.transfer.startswith("REST") and (commands is None or commands.transfer is None):
        yield f"{name}: {missing}, so that calls cannot be transferred"


def _of_a_line(provider: Provider, line: Line) -> Iterator[str]:
    settings, traits, title = line.settings, provider.traits, provider.traits.title
    if "send_digits" in settings.tools and not traits.keys_out:
        yield f"tools: send_digits: {title} dials no digits"
    for key, targets in _transfers(line):
        if not traits.transfer:
            yield f"{key}: {title} transfers no calls while they are here"
        elif "to numbers" in traits.transfer:
            yield from (f"{key}: {title} transfers to numbers alone, found {to}" for to in targets if is_sip(to))
    if not traits.keys_in:
        yield from (f"{key}: {title} does not report the keys that the caller presses" for key in wants_keys(line))
    for key, wanted in line.following.items():
        to = line.number_of(wanted)
        if wanted.say and not traits.says_after:
            yield f"{key}.say: {title} does not say it"
        if to and not traits.transfers_after:
            yield f"{key}.transfer: {title} does not do it"
        elif "to numbers" in traits.transfer and is_sip(to):
            yield f"{key}.transfer: {title} transfers to numbers alone, found {to}"


def _of_a_full_line(provider: Provider, line: Line) -> Iterator[str]:
    """Yield what of the line's answer to a call without room a provider cannot do."""
    if line.settings.when_full is not None:
        yield from _of_when_full(provider, line.settings.when_full)


def _of_when_full(provider: Provider, full: WhenFull | DeploymentWhenFull) -> Iterator[str]:
    traits, title = provider.traits, provider.traits.title
    wanted = (("say", full.say, "say"), ("transfer", full.transfer, "transfer"), ("wait_s", full.wait_s, "wait"))
    for key, value, ability in wanted:
        if value and ability not in traits.when_full:
            yield f"when_full.{key}: {title} does not do it for a call that is not taken"


def _of_an_address(provider: Provider, public_url: str, line: Line) -> Iterator[str]:
    """Yield that the address of the line's streams, with a usual token in it, may be too long for a provider."""
    if not public_url or provider.webhooks is None:
        return
    grant = Grant(line.name, "c" * _CALL_ID_LENGTH, "+" + "1" * 15, "+" + "1" * 15)
    token = StreamTokens("key", 60).issue(provider.name, grant, 0)
    address = f"{public_url.replace('http', 'ws', 1)}/stream/{provider.name}/{segment(line.name)}/{token}"
    if len(address) > LONGEST_ADDRESS:
        yield (
            f"the address of its streams at {provider.traits.title} has about {len(address)} characters, and some "
            f"providers take no more than {LONGEST_ADDRESS}: shorten public_url, or the name of the line or the account"
        )


def _of_a_voice(provider: Provider, section: ProviderSettings, line: Line) -> Iterator[str]:
    """Yield that a voice is converted for the provider's streams, which costs time and quality."""
    audio_format, voice = usual_format(provider, section), line.settings.voice
    if line.settings.agent is None and is_converted(audio_format, voice):
        remedy = (
            f"; providers.{provider.name}.rate_hz: 24000 needs none" if "rate_hz" in type(section).model_fields else ""
        )
        rates = f"{voice.name} comes at 24 kHz and is converted for {provider.traits.title}'s {audio_format}"
        yield f"voice: {rates}{remedy}"


def _transfers(line: Line) -> Iterator[tuple[str, list[str]]]:
    """Yield each setting that transfers a call while its stream is open, and its destination."""
    settings = line.settings
    named = {name: target.to for name, target in settings.transfers.items()}
    if "transfer_call" in settings.tools:
        yield "tools: transfer_call", list(named.values())
    for key, action in settings.on_key.items():
        if action.transfer:
            yield f"on_key.{key}", [named[action.transfer]]
    if settings.hours and settings.hours.closed.transfer:
        yield "hours.closed.transfer", [named[settings.hours.closed.transfer]]
    if settings.on_shutdown and settings.on_shutdown.transfer:
        yield "on_shutdown.transfer", [line.number_of(settings.on_shutdown)]
