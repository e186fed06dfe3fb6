"""What a refusal says, of every provider: the words stand in the log, and an operator searches for them.

``refusal_words.json`` has the whole text of each, and the providers that say it; the others take it or let it go.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway.config.providers import settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.errors import GatewayError
from gateway.phone.provider import Grant, Provider, Upgrade
from gateway.phone.webhook import WebhookRequest
from gateway.served import make_provider
from gateway.sim.providers import open_account
from tests.conformance.wires import begun, changed, places, start_of
from tests.phone.parts import verify_upgrade, webhooks

NOW_S = 1_800_000_000.0
URL = "https://gw.example.com/answer/x"
BASIC = "Basic dXNlcjp3cm9uZw=="
"""``user:wrong``."""


def bare(name: str) -> Provider:
    """Return the provider without any setting."""
    return make_provider(name, settings_of(name)(), "https://gw.example.com")


def account(name: str) -> Provider:
    """Return the provider with everything that is known of an account."""
    opened = open_account(name, "https://api.example.com").settings
    values = {key: FromEnvironment(value, "the account") for key, value in opened.items()}
    return make_provider(name, settings_of(name).model_validate(values), "https://gw.example.com")


def posted(body: bytes = b"", **headers: str) -> WebhookRequest:
    return WebhookRequest("POST", URL, {name.replace("_", "-"): value for name, value in headers.items()}, body=body)


WRONG = {
    "authorization": BASIC,
    "x-cx-apikey": "wrong",
    "x-twilio-signature": "wrong",
    "x-signalwire-signature": "wrong",
    "x-plivo-signature-v3": "wrong",
    "x-plivo-signature-v3-nonce": "1",
    "x-vobiz-signature-v3": "wrong",
    "x-vobiz-signature-v3-nonce": "1",
    "jambonz-signature": f"t={NOW_S:.0f},v1=wrong",
    "telnyx-signature-ed25519": "wrong",
    "telnyx-timestamp": f"{NOW_S:.0f}",
    "x-telnyx-streaming-auth-token": "wrong",
    "x-api-key": "wrong",
}
"""What proves a request with one of the providers, and is wrong with all."""


def second_start(name: str) -> object:
    return begun(name).decode(json.dumps(start_of(name)))


def with_start(name: str, text: str | bytes) -> object:
    """Return what a fresh wire makes of a message."""
    return bare(name).codec(Upgrade(), Grant("support", "", "+14155550123", "+14255550100")).decode(text)


def emptied(name: str) -> str:
    """Return the golden start with nothing inside of its members."""
    start = start_of(name)
    return json.dumps({key: {} if isinstance(value, dict) else value for key, value in start.items()})


def alone(name: str) -> str:
    """Return the golden start without any member that is an object."""
    return json.dumps({key: value for key, value in start_of(name).items() if not isinstance(value, dict)})


LONG = "".join(chr(ord("a") + number % 26) for number in range(70))
FORMATS = (
    "start.mediaFormat.encoding",
    "start.media_format.encoding",
    "metadata.tracks.0.mediaFormat.encoding",
    "audioMetadata.encoding",
    "content-type",
    "format",
    "mixType",
    "version",
)
"""Where a start says how it sounds, or speaks."""


HALF = r'{"event":"x\ud83d","type":"x\ud83d","kind":"x\ud83d","eventType":"x\ud83d"}'
"""What only a lenient reader takes: before the start, where a call may hang on it."""


def misfit(name: str) -> str:
    """Return the golden start with a format that is not known, and long."""
    start = start_of(name)
    known = set(places(start))
    return json.dumps(next(changed(start, place, LONG) for place in FORMATS if place in known))


def linear(name: str) -> str:
    """Return the golden start with linear audio of the caller's, where its wire says what goes out by a parameter."""
    start = start_of(name)
    if name != "telnyx":
        return json.dumps(start)
    start = changed(start, "start.media_format.encoding", "L16")
    return json.dumps(changed(start, "start.custom_parameters", {}))


def named(name: str) -> str:
    """Return a message whose kind is not known, and long."""
    codec = begun(name)
    (event,) = codec.decode(json.dumps({"event": LONG, "type": LONG, "kind": LONG, "eventType": LONG}))
    raise GatewayError(str(event))


