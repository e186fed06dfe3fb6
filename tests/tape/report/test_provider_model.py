import pytest

from gateway.config.providers import settings_of
from gateway.phone import providers
from gateway.phone.provider import Grant, Setup, Upgrade
from gateway.phone.providers import PROVIDERS
from gateway.tape.report.provider_model import fields_of, paths_in, shape_of, stream_model, webhook_model
from tests.kinds import ASKING


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_simulator_tells_what_its_provider_sends(name: str) -> None:
    """A start at least; what each message has is part of what any has."""
    provider = providers.make(name, settings_of(name)(), Setup("", "", lambda: 0.0))
    model = stream_model(name, lambda: provider.codec(Upgrade(), Grant()))
    assert model.members
    assert all(model.always[kind] <= members for kind, members in model.members.items())
    assert any(model.always.values())
    assert model.frame_ms % 20 == 0


def test_a_pong_of_ours_brings_the_next_ping() -> None:
    """Genesys measures the round trip, and says it in the second."""
    provider = providers.make("genesys", settings_of("genesys")(), Setup("", "", lambda: 0.0))
    model = stream_model("genesys", lambda: provider.codec(Upgrade(), Grant()))
    assert "parameters.rtt" in model.members["ping"]
    assert "parameters.rtt" not in model.always["ping"]


@pytest.mark.parametrize("name", ASKING)
def test_each_simulator_tells_its_first_webhook(name: str) -> None:
    """Of a call, and not the question whose address it is."""
    fields = webhook_model(name)
    assert len(fields) >= 4
    assert not any("validation" in field for field in fields)


def test_a_stream_without_webhook_has_none() -> None:
    """There is nothing to compare."""
    assert webhook_model("asterisk") == frozenset()


def test_members_are_told_by_their_paths_but_not_those_of_the_operator() -> None:
    """Arrays as one, words of control by their names."""
    assert set(paths_in({"a": {"b": 1}, "c": [{"d": 1}, {"e": 1}], "customParameters": {"x": 1}})) == {
        "a",
        "a.b",
        "c",
        "c[].d",
        "c[].e",
        "customParameters",
    }
    assert shape_of("MEDIA_START channel:a format:ulaw") == ("MEDIA_START", {"channel", "format"})
    assert shape_of('{"sampleRate":8000}') == ("start", {"sampleRate"})
    assert list(fields_of(b"a=1&b=")) == ["a", "b"]
    assert list(fields_of(b'{"a":{"b":1}}')) == ["a", "a.b"]
