"""A provider with an account, and the requests that it makes of commands."""

from gateway.app import make_provider
from gateway.config.providers import settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.phone.provider import Grant, Provider, Upgrade
from gateway.phone.webhook import Connect, IncomingCall
from gateway.sim.providers import open_account

API = "https://api.example.com"
GATEWAY = "https://gw.example.com"
CALL = IncomingCall("call-1", "+14155550123", "+14255550100", "context")
CONNECT = Connect("wss://gw.example.com/stream/x/y/z", call_url="https://gw.example.com/answer/x")


def account(name: str, without: tuple[str, ...] = ()) -> Provider:
    """Return the provider of an account, ``without`` some of its settings; the stream of call-1 has been opened."""
    settings = open_account(name, API, "key").settings
    values = {key: FromEnvironment(value, "the account") for key, value in settings.items() if key not in without}
    made = make_provider(name, settings_of(name).model_validate(values), GATEWAY)
    made.codec(Upgrade(headers={"x-ms-call-connection-id": "call-1"}), Grant("support", "call-1", "+14155550123"))
    return made