STIMULI: Mapping[str, Callable[[str], object]] = {
    "a webhook, and no secret set": lambda name: webhooks(bare(name)).verify(posted(), NOW_S),
    "a webhook without a proof": lambda name: webhooks(account(name)).verify(posted(), NOW_S),
    "a webhook with a wrong proof": lambda name: webhooks(account(name)).verify(
        WebhookRequest("POST", URL, WRONG), NOW_S
    ),
    "a stream without a proof": lambda name: verify_upgrade(account(name), Upgrade(), NOW_S),
    "a stream with a wrong proof": lambda name: verify_upgrade(
        account(name), Upgrade("wss://gw.example.com/stream/x", headers=WRONG), NOW_S
    ),
    "an empty webhook": lambda name: webhooks(account(name)).incoming(posted()),
    "a webhook of an empty object": lambda name: webhooks(account(name)).incoming(
        posted(b"{}", content_type="application/json")
    ),
    "a webhook that is no JSON": lambda name: webhooks(account(name)).incoming(
        posted(b"{", content_type="application/json")
    ),
    "an empty callback": lambda name: webhooks(account(name)).status(posted()),
    "a callback of an empty object": lambda name: webhooks(account(name)).status(
        posted(b"{}", content_type="application/json")
    ),
    "a callback that is no JSON": lambda name: webhooks(account(name)).status(
        posted(b"{", content_type="application/json")
    ),
    "a binary message": lambda name: with_start(name, b"12345"),
    "a message that is no JSON": lambda name: with_start(name, "{"),
    "an empty object": lambda name: with_start(name, "{}"),
    "a start with empty members": lambda name: with_start(name, emptied(name)),
    "a start without members": lambda name: with_start(name, alone(name)),
    "a format that is not known": lambda name: with_start(name, misfit(name)),
    "linear audio in, and none asked for": lambda name: with_start(name, linear(name)),
    "a message that is not known": named,
    "half of a character in the call": lambda name: begun(name).decode(HALF),
    "half of a character before the start": lambda name: bool(with_start(name, HALF)),
    "a second start": second_start,
    "audio without its member": lambda name: begun(name).decode('{"event":"media","kind":"AudioData"}'),
    "a mark without its member": lambda name: begun(name).decode('{"event":"mark","type":"mark"}'),
    "a key without its member": lambda name: begun(name).decode('{"event":"dtmf","kind":"DtmfData","type":"dtmf"}'),
    "a key without its digit": lambda name: begun(name).decode(
        '{"event":"dtmf","kind":"DtmfData","type":"dtmf","dtmf":{},"dtmfData":{},"parameters":{}}'
    ),
    "a key that there is not": lambda name: begun(name).decode(
        '{"event":"dtmf","kind":"DtmfData","dtmf":{"digit":"XY"},"dtmfData":{"data":"XY"}}'
    ),
}


def refusal(ask: Callable[[str], object], name: str) -> str:
    """Return what is said, with the kind of refusal that it is."""
    try:
        ask(name)
    except GatewayError as error:
        words = re.sub(
            r"JSON is malformed: .*", "JSON is malformed", str(error)
        )  # where it is, is the reader's own word
        return f"{type(error).__name__}: {words}"
    return ""


WORDS: Mapping[str, Mapping[str, str]] = json.loads(Path(__file__).with_name("refusal_words.json").read_text("utf-8"))


RECORDED = sorted({name for words in WORDS.values() for names in words.values() for name in names.split()})
"""The providers whose words are written down; the kit asks of the others that they say something."""


@pytest.mark.parametrize("what", STIMULI)
def test_a_refusal_says_what_is_wrong_and_what_was_expected(what: str) -> None:
    """In the words that are written down; some have no webhooks."""
    expected = {name: text for text, names in WORDS[what].items() for name in names.split()}
    asked = [name for name in RECORDED if bare(name).webhooks or not re.search("webhook|callback", what)]
    assert {name: said for name in asked if (said := refusal(STIMULI[what], name))} == expected


def test_all_words_are_tried() -> None:
    """A table that nobody reads proves nothing."""
    assert WORDS.keys() == STIMULI.keys()
