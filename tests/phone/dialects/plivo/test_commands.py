"""Call control by Plivo's REST API."""

from gateway.phone.dialects.plivo.commands import PlivoCommands
from gateway.phone.requests import HttpRequest
from tests.phone.parts import written

URL = "https://api/Account/MA1/Call/c%2F1/"


def test_a_call_is_ended_or_sent_on() -> None:
    """Ids are escaped, and the credentials stand in every request."""
    commands = PlivoCommands("https://api/Account", "MA1", {"X-Key": "k"}, "https://gw/answer/plivo")
    assert written(commands.hang_up("c/1")) == (
        HttpRequest("DELETE", URL, {"X-Key": "k"}, gone=(404,), repeatable=True),
    )
    (request,) = written(commands.transfer("c/1", "+14155550111"))
    assert (request.method, request.url, request.headers) == (
        "POST",
        URL,
        {"X-Key": "k", "Content-Type": "application/json"},
    )
    assert b'"aleg_url":"https://gw/answer/plivo?transfer=14155550111"' in request.body


def test_no_transfer_without_our_own_address() -> None:
    """Nobody would say whom to dial."""
    assert written(PlivoCommands("https://api", "MA1", {}, "").transfer("c", "+1")) == ()
