"""Who exports."""

import pytest

from gateway.tracing.resource import resource_of


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    monkeypatch.delenv("OTEL_RESOURCE_ATTRIBUTES", raising=False)


def test_a_process_has_a_name_a_version_and_an_id_of_its_own() -> None:
    """Without a word from the environment."""
    first, second = (resource_of().attributes for _ in range(2))
    assert first["service.name"] == "voice-line-gateway"
    assert first["service.version"]
    assert first["service.instance.id"] != second["service.instance.id"]


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its names stand; an instance that several processes share is told apart."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "support-line")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=pod-7,deployment.environment.name=prod")
    attributes = resource_of("31").attributes
    assert attributes["service.name"] == "support-line"
    assert attributes["service.instance.id"] == "pod-7-31"
    assert attributes["deployment.environment.name"] == "prod"
    assert resource_of().attributes["service.instance.id"] == "pod-7"
