"""How numbers are pointed at the gateway: what holds for every provider."""

import pytest

from gateway.config.providers import Twilio, settings_of
from gateway.errors import GatewayError, InputError
from gateway.phone.pointing import Account, ByApi, ByHand, Change, Pointing, Urls, changing, fetched
from gateway.phone.providers import PROVIDERS
from gateway.phone.requests import HttpRequest
from gateway.served import make_provider
from tests.phone.parts import followed

URLS = Urls("https://gw.example.com/answer", "https://gw.example.com/status", "https://static.example.com/sorry")
REQUEST = HttpRequest("POST", "https://api.example.com")


def test_a_change_is_needed_where_a_webhook_or_its_fallback_differs() -> None:
    """What is right already is left alone."""
    assert not Change("w", "a", "a", REQUEST, "f", "f").is_needed
    assert Change("w", "a", "b", REQUEST, "f", "f").is_needed
    assert Change("w", "a", "a", REQUEST, "f", "g").is_needed


def test_codecs_that_no_stream_may_have_are_unfit() -> None:
    """In the order of the provider; where it tells none, none is."""
    change = Change("w", "a", "a", REQUEST, codecs=("OPUS", "PCMU", "G722"), usable_codecs=("PCMA", "PCMU"))
    assert change.unfit_codecs == ["OPUS", "G722"]
    assert Change("w", "a", "a", REQUEST, usable_codecs=("PCMU",)).unfit_codecs == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_pointed_by_its_api_or_by_hand(name: str) -> None:
    """What is to be entered by hand names one of our addresses."""
    pointing = make_provider(name, settings_of(name)()).pointing
    if isinstance(pointing, ByHand):
        assert "{answer}" in pointing.instructions or "{stream}" in pointing.instructions
        pointing.instructions.format(answer="", status="", stream="", secret="")


def test_an_account_names_what_it_lacks() -> None:
    """By the variable of the account, which has a name of its own."""
    with pytest.raises(InputError, match=r"^TWILIO_EU_AUTH_TOKEN is not set"):
        Account("twilio-eu", Twilio()).needed("auth_token")


@pytest.mark.parametrize("odd", [KeyError("sid"), TypeError("no list"), IndexError("none"), AttributeError("no get")])
def test_an_answer_of_another_shape_is_told(odd: Exception) -> None:
    """Never as a traceback."""

    def find(account: Account[Twilio], number: str, urls: Urls) -> Pointing:
        yield REQUEST
        raise odd

    with pytest.raises(GatewayError, match="answered otherwise than it documents"):
        followed(ByApi(Account("twilio", Twilio()), find).point("+14255550100", URLS))


def test_a_fetched_answer_is_a_json_object() -> None:
    """It may be fetched twice."""
    requests, found = followed(fetched("https://api.example.com", {"X-Key": "k"}), b'{"a":1}')
    assert requests == (HttpRequest("GET", "https://api.example.com", {"X-Key": "k"}, repeatable=True),)
    assert found == {"a": 1}
    for answer in (b"", b"[]", b"{"):
        with pytest.raises(GatewayError, match="no JSON object"):
            followed(fetched("https://api.example.com", {}), answer)


def test_a_change_is_json_and_may_be_made_twice() -> None:
    """Beside the headers of the account."""
    assert changing("PUT", "https://a", {"X-Key": "k"}, {"a": 1}) == HttpRequest(
        "PUT", "https://a", {"X-Key": "k", "Content-Type": "application/json"}, b'{"a":1}', repeatable=True
    )
