"""Warns of settings that are allowed but may not be intended, for ``gateway check`` and ``gateway serve``."""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from gateway.config.api_versions import (
    DEFAULT_API_VERSION,
    FIRST_GENERAL,
    MCP_SINCE,
    RESPONSE_SINCE,
    SESSION_SINCE,
    newer_members,
)
from gateway.config.checks.delivery_warnings import delivery_warnings
from gateway.config.checks.line_warnings import line_warnings, model_warning
from gateway.config.checks.secret_warnings import secret_warnings
from gateway.config.deployment import Deployment
from gateway.config.endpoints import EndpointSection
from gateway.config.line.agent import AGENTS_HOST, OLD_HOST
from gateway.config.line.line import Line
from gateway.config.line.models import engine_of, is_known, models_of
from gateway.config.line.tools import McpTool
from gateway.config.line.turns import VoiceActivity
from gateway.config.numbers import ANY_NUMBER
from gateway.config.reading.problems import listed

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 -- nothing listens there on their account
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def warnings(deployment: Deployment, lines: Iterable[Line]) -> list[str]:
    """Return one sentence for each warning, those of the lines first."""
    known = list(lines)
    found = [warning for line in known for warning in line_warnings(line)]
    found += [*_numbers(deployment, known), *_providers(deployment), *secret_warnings(deployment)]
    found += [*delivery_warnings(deployment, known), *_recordings(deployment, known)]
    return [*found, *_console(deployment), *_service(deployment, known)]


def _console(deployment: Deployment) -> Iterator[str]:
    console = deployment.console
    if console.key is not None and not console.gateways and deployment.listen.private is None:
        yield "console.key: no console sees the calls by it, expected listen.private, where they are shown"


def _recordings(deployment: Deployment, lines: Sequence[Line]) -> Iterator[str]:
    if not deployment.records.enabled:
        for line in lines:
            if line.settings.recording:
                yield f"{line.name}: recording: nothing is recorded, because records: false keeps no row to find it by"


def _numbers(deployment: Deployment, lines: Sequence[Line]) -> Iterator[str]:
    if not any(ANY_NUMBER in line.settings.numbers for line in lines):
        yield 'no line takes "*": calls to numbers that no line names are turned away'
    if any(section.region for section in deployment.providers.accounts.values()):
        return
    for line in lines:
        for index, number in enumerate(line.settings.numbers):
            if number.startswith("0") and not line.settings.region:
                yield (
                    f"{line.name}: numbers[{index}]: {number} has no country code, so that no other spelling of it is "
                    "known: expected a region for the line or the provider"
                )


def _providers(deployment: Deployment) -> Iterator[str]:
    if not deployment.providers.served:
        yield "providers: none is named, so no call can come in"
    elif deployment.public_url is None:
        yield "public_url: not set, so webhooks are refused: their signatures cannot be checked"
    if deployment.public_url:
        yield from _public_url(deployment.public_url)
    for name, section in deployment.providers.accounts.items():
        for key in section.proofs:
            if not getattr(section, key):
                refused = section.refused_without.get(key, f"what {name} sends is refused")
                yield f"providers.{name}.{key}: not set, so {refused}: nothing proves where it comes from"


def _public_url(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.path:
        yield (
            f"public_url: has the path {parts.path}, which the proxy in front must take away: "
            f"{parts.path}/answer/… has to arrive here as /answer/…"
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        yield "public_url: is not encrypted, expected https://: providers open streams by wss:// alone"
    if parts.hostname in _EVERY_ADDRESS:
        yield f"public_url: nobody reaches {parts.hostname}, expected the host name under which others see this machine"


def _service(deployment: Deployment, lines: Sequence[Line]) -> Iterator[str]:
    service = deployment.voice_live
    if service.endpoints:
        for index, one in enumerate(service.endpoints):
            yield from _endpoint(f"voice_live.endpoints[{index}].endpoint", one.endpoint, lines)
        yield from _models_there(service.endpoints, lines)
    elif service.endpoint is None:
        yield "voice_live.endpoint: not set, so calls need the emulator"
    else:
        yield from _endpoint("voice_live.endpoint", service.endpoint, lines)
    for model in models_of(service.model):
        if warning := model_warning(model):
            yield f"voice_live.model: {warning}"
    yield from _api_version(service.api_version)
    uses_mcp = any(isinstance(tool, McpTool) for line in lines for tool in line.settings.tools)
    if uses_mcp and service.api_version < MCP_SINCE:
        yield f"voice_live.api_version: MCP servers need {MCP_SINCE} or later"
    if service.api_version < FIRST_GENERAL:
        yield from _without_levels(service.api_version, lines)
    if deployment.streams.auth == "off":
        yield "streams.auth: off, whoever knows the address of the media stream can start a call"


def _endpoint(key: str, endpoint: str, lines: Sequence[Line]) -> Iterator[str]:
    if endpoint.startswith(("http://", "ws://")):
        yield f"{key}: is not encrypted, which only an emulator may be"
    if path := urlsplit(endpoint).path.strip("/"):
        yield f"{key}: has the path /{path}, expected the resource's address without one"
    host = urlsplit(endpoint).hostname or ""
    agents = [line.name for line in lines if line.settings.agent is not None]
    if agents and host.endswith(OLD_HOST):
        yield (
            f"{key}: {host} takes no agents, as {listed(agents)} has: expected "
            f"{host.removesuffix(OLD_HOST)}{AGENTS_HOST}"
        )


def _models_there(endpoints: Sequence[EndpointSection], lines: Sequence[Line]) -> Iterator[str]:
    """Yield the lines that no endpoint can answer, and models whose name at an endpoint is one of another kind."""
    for line in lines:
        wanted = set(line.models)
        if all(one.models is not None and not wanted & one.models.keys() for one in endpoints):
            named = ", ".join(line.models) or "an agent"
            yield f"{line.name}: model: no entry of voice_live.endpoints has {named}, so its calls find none"
    for index, one in enumerate(endpoints):
        for model, there in (one.models or {}).items():
            if is_known(there) and engine_of(model) is not engine_of(there):
                yield f"voice_live.endpoints[{index}].models.{model}: {there} takes other settings than {model}"


def _without_levels(version: str, lines: Sequence[Line]) -> Iterator[str]:
    """Yield the lines whose end of utterance has a level, which the first preview does not know."""
    for line in lines:
        turns = line.settings.turn_detection
        judge = turns.end_of_utterance_detection if isinstance(turns, VoiceActivity) else None
        if judge and judge.threshold_level != "default":
            yield (
                f"{line.name}: turn_detection.end_of_utterance_detection.threshold_level: {judge.threshold_level} "
                f"is not sent, because version {version} does not know it; expected {FIRST_GENERAL} or later"
            )


def _api_version(version: str) -> Iterator[str]:
    if version > DEFAULT_API_VERSION:
        yield f"voice_live.api_version: {version} is newer than {DEFAULT_API_VERSION}, which the gateway is made for"
    if version >= DEFAULT_API_VERSION:
        return
    older = f"voice_live.api_version: {version} is older than {DEFAULT_API_VERSION}, which the gateway is made for"
    newer = [*newer_members(version, SESSION_SINCE)]
    newer += [f"{member} of a response" for member in newer_members(version, RESPONSE_SINCE)]
    yield f"{older}; it does not know {', '.join(newer)}, which are not sent" if newer else older
