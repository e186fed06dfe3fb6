"""What holds for the call control of every provider: what may be taken for done, and what may be asked for twice."""

from collections.abc import Callable, Mapping, Sequence

import pytest
from pydantic import SecretStr

from gateway.app import make_provider
from gateway.config.providers import settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.phone.pointing import ByApi, ByHand
from gateway.phone.provider import Grant, Provider, Upgrade
from gateway.phone.providers import PROVIDERS
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Answer, Connect, IncomingCall
from gateway.sim.providers import open_account
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, transfer, webhooks

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
    """Return what is asked, but for tokens that are fetched before it."""
    requests = [request for call_id in IDS for request in ask(provider(name), call_id)]
    return [request for request in requests if not request.url.endswith("/token")]


ASKS: dict[str, Callable[[Provider, str], Sequence[HttpRequest]]] = {
    "end": hang_up,
    "number": lambda made, call_id: transfer(made, call_id, "+14155550111"),
    "sip": lambda made, call_id: transfer(made, call_id, "sip:desk@example.com"),
    "keys": lambda made, call_id: send_digits(made, call_id, "12#"),
    "words after": lambda made, call_id: after_stream(made, call_id, After(say="Good bye.")),
    "transfer after": lambda made, call_id: after_stream(made, call_id, After(transfer="+14155550111")),
    "nothing after": lambda made, call_id: after_stream(made, call_id, After()),
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
    answer = answer_call(provider(name), CALL, CONNECT)
    assert isinstance(answer, Answer)
    (request,) = answer.requests
    assert (request.gone, request.repeatable) == ((), False)


def test_a_token_may_be_fetched_twice() -> None:
    """It changes nothing, whether it is for a hang-up or for a transfer."""
    for requests in (
        hang_up(provider("bandwidth"), "call-1"),
        transfer(provider("bandwidth"), "call-1", "+14155550111"),
    ):
        token, _ = requests
        assert (token.gone, token.repeatable) == ((), True)


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
    assert webhooks(provider(name)).refuse(CALL) == BUSY[name]


def test_a_call_of_telnyx_is_rejected_by_a_document_or_a_command() -> None:
    """By the one that it was announced for."""
    telnyx = provider("telnyx")
    assert webhooks(telnyx).refuse(IncomingCall("CALL@ACCOUNT", "", "")) == Answer(REJECT, "text/xml")
    (command,) = webhooks(telnyx).refuse(CALL).requests
    assert (command.method, command.url, command.body) == (
        "POST",
        f"{URL}/v2/calls/call-1/actions/reject",
        b'{"cause":"USER_BUSY"}',
    )


def test_a_call_of_acs_is_rejected_by_its_context() -> None:
    """There is no connection yet."""
    (request,) = webhooks(provider("acs")).refuse(CALL).requests
    assert (request.method, request.url.partition("?")[0]) == ("POST", f"{URL}/calling/callConnections:reject")
    assert request.body == b'{"incomingCallContext":"context","callRejectReason":"busy"}'


def test_where_no_webhook_comes_none_is_rejected() -> None:
    """Their streams are turned away."""
    without = {name for name in PROVIDERS if provider(name).webhooks is None}
    assert without == {*PROVIDERS} - BUSY.keys() - {"telnyx", "acs"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_declares_what_it_has(name: str) -> None:
    """What it has not is ``None``, so that whoever asks need not make a request to find out."""
    made = provider(name)
    assert made.name == name
    assert isinstance(made.pointing, ByApi | ByHand)
    assert (made.commands is None) == (not BY_API[name])
    if made.commands is not None:
        has = {
            what
            for what, command in (
                ("number", made.commands.transfer),
                ("keys", made.commands.send_digits),
                ("nothing after", made.commands.after_stream),
            )
            if command is not None
        }
        assert has == BY_API[name] & {"number", "keys", "nothing after"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_account_without_credentials_has_no_commands(name: str) -> None:
    """A request without them would only be refused."""
    assert make_provider(name, settings_of(name)()).commands is None
