"""Why a gateway elsewhere turned a simulated call away, as far as the status of its answer says."""

from collections.abc import Mapping

from gateway.config.environment import variable_of
from gateway.config.providers import settings_of
from gateway.sim.reaching import RefusedError

STREAM = {
    401: "it wants credentials: is the right secret set here?",
    403: "a stream is opened by the token of an answered call, or by the provider's stream_secret: give --url the"
    " gateway's http:// or https:// address, and its webhook is asked first",
    404: "it serves no such provider or line, or the address is no gateway's",
    426: "something in between does not pass the WebSocket upgrade on",
    503: "it takes no more calls now, or stops",
}
WEBHOOK = {
    400: "it does not take the request for a call: is the address of another provider?",
    405: "the address is no gateway's",
    503: "it takes no more calls now, or stops",
}
IN_BETWEEN = {
    502: "a proxy in front of it does not reach it",
    503: "it takes no more calls now, or a proxy in front of it does not reach it",
    504: "a proxy in front of it does not reach it",
}


def explained(error: RefusedError, provider: str, called: str, known: Mapping[str, str], account: str = "") -> str:
    """Return what the status of a gateway elsewhere means, and what to do; empty where nobody can say.

    ``known`` are the secrets that the request was signed with; ``account`` is what the gateway calls the provider,
    where that is another name.
    """
    account = account or provider
    if error.stream:
        return STREAM.get(error.status) or IN_BETWEEN.get(error.status, "")
    if error.status == 404:
        if "provider" in error.said:
            return f"it does not serve {account}: providers in its gateway.yaml names those that it does"
        if "line" in error.said:
            return f"none of its lines takes {called}: --to takes another number"
        return f"the address is no gateway's, it does not serve {account}, or none of its lines takes {called}"
    if error.status in {401, 403}:
        return _unsigned(account, provider, known)
    return WEBHOOK.get(error.status) or IN_BETWEEN.get(error.status, "")


def _unsigned(account: str, provider: str, known: Mapping[str, str]) -> str:
    names = {name: variable_of(account, name) for name in settings_of(provider).proofs}
    missing = " and ".join(variable for name, variable in names.items() if not known.get(name))
    if missing:
        return (
            f"the request was not signed as {provider} signs, for want of {missing} here: set what the gateway has;"
            " for a gateway of serve --emulator, type the command that it printed"
        )
    return (
        f"{' and '.join(names.values())} here is not what the gateway has, or its public_url is another address than"
        " --url; its log says which (webhook_refused)"
    )
