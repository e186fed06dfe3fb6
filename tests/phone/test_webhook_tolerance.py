"""What every webhook of JSON takes without turning the call away: members that nobody needs, of any shape."""

import json
from typing import Any

import pytest

from gateway.config.providers import settings_of
from gateway.phone.provider import Provider
from gateway.phone.webhook import IncomingCall, WebhookRequest
from gateway.served import make_provider
from tests.conformance.own import golden_bodies
from tests.conformance.wires import GONE, NUMBERS, SHAPES, changed, places
from tests.phone.parts import webhooks
from tests.phone.providers.acs.test_provider import provider as acs

WEBHOOKS = golden_bodies("ANNOUNCED")
"""The announcement of a call by JSON, and the places of what it needs."""
STATUSES = golden_bodies("ENDED")
"""A status callback that tells the end of a call."""


def provider_of(name: str) -> Provider:
    """The provider; calls can be answered."""
    return acs() if name == "acs" else make_provider(name, settings_of(name)())


def posted(body: object) -> WebhookRequest:
    """A webhook."""
    return WebhookRequest("POST", "https://gw.example.com/answer/x", {}, body=json.dumps(body).encode())


def changes(message: dict[str, Any], needed: set[str]) -> list[dict[str, Any]]:
    """The message with each member that is not needed in every odd shape."""
    free = [place for place in places(message) if place not in needed]
    return [changed(message, place, value) for place in free for value in (GONE, *SHAPES, *NUMBERS)]


@pytest.mark.parametrize("provider", WEBHOOKS)
def test_a_call_is_taken_without_what_nobody_needs(provider: str) -> None:
    """Without a number as well: the line may be named by the path."""
    for body in changes(*WEBHOOKS[provider]):
        assert isinstance(webhooks(provider_of(provider)).incoming(posted(body)), IncomingCall), body


@pytest.mark.parametrize("provider", STATUSES)
def test_a_status_is_read_without_what_nobody_needs(provider: str) -> None:
    """The call has ended, whatever else the callback says."""
    for body in changes(*STATUSES[provider]):
        (status,) = webhooks(provider_of(provider)).status(posted(body))
        assert status.ended, body


def member(body: Any, place: str) -> str:
    """The text at a place; empty for anything else."""
    for part in place.split("."):
        body = body[int(part) if part.isdigit() else part]
    return body if isinstance(body, str) else ""


@pytest.mark.parametrize("provider", WEBHOOKS)
def test_numbers_without_quotes_are_numbers_too(provider: str) -> None:
    """Some write a telephone number as a number."""
    body, _ = WEBHOOKS[provider]
    made = webhooks(provider_of(provider))
    announced = made.incoming(posted(body))
    assert isinstance(announced, IncomingCall)
    numbers = {announced.caller: 14155550123, announced.called: 14255550100}
    for place in list(places(body)):
        if (written := member(body, place)) in numbers:
            body = changed(body, place, numbers[written])
    call = made.incoming(posted(body))
    assert isinstance(call, IncomingCall)
    assert (call.caller, call.called) == ("14155550123", "14255550100")


@pytest.mark.parametrize("provider", WEBHOOKS)
def test_values_that_strict_readers_refuse(provider: str) -> None:
    """Half a character or a raw line end in a caller's name loses no call."""
    body, _ = WEBHOOKS[provider]
    request = posted(body | {"callerName": "NAME"})
    for name in (b'"half \\ud83d"', b'"a\nb"', b"NaN"):
        odd = WebhookRequest(request.method, request.url, {}, body=request.body.replace(b'"NAME"', name))
        assert isinstance(webhooks(provider_of(provider)).incoming(odd), IncomingCall)
