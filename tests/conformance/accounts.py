"""A provider with an account, and the requests that it makes of commands."""

from gateway.config.providers import settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.phone.provider import Grant, Provider, Upgrade
from gateway.phone.webhook import Connect, IncomingCall
from gateway.served import make_provider
from gateway.sim.providers import open_account

API = "https://api.example.com"
GATEWAY = "https://gw.example.com"
CALL = IncomingCall("call-1", "+14155550123", "+14255550100", "context")
IDS = ("call-1", "CALL@ACCOUNT")
"""The second is a call of TeXML."""
TOKEN = "token-of-call-1"
CONNECT = Connect(f"{GATEWAY.replace('https', 'wss')}/stream/x/{TOKEN}", call_url=f"{GATEWAY}/answer/x", token=TOKEN)


def account(name: str, without: tuple[str, ...] = ()) -> Provider:
    """Return the provider of an account, ``without`` some of its settings; the stream of call-1 has been opened."""
    settings, keys = open_account(name, API, "key").settings, settings_of(name).model_fields
    unknown = ", ".join(sorted(settings.keys() - keys.keys()))
    assert not unknown, (
        f"{name}: open_account in gateway/sim/providers/{name}.py gives {unknown}, "
        f"which class {settings_of(name).__name__} in gateway/config/providers.py has not"
    )
    values = {key: FromEnvironment(value, "the account") for key, value in settings.items() if key not in without}
    made = make_provider(name, settings_of(name).model_validate(values), GATEWAY)
    made.codec(Upgrade(headers={"x-ms-call-connection-id": "call-1"}), Grant("support", "call-1", "+14155550123"))
    return made
