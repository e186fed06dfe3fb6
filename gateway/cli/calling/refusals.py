"""Explains why a gateway elsewhere refused a simulated call, from the status of its answer."""

from gateway.cli.calling.own_gateway import CalledGateway
from gateway.config.providers import settings_of
from gateway.config.reading.environment import variable_of
from gateway.sim.phone.connecting import RefusedError

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


def explained(error: RefusedError, stream: CalledGateway, provider: str, called: str) -> str:
    """Return the meaning of a status from a gateway elsewhere, and what to do; empty if that is not known."""
    account = stream.account or provider
    if error.status in {401, 403} and stream.answer_url:
        return _unproven(error, stream, account, provider)
    if error.stream:
        return STREAM.get(error.status) or IN_BETWEEN.get(error.status, "")
    if error.status == 404:
        if "provider" in error.said:
            return f"it does not serve {account}: providers in its gateway.yaml names those that it does"
        if "line" in error.said:
            return f"none of its lines takes {called}: --to takes another number"
        return f"the address is no gateway's, it does not serve {account}, or none of its lines takes {called}"
    return WEBHOOK.get(error.status) or IN_BETWEEN.get(error.status, "")


def _unproven(error: RefusedError, stream: CalledGateway, account: str, provider: str) -> str:
    """Return why the gateway found no proof that the request comes from the provider."""
    names = {name: variable_of(account, name) for name in settings_of(provider).proofs}
    missing = " and ".join(variable for name, variable in names.items() if not stream.secrets.get(name))
    if missing:
        return (
            f"the request was not signed as {provider} signs, for want of {missing} here: set what the gateway has;"
            " for a gateway of serve --emulator, type the command that it printed"
        )
    if stream.with_test_key:
        return "the test key is good until serve --emulator stops: type the command that it printed at its last start"
    if error.stream:
        return (
            f"{' and '.join(names.values())} here is not what the gateway has, or the stream's token is of another"
            " replica (GATEWAY_STREAM_KEY) or too old; its log says which (stream_refused)"
        )
    return (
        f"{' and '.join(names.values())} here is not what the gateway has, or its public_url is another address than"
        " --url; its log says which (webhook_refused)"
    )
