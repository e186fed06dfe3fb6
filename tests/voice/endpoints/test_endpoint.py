"""An endpoint as the pool sees it."""

from gateway.fleet.sessions import Quota
from gateway.voice.bot import Agent, Model
from gateway.voice.endpoints.endpoint import Endpoint


def test_an_endpoint_with_models_answers_those_alone_under_their_names_there() -> None:
    """Without models it answers everything, agents too."""
    some = Endpoint("west", models={"gpt-realtime": "realtime-west"})
    assert some.answers(Model("gpt-realtime"))
    assert not some.answers(Model("gpt-4.1"))
    assert not some.answers(Agent("desk", "contoso"))
    assert some.named_here(Model("gpt-realtime")) == Model("realtime-west")
    everything = Endpoint("east")
    assert everything.answers(Agent("desk", "contoso"))
    assert everything.named_here(Model("gpt-4.1")) == Model("gpt-4.1")


def test_its_limits_are_its_quota() -> None:
    """By its name."""
    assert Endpoint("west", sessions=3, sessions_per_minute=7).quota == Quota("west", 3, 7)
