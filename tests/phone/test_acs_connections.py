"""Which connection of ACS a call has: what the REST API and the callbacks say counts, not the stream's own word."""

import json

import pytest

from gateway.errors import WireError
from gateway.phone.events import CallStarted
from gateway.phone.provider import Grant, Upgrade
from gateway.phone.providers.acs.provider import Acs
from gateway.phone.webhook import Connect, IncomingCall, WebhookRequest
from tests.phone.parts import answer_call, send_digits, webhooks
from tests.phone.providers.acs.test_provider import METADATA, provider

CALL = IncomingCall("correlation", "+14158675309", "+18005551212", "context")
CONNECT = Connect("wss://gw.example.com/stream/acs/support/t")
GRANT = Grant("support", "correlation", "+14158675309", "+18005551212")
CONNECTED = {
    "type": "Microsoft.Communication.CallConnected",
    "data": {"correlationId": "correlation", "callConnectionId": "told"},
}


def call_of(acs: Acs, named: str = "named") -> str:
    """Return the id of the call of a stream that says that it is of ``named``."""
    (started,) = acs.codec(Upgrade(headers={"x-ms-call-connection-id": named}), GRANT).decode(METADATA)
    assert isinstance(started, CallStarted)
    return started.call_id


def posted(body: object) -> WebhookRequest:
    return WebhookRequest("POST", "https://gw.example.com/status/acs", {}, body=json.dumps(body).encode())


def belongs_to_what_was_told(acs: Acs) -> None:
    """Check that the call is of ``told`` alone."""
    assert call_of(acs, "told") == "told"
    assert call_of(acs, "") == "told"
    with pytest.raises(WireError, match=r"^the start names another call than the one that was answered$"):
        call_of(acs)


def test_the_answer_of_the_rest_api_tells_the_connection() -> None:
    """The stream's header is not signed; keys go to the caller of the connection that was told."""
    acs = provider()
    assert call_of(acs) == "named"
    answer_call(acs, CALL, CONNECT, b'{"callConnectionId": "told"}')
    belongs_to_what_was_told(acs)
    (request,) = send_digits(acs, "told", "1")
    assert json.loads(request.body)["targetParticipant"] == {
        "kind": "phoneNumber",
        "phoneNumber": {"value": "+14158675309"},
    }


@pytest.mark.parametrize("response", [b"", b"[]", b"{}", b'{"callConnectionId": ""}', b'{"callConnectionId": "a/b"}'])
def test_an_answer_that_tells_no_connection_changes_nothing(response: bytes) -> None:
    """Neither does one whose id would change a URL."""
    acs = provider()
    answer_call(acs, CALL, CONNECT, response)
    assert call_of(acs) == "named"


def test_a_callback_tells_the_connection() -> None:
    """Where the answer was lost."""
    acs = provider()
    webhooks(acs).status(posted([CONNECTED]))
    belongs_to_what_was_told(acs)


def test_another_callback_tells_none() -> None:
    """Only ``CallConnected`` is about a call of ours that was answered."""
    acs = provider()
    webhooks(acs).status(posted(CONNECTED | {"type": "Microsoft.Communication.ParticipantsUpdated"}))
    assert call_of(acs) == "named"
