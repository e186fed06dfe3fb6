"""The bound and the default of every number of the configuration, in one table."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.config.providers import SECTIONS
from gateway.config.telling.schema import schemas

LINE = {
    "temperature": ("0 to 2", None),
    "max_response_output_tokens": ("1 to 4096", "inf"),
    "Approval.timeout_s": ("above 0 to 120", 20),
    "AzureCustomVoice.temperature": ("0 to 1", None),
    "AzurePersonalVoice.temperature": ("0 to 1", None),
    "AzureStandardVoice.temperature": ("0 to 1", None),
    "AzureSemanticVad.threshold": ("0 to 1", 0.5),
    "AzureSemanticVad.prefix_padding_ms": ("0 to 10000", 420),
    "AzureSemanticVad.silence_duration_ms": ("0 to 10000", 500),
    "AzureSemanticVad.speech_duration_ms": ("0 to 10000", 80),
    "AzureSemanticVad.speech_duration_assistant_speaking_ms": ("0 to 10000", None),
    "ServerVad.threshold": ("0 to 1", 0.5),
    "ServerVad.prefix_padding_ms": ("0 to 10000", 400),
    "ServerVad.silence_duration_ms": ("0 to 10000", 500),
    "ServerVad.speech_duration_ms": ("0 to 10000", 200),
    "BargeIn.min_speech_ms": ("0 to 10000", 0),
    "BargeIn.protect_ms": ("0 to 10000", 0),
    "EndOfUtterance.timeout_ms": ("0 to 10000", 1000),
    "Digits.pause_s": ("above 0 to 60", 2),
    "HttpRequest.timeout_s": ("above 0 to 60", 10),
    "PythonTool.timeout_s": ("above 0 to 60", 10),
    "LineLimits.duration_s": ("10 to 43200", 1800),
    "LineLimits.calls": ("1 or more", None),
    "LineLimits.calls_per_hour": ("1 to 100000", None),
    "LineLimits.caller_calls": ("1 or more", None),
    "LineLimits.caller_calls_per_hour": ("1 to 100000", None),
    "LineLimits.no_audio_s": ("20 to 3600", None),
    "LineLimits.tool_calls": ("1 to 1000", 100),
    "LineLimits.secret_attempts": ("1 to 100", 5),
    "LineRecords.keep_days": ("1 to 36500", None),
    "Receiver.timeout_s": ("1 to 60", 15),
    "Consent.wait_s": ("1 to 60", 5),
    "Recording.keep_days": ("1 to 36500", None),
    "OnTrouble.limit_s": ("above 0 to 120", 20),
    "OnTrouble.tries": ("0 to 20", 6),
    "SecretParameter.length": ("1 to 64", None),
    "SecretParameter.pause_s": ("above 0 to 60", 5),
    "SecretParameter.timeout_s": ("above 0 to 300", 30),
    "Silence.after_s": ("2 to 300", None),
    "Silence.times": ("1 to 10", 2),
    "StaticInterim.latency_threshold_ms": ("0 to 60000", 2000),
    "WrittenInterim.latency_threshold_ms": ("0 to 60000", 2000),
    "WrittenInterim.max_completion_tokens": ("1 or more", 50),
    "WhenFull.wait_s": ("5 to 600", None),
    "WhileWaiting.after_s": ("0 to 60", 1.5),
}
PRICES = (
    "input_text cached_text output_text input_audio cached_audio output_audio output_audio_azure output_audio_custom "
    "input_image cached_image"
)
GATEWAY = {
    **{f"ModelPrices.{name}": ("0 or more", None) for name in PRICES.split()},
    "ProviderPrices.per_minute": ("0 or more", None),
    "DeploymentLimits.calls": ("1 to 100000", 200),
    "DeploymentLimits.watched_calls": ("0 to 100000", 20),
    "DeploymentLimits.connections": ("10 to 100000", 1000),
    "DeploymentLimits.message_kb": ("1 to 4096", 64),
    "DeploymentLimits.start_timeout_s": ("above 0 to 120", 10),
    "Records.keep_days": ("1 to 36500", 90),
    "Records.queue": ("100 to 10000000", 50_000),
    "Console.idle_minutes": ("1 to 1440", 30),
    "Console.session_hours": ("1 to 168", 12),
    "Records.spool_mb": ("1 to 100000", 64),
    "Receiver.timeout_s": ("1 to 60", 15),
    "Recordings.keep_days": ("1 to 36500", None),
    "Recordings.link_s": ("60 to 604800", 3600),
    "Recordings.pending_mb": ("1 to 100000000", 10_000),
    "Recordings.uploads": ("1 to 32", 2),
    "DeploymentWhenFull.wait_s": ("5 to 600", None),
    "gather_ms": ("0 to 5", 2),
    "EndpointLimits.sessions": ("1 to 100000", None),
    "EndpointLimits.sessions_per_minute": ("1 to 60000", None),
    "EndpointSection.priority": ("1 to 100", 1),
    "EndpointSection.weight": ("above 0 to 1000", 1),
    "Listen.port": ("0 to 65535", 8080),
    "Streams.token_ttl_s": ("above 0 to 3600", 60),
    "VoiceLive.open_ahead": ("0 to 1000", 0),
    "OnTroubleOfAll.limit_s": ("above 0 to 120", 20),
    "OnTroubleOfAll.tries": ("0 to 20", 6),
    "VoiceLive.connect_timeout_s": ("above 0 to 60", 10),
    "VoiceLive.session_limit_s": ("60 to 86400", 3600),
}
SIZES = {
    "ConsoleUser.roles": "at least 1",
    "numbers": "at least 1",
    "model": "at least 1",
    "metadata": "at most 14",
    "metadata.propertyNames": "at most 64",
    "metadata.additionalProperties": "at most 512",
    "Afterwards.ends": "at least 1",
    "Hours.open": "at least 1",
    "HttpRequest.secret": "at least 1, at most 2",
    "McpServer.allowed_tools": "at least 1",
    "Parameter.enum": "at least 1",
    "StaticInterim.triggers": "at least 1",
    "StaticInterim.texts": "at least 1",
    "Transcription.phrase_list": "at most 499",
    "WrittenInterim.triggers": "at least 1",
    "VoiceLive.endpoints": "at most 16",
    "Console.gateways": "at most 32",
    "Console.key": "at least 1, at most 2",
    "VoiceLive.model": "at least 1",
    "history": "at most 50",
    "modalities": "at least 1",
    "Streams.key": "at least 1, at most 2",
    "deliver": "at most 8",
    "Receiver.events": "at least 1",
    "Receiver.secret": "at least 1, at most 2",
}


@pytest.mark.parametrize(("kind", "table"), [("line", LINE), ("gateway", GATEWAY)])
def test_each_number_has_its_bound_and_its_default(kind: str, table: dict[str, tuple[str, object]]) -> None:
    """Neither is changed without a look at this table, and a new number stands in it."""
    assert {
        key: (_bound(node), about.get("default"))
        for key, about in _keys(schemas()[kind])
        for node in _within(about)
        if _bound(node)
    } == table


def test_each_list_has_its_size() -> None:
    """How much of something the service takes, and what cannot be empty."""
    found: dict[str, str] = {}
    for kind in ("line", "gateway"):
        for key, about in _keys(schemas()[kind]):
            parts = [(key, node) for node in _within(about)]
            inner = [(f"{key}.{part}", about.get(part)) for part in ("propertyNames", "additionalProperties")]
            parts += [(name, node) for name, node in inner if isinstance(node, dict)]
            found |= {name: size for name, node in parts if (size := _size(node))}
    accounts = {key: size for key, size in found.items() if key not in SIZES}
    assert {key: size for key, size in found.items() if key in SIZES} == SIZES
    assert set(accounts.values()) == {"at least 1, at most 2"}, "of accounts only secrets while they are replaced"
    assert sum(key.endswith(".stream_secret") for key in accounts) == len(SECTIONS)


def _keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from schema["properties"].items()
    for name, section in schema["$defs"].items():
        yield from ((f"{name}.{key}", about) for key, about in section.get("properties", {}).items())


def _within(about: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield about
    for branch in about.get("anyOf", ()):
        yield from _within(branch)


def _bound(node: dict[str, Any]) -> str:
    least = f"{node['minimum']}" if "minimum" in node else ""
    least = f"above {node['exclusiveMinimum']}" if "exclusiveMinimum" in node else least
    return f"{least} to {node['maximum']}" if "maximum" in node else f"{least} or more" if least else ""


def _size(node: dict[str, Any]) -> str:
    least = next((node[key] for key in ("minItems", "minProperties", "minLength") if key in node), None)
    most = next((node[key] for key in ("maxItems", "maxProperties", "maxLength") if key in node), None)
    return ", ".join(f"{word} {n}" for word, n in (("at least", least), ("at most", most)) if n is not None)
