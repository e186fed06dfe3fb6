"""What holds for the call control of every provider: what may be taken for done, and what may be asked for twice."""

from collections.abc import Callable, Mapping, Sequence

import pytest
from pydantic import SecretStr

from gateway.app import make_provider
from gateway.config.providers import Plivo, ProviderSettings, SignalWire, Telnyx, Twilio, Vonage, settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.errors import WireError
from gateway.phone.pointing import POINTINGS, Change, Urls, point
from gateway.phone.provider import After, Answer, Connect, Grant, HttpRequest, IncomingCall, Provider, Upgrade
from gateway.phone.providers import PROVIDERS
from gateway.sim.providers import open_account
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


ASKS: dict[str, Callable[[Provider, str], Sequence[HttpRequest]]] = {
    "end": lambda made, call_id: made.hang_up(call_id),
    "number": lambda made, call_id: made.transfer(call_id, "+14155550111"),
    "sip": lambda made, call_id: made.transfer(call_id, "sip:desk@example.com"),
    "keys": lambda made, call_id: made.send_digits(call_id, "12#"),
    "words after": lambda made, call_id: made.after_stream(call_id, After(say="Good bye.")),
    "transfer after": lambda made, call_id: made.after_stream(call_id, After(transfer="+14155550111")),
    "nothing after": lambda made, call_id: made.after_stream(call_id, After()),
}
_TWIML_AND_LIKE = ("twilio", "signalwire", "cloudonix", "plivo", "vobiz", "bandwidth", "jambonz")
BY_API: dict[str, frozenset[str]] = {
    **dict.fromkeys(_TWIML_AND_LIKE, frozenset({"end", "number", "sip"})),
    **dict.fromkeys(("asterisk", "exotel", "genesys"), frozenset[str]()),
    "telnyx": frozenset(ASKS),
    "vonage": frozenset({"end", "number", "sip", "keys", "nothing after"}),
    "acs": frozenset(ASKS) - {"sip"},
}
"""What is asked of each provider's API; all else it does on the stream, asks us for, or cannot do."""


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_is_asked_of_an_api(name: str) -> None:
    """A call that outlives its stream is ended or handed on: at the providers that ask nobody what follows."""
    assert {what for what, ask in ASKS.items() if asked(name, ask)} == BY_API[name]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_hang_up_may_find_the_call_gone(name: str) -> None:
    """The call is over then, as it should be; and it may be ended twice."""
    for request in asked(name, ASKS["end"]):
        assert 404 in request.gone
        assert request.repeatable


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("what", ["number", "sip", "keys", "words after", "transfer after"])
def test_nothing_else_may(name: str, what: str) -> None:
    """A call that is not found was not transferred, and no keys were dialled; neither may happen twice."""
    for request in asked(name, ASKS[what]):
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


@pytest.mark.parametrize("name", sorted({*PROVIDERS} - BUSY.keys() - {"telnyx", "acs"}))
def test_where_no_webhook_comes_none_is_rejected(name: str) -> None:
    """Their streams are turned away."""
    with pytest.raises(WireError):
        provider(name).refuse(CALL)
