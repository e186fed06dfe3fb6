"""What is asked of a provider's API to point a number at the gateway, and what is changed there: letter by letter.

``pointing.json`` has the requests as they were recorded, and what a refusal says: a change there is to be read against
the vendor's API reference.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.config.providers import Plivo, ProviderSettings, SignalWire, Telnyx, Twilio, Vonage, settings_of
from gateway.errors import GatewayError, InputError
from gateway.phone.pointing import BY_HAND, POINTINGS, Change, Urls, point
from gateway.text import json_bytes
from tests.phone.test_wire_documents import of_request

NUMBER = "+14255550100"
URLS = Urls("https://gw.example.com/answer", "https://gw.example.com/status", "https://static.example.com/sorry")
KEY = SecretStr("key")
SECTIONS: Mapping[str, ProviderSettings] = {
    "twilio": Twilio(account_sid="AC1", auth_token=KEY),
    "signalwire": SignalWire(project_id="P1", api_token=KEY, api_url="https://space.example.com"),
    "telnyx": Telnyx(api_key=KEY),
    "plivo": Plivo(auth_id="MA1", auth_token=KEY),
    "vonage": Vonage(application_id="app", api_key="key", api_secret=KEY),
}
OLD, OLD_FALLBACK = "https://old.example.com/answer", "https://old.example.com/fallback"
COMPATIBLE: Mapping[str, Sequence[object]] = {
    "known": [{"incoming_phone_numbers": [{"sid": "PN1", "voice_url": OLD, "voice_fallback_url": OLD_FALLBACK}, {}]}],
    "bare": [{"incoming_phone_numbers": [{"sid": "PN/1", "voice_url": None}]}],
    "none": [{"incoming_phone_numbers": []}],
    "odd": [{"incoming_phone_numbers": [{}]}],
    "no JSON object": [[]],
}
APPLICATION = "/v1/Account/MA1/Application/1/"
OWN = {"msisdn": "14255550100", "app_id": "app"}
CAPABILITIES = {
    "messages": {"webhooks": {}},
    "voice": {
        "region": "eu-west",
        "webhooks": {
            "answer_url": {"address": OLD, "http_method": "GET"},
            "fallback_answer_url": {"address": OLD_FALLBACK},
            "other": {"address": "https://other.example.com"},
        },
    },
}
ANSWERS: Mapping[str, Mapping[str, Sequence[object]]] = {
    "twilio": COMPATIBLE,
    "signalwire": COMPATIBLE,
    "telnyx": {
        "known": [
            {"data": [{"connection_id": "1"}, {"connection_id": "2"}]},
            {"data": {"friendly_name": "Desk", "voice_url": OLD, "voice_fallback_url": OLD_FALLBACK}},
        ],
        "bare": [{"data": [{"connection_id": "1/2"}]}, {"data": None}],
        "none": [{"data": None}],
        "unassigned": [{"data": [{"connection_id": None}]}],
        "odd": [{"data": [[]]}],
        "no JSON object": [None],
    },
    "plivo": {
        "known": [
            {"application": APPLICATION},
            {"app_name": "Desk", "answer_url": OLD, "fallback_answer_url": OLD_FALLBACK},
        ],
        "bare": [{"application": APPLICATION}, {}],
        "unassigned": [{"application": None}],
        "no JSON object": ["text"],
    },
    "vonage": {
        "known": [{"numbers": [{"msisdn": "1"}, OWN]}, {"name": "Desk", "capabilities": CAPABILITIES}],
        "bare": [{"numbers": [OWN]}, {}],
        "none": [{"numbers": [{"msisdn": "4255550100", "app_id": "app"}]}],
        "nothing": [{}],
        "unassigned": [{"numbers": [OWN | {"app_id": "other"}]}],
        "odd": [{"numbers": [[]]}],
        "no JSON object": [1],
    },
}
"""What the API answers: to each request, in order."""
EXPECTED: Mapping[str, Mapping[str, Any]] = json.loads(Path(__file__).with_name("pointing.json").read_text("utf-8"))


def pointed(name: str, section: ProviderSettings, answers: Sequence[object]) -> dict[str, Any]:
    """Return the requests that are made, and the change or the refusal that comes of their answers."""
    pointing = point(name, section, NUMBER, URLS)
    asked: list[dict[str, Any]] = []
    end: Any = None
    try:
        asked.append(of_request(next(pointing)))
        for answer in answers:
            request = pointing.send(json_bytes(answer))
            asked.append(of_request(request))
    except StopIteration as done:
        change = done.value
        assert isinstance(change, Change)
        end = [change.what, change.before, change.after, change.fallback_before, change.fallback_after]
        end.append(of_request(change.request))
    except GatewayError as error:
        end = f"{type(error).__name__}: {error}"
    assert end is not None, "it asks for more"
    return {"asked": asked, "end": end}


def everything(name: str) -> dict[str, Any]:
    """Return what comes of each kind of answers, and of an account without its credentials."""
    read = {what: pointed(name, SECTIONS[name], answers) for what, answers in ANSWERS[name].items()}
    return read | {"nothing set": pointed(name, settings_of(name)(), [])}


@pytest.mark.parametrize("name", POINTINGS)
def test_a_number_is_pointed_by_these_requests(name: str) -> None:
    """And what is there already, such as other capabilities of an application, is kept."""
    assert everything(name) == EXPECTED[name]


def test_an_id_that_leads_elsewhere_is_refused() -> None:
    """Cut: it may be anything."""
    section = Twilio(account_sid="../" + "a" * 50, auth_token=KEY)
    with pytest.raises(InputError) as caught:
        next(point("twilio", Twilio(account_sid="..", auth_token=KEY), NUMBER, URLS))
    assert str(caught.value) == (
        "the id '..' cannot be part of an address: expected one as the provider's console shows it"
    )
    assert next(point("twilio", section, NUMBER, URLS)).url.startswith(
        "https://api.twilio.com/2010-04-01/Accounts/..%2F"
    )


def test_a_change_is_needed_where_a_webhook_or_its_fallback_differs() -> None:
    """What is right already is left alone."""
    request = next(point("twilio", SECTIONS["twilio"], NUMBER, URLS))
    assert not Change("w", "a", "a", request, "f", "f").is_needed
    assert Change("w", "a", "b", request, "f", "f").is_needed
    assert Change("w", "a", "a", request, "f", "g").is_needed


def test_a_provider_is_pointed_by_its_api_or_by_hand() -> None:
    """One of both, and what is to be entered by hand names one of our addresses."""
    assert POINTINGS.keys() & BY_HAND.keys() == set()
    for text in BY_HAND.values():
        assert "{answer}" in text or "{stream}" in text
