"""A provider with an account, and the requests that it makes of commands."""

from gateway.config.providers import settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.phone.provider import Grant, Provider, Upgrade
from gateway.phone.webhook import Connect, IncomingCall
from gateway.served import make_provider
from gateway.sim.providers import open_account
from tests.conformance.unfinished import to_be_changed

API = "https://api.example.com"
GATEWAY = "https://gw.example.com"
CALL = IncomingCall("call-1", "+14155550123", "+14255550100", "context")
IDS = ("call-1", "CALL@ACCOUNT")
"""The second is a call of TeXML."""
TOKEN = "token-of-call-1"
CONNECT = Connect(f"{GATEWAY.replace('https', 'wss')}/stream/x/{TOKEN}", call_url=f"{GATEWAY}/answer/x", token=TOKEN)


def account(name: str, without: tuple[str, ...] = ()) -> Provider:
    """Return the provider of an account, ``without`` some of its settings; the stream of call-1 has been opened."""
    section, simulated = settings_of(name), f"gateway/sim/providers/{name}.py"
    with to_be_changed(simulated, "open_account"):
        settings = open_account(name, API, "key").settings
    unknown = ", ".join(sorted(settings.keys() - section.model_fields.keys()))
    assert not unknown, (
        f"{name}: open_account in {simulated} gives {unknown}, "
        f"which class {section.__name__} in gateway/config/providers.py has not"
    )
    values = {key: FromEnvironment(value, "the account") for key, value in settings.items() if key not in without}
    with to_be_changed(simulated, f"class {section.__name__}, given what open_account returns,"):
        known = section.model_validate(values)
    with to_be_changed(f"gateway/phone/providers/{name}/provider.py", f"make, given class {section.__name__},"):
        made = make_provider(name, known, GATEWAY)
    made.codec(Upgrade(headers={"x-ms-call-connection-id": "call-1"}), Grant("support", "call-1", "+14155550123"))
    return made
