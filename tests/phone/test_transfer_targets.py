"""Where every provider is asked to hand a call to: an address of SIP is dialled as one, by whatever scheme."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest

from gateway.config.providers import settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.phone.provider import Provider
from gateway.phone.providers import PROVIDERS
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Answer, Connect, IncomingCall, WebhookRequest
from gateway.served import make_provider
from gateway.sim.providers import open_account
from tests.conformance.transcripts import bare
from tests.kinds import ASKING, rescues_by_document
from tests.phone.parts import after_stream, answer_call, transfer, webhooks

CALL = IncomingCall("CA1@AC1", "+14155550123", "+14255550100", "context")
TARGETS = ("sip:desk@example.com", "sips:desk@example.com", "sips:+14255550199@example.com")
DIALS_AS_NUMBER = ("<Number>", "<PhoneNumber>", '"type":"phone"', '"phoneNumber"', "<Dial>sip")
NUMBERS_ALONE = [name for name in PROVIDERS if "to numbers" in bare(name).traits.transfer]
TRANSFERRING = [
    name for name in PROVIDERS if bare(name).traits.transfer.startswith("REST") and name not in NUMBERS_ALONE
]
"""They have a request for it, for addresses as well."""
WITH_AFTER = [name for name in ASKING if rescues_by_document(name) and name not in NUMBERS_ALONE]
"""Their answer document says what follows the stream."""


def provider(name: str) -> Provider:
    """With an account."""
    account = open_account(name, "https://api.example.com").settings
    values = {key: FromEnvironment(value, "the test") for key, value in account.items()}
    return make_provider(name, settings_of(name).model_validate(values), "https://voice.example.com")


def asked(provider: Provider, request: HttpRequest) -> str:
    """What a transfer's request has the call do; a document that it names is fetched from our own webhook."""
    text = request.body.decode()
    text = text if text.startswith("{") else unquote_plus(text)
    found = [value for value in _values(request.body) if value.startswith("https://voice.example.com/answer/")]
    if not found:
        return text
    query = [(name, value) for name, values in parse_qs(urlsplit(found[0]).query).items() for value in values]
    body = b'{"call_sid":"CA1","eventType":"redirect","callId":"CA1"}'
    answer = webhooks(provider).incoming(WebhookRequest("POST", found[0], {}, (), body, query))
    assert isinstance(answer, Answer)
    return answer.body


def _values(body: bytes) -> list[str]:
    read = json.loads(body) if body.startswith(b"{") else {}
    return [value for value in read.values() if isinstance(value, str)] if isinstance(read, Mapping) else []


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", TRANSFERRING)
def test_a_call_is_transferred_to_an_address_as_such(name: str, target: str) -> None:
    """By the REST API, and by the document that this fetches."""
    held = provider(name)
    *_, request = transfer(held, CALL.call_id, target)
    said = asked(held, request)
    assert target in said
    assert not any(word in said for word in DIALS_AS_NUMBER)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", WITH_AFTER)
def test_an_address_follows_the_stream_as_such(name: str, target: str) -> None:
    """In the answer document."""
    said = answer_call(provider(name), CALL, Connect("wss://voice.example.com/s", After(transfer=target))).body
    assert target in said
    assert not any(word in said for word in DIALS_AS_NUMBER)


@pytest.mark.parametrize("target", TARGETS)
def test_who_dials_numbers_alone_dials_no_address(target: str) -> None:
    """The call is told that it cannot be transferred, and afterwards it is ended."""
    acs = provider("acs")
    assert list(transfer(acs, "c", target)) == []
    (request,) = after_stream(acs, "c", After(transfer=target))
    assert ":terminate" in request.url
