"""Call control by the REST resource of a call."""

from gateway.phone.dialects.twilio.commands import TwimlCommands
from gateway.phone.requests import HttpRequest
from gateway.phone.shared.http_request import basic
from tests.phone.parts import written


def test_the_call_s_resource() -> None:
    """Ids are escaped; only a hang-up may be repeated, and may find the call gone."""
    commands = TwimlCommands("https://api", "AC/1", "t")
    url = "https://api/2010-04-01/Accounts/AC%2F1/Calls/CA%3F1.json"
    headers = {"Authorization": basic("AC/1", "t"), "Content-Type": "application/x-www-form-urlencoded"}
    assert written(commands.hang_up("CA?1")) == (
        HttpRequest("POST", url, headers, b"Status=completed", gone=(404,), repeatable=True),
    )
    document = b"Twiml=%3CResponse%3E%3CDial%3E%2B1%3C%2FDial%3E%3C%2FResponse%3E"
    assert written(commands.transfer("CA?1", "+1")) == (HttpRequest("POST", url, headers, document),)


def test_what_the_resource_cannot_do() -> None:
    """Digits would end the stream, and what follows it is asked for."""
    commands = TwimlCommands("https://api", "AC1", "t")
    assert commands.send_digits is None
    assert commands.after_stream is None
