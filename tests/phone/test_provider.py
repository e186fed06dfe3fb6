"""What holds for the call control of every provider: what may be taken for done, and what may be asked for twice."""

from collections.abc import Callable, Mapping, Sequence

import pytest
from pydantic import SecretStr

from gateway.app import PROVIDERS, make_provider
from gateway.config.environment import FromEnvironment
from gateway.config.providers import Plivo, ProviderSettings, SignalWire, Telnyx, Twilio, Vonage, settings_of
from gateway.errors import WireError
from gateway.phone.pointing import POINTINGS, Change, Urls, point
from gateway.phone.provider import After, Answer, Connect, Grant, HttpRequest, IncomingCall, Provider, Upgrade
from gateway.sim.accounts import open_account
from gateway.text import json_bytes

URL = "https://api.example.com"
KEY = SecretStr("key")
IDS = ("call-1", "CALL@ACCOUNT")
"""The second is a call of TeXML."""
CALL = IncomingCall("call-1", "+14155550123", "+14255550100", "context")
CONNECT = Connect("wss://gw.example.com/stream/x/y/z", call_url="https://gw.example.com/answer/x")


def provider(name: str) -> Provider:
    values = {key: FromEnvironment(value, "the account") for key, value in open_account(name, URL).settings.items()}
    made = make_provider(name, settings_of(name).model_validate(values), "https://gw.example.com")
    made.codec(Upgrade(headers={"x-ms-call-connection-id": "call-1"}), Grant("support", "call-1", "+14155550123"))
    return made


def asked(name: str, ask: Callable[[Provider, str], Sequence[HttpRequest]]) -> list[HttpRequest]:
    return [request for call_id in IDS for request in ask(provider(name), call_id)]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_hang_up_may_find_the_call_gone(name: str) -> None:
    """The call is over then, as it should be; and it may be ended twice."""
    requests = asked(name, lambda made, call_id: made.hang_up(call_id))
    assert bool(requests) == (name not in ("asterisk", "exotel", "genesys"))
    for request in requests:
        assert 404 in request.gone
        assert request.repeatable


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize(
    "ask",
    [
        lambda made, call_id: made.transfer(call_id, "+14155550111"),
        lambda made, call_id: made.transfer(call_id, "sip:desk@example.com"),
        lambda made, call_id: made.send_digits(call_id, "12#"),
        lambda made, call_id: made.after_stream(call_id, After(say="Good bye.")),
        lambda made, call_id: made.after_stream(call_id, After(transfer="+14155550111")),
    ],
)
def test_nothing_else_may(name: str, ask: Callable[[Provider, str], Sequence[HttpRequest]]) -> None:
    """A call that is not found was not transferred, and no keys were dialled; neither may happen twice."""
    for request in asked(name, ask):
        if request.url.partition("?")[0].endswith(":terminate"):
            continue  # ACS says no words, and hangs up
        assert request.gone == ()
        assert not request.repeatable


@pytest.mark.parametrize("name", ["acs", "telnyx"])
def test_a_call_is_answered_once(name: str) -> None:
    """An answer that may have been carried out is left to the next try of the webhook."""
    answer = provider(name).answer(CALL, CONNECT)
    assert isinstance(answer, Answer)
    (request,) = answer.requests
    assert (request.gone, request.repeatable) == ((), False)


def test_a_token_may_be_fetched_twice() -> None:
    """It changes nothing, whether it is for a hang-up or for a transfer."""
    for request in (
        *provider("bandwidth").hang_up("call-1"),
        *provider("bandwidth").transfer("call-1", "+14155550111"),
    ):
        assert request.authorize is not None
        assert (request.authorize.gone, request.authorize.repeatable) == ((), True)


POINTED: Mapping[str, tuple[ProviderSettings, list[object]]] = {
    "twilio": (Twilio(account_sid="AC1", auth_token=KEY), [{"incoming_phone_numbers": [{"sid": "PN1"}]}]),
    "signalwire": (
        SignalWire(project_id="P1", api_token=KEY, api_url=URL),
        [{"incoming_phone_numbers": [{"sid": "PN1"}]}],
    ),
    "telnyx": (Telnyx(api_key=KEY), [{"data": [{"connection_id": "1"}]}, {"data": {}}]),
    "plivo": (Plivo(auth_id="MA1", auth_token=KEY), [{"application": "/v1/Account/MA1/Application/1/"}, {}]),
    "vonage": (
        Vonage(application_id="app", api_key="key", api_secret=KEY),
        [{"numbers": [{"msisdn": "14255550100", "app_id": "app"}]}, {}],
    ),
}


URLS = Urls("https://gw.example.com/answer", "https://gw.example.com/status", "https://static.example.com/sorry")


@pytest.mark.parametrize("name", POINTINGS)
def test_pointing_reads_and_sets(name: str) -> None:
    """Both may be done twice, and a number that is not found is no success."""
    section, answers = POINTED[name]
    pointing = point(name, section, "+14255550100", URLS)
    requests, change = [next(pointing)], None
    for answer in answers:
        try:
            requests.append(pointing.send(json_bytes(answer)))
        except StopIteration as end:
            change = end.value
    assert isinstance(change, Change)
    for request in (*requests, change.request):
        assert (request.gone, request.repeatable) == ((), True)


XML = '<?xml version="1.0" encoding="UTF-8"?>\n<Response>{}</Response>\n'
REJECT, HANGUP = XML.format('<Reject reason="busy"/>'), XML.format('<Hangup reason="busy"/>')
BUSY: Mapping[str, Answer] = {
    "twilio": Answer(REJECT, "text/xml"),
    "signalwire": Answer(REJECT, "text/xml"),
    "cloudonix": Answer(REJECT, "text/xml"),
    "plivo": Answer(HANGUP, "text/xml"),
    "vobiz": Answer(HANGUP, "text/xml"),
    "bandwidth": Answer(XML.format("<Hangup/>"), "application/xml"),
    "vonage": Answer("[]", "application/json"),
    "jambonz": Answer('[{"verb":"sip:decline","status":486,"reason":"Busy Here"}]', "application/json"),
    "exotel": Answer(status=503),
}


@pytest.mark.parametrize("name", BUSY)
def test_a_call_is_rejected_in_the_providers_words(name: str) -> None:
    """As its first verb, so that the call is not answered."""
    assert provider(name).refuse(CALL) == BUSY[name]


def test_a_call_of_telnyx_is_rejected_by_a_document_or_a_command() -> None:
    """By the one that it was announced for."""
    telnyx = provider("telnyx")
    assert telnyx.refuse(IncomingCall("CALL@ACCOUNT", "", "")) == Answer(REJECT, "text/xml")
    (command,) = telnyx.refuse(CALL).requests
    assert (command.method, command.url, command.body) == (
        "POST",
        f"{URL}/v2/calls/call-1/actions/reject",
        b'{"cause":"USER_BUSY"}',
    )


def test_a_call_of_acs_is_rejected_by_its_context() -> None:
    """There is no connection yet."""
    (request,) = provider("acs").refuse(CALL).requests
    assert (request.method, request.url.partition("?")[0]) == ("POST", f"{URL}/calling/callConnections:reject")
    assert request.body == b'{"incomingCallContext":"context","callRejectReason":"busy"}'


@pytest.mark.parametrize("name", sorted(PROVIDERS.keys() - BUSY.keys() - {"telnyx", "acs"}))
def test_where_no_webhook_comes_none_is_rejected(name: str) -> None:
    """Their streams are turned away."""
    with pytest.raises(WireError):
        provider(name).refuse(CALL)
