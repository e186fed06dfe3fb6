"""What every provider is told and asked, to the letter: answers to webhooks, and requests to REST APIs.

``wire_documents.json`` has it all, as the codecs wrote it when it was recorded: it holds what is there, and the tests
of each provider hold what its vendor documents. A change there is a change of the wire, and is to be read as one.
"""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import jwt
import pytest
from pydantic import BaseModel

from gateway.config.providers import settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.config.secrets import Base64Secret, Name, PublicKey, Rotated, Secret
from gateway.errors import GatewayError
from gateway.phone.provider import Grant, Provider, Upgrade
from gateway.phone.providers import PROVIDERS
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, StreamEnded, WebhookRequest
from gateway.served import make_provider
from gateway.sim.providers import open_account
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, transfer, webhooks
from tests.phone.test_webhook_tolerance import STATUSES, WEBHOOKS, provider_of

ANSWER_URL = "https://gw.example.com/answer/x"
CALL = IncomingCall("call-1", "+14155550123", "+14255550100", "context")
CONNECT = Connect("wss://gw.example.com/stream/x/t", call_url=ANSWER_URL)
WHOLE = Connect(
    "wss://gw.example.com/stream/x/t",
    After("Sorry & <bye>.", "en-US", "+14155550111"),
    f"{ANSWER_URL}?stream=ended",
    "https://gw.example.com/status/x",
    ANSWER_URL,
)
AFTERS = {
    "nothing": After(),
    "words": After("Good bye.", "en-US"),
    "words of no language": After("Good bye."),
    "a number": After(transfer="+14155550111"),
    "an address": After(transfer="sip:desk@example.com"),
    "words and a number": After("One moment.", "en-US", "+14155550111"),
}
SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
"""32 bytes in base64, as keys are written."""
OF_BASE64 = (get_args(Base64Secret)[-1], get_args(PublicKey)[-1])
"""The checks that tell the types of such keys from those of other texts."""
FORM = (
    ("CallSid", "call-1"),
    ("CallUUID", "call-1"),
    ("AccountSid", "AC1"),
    ("Session", "session-1"),
    ("From", "+14155550123"),
    ("To", "+14255550100"),
    ("CallFrom", "04155550123"),
    ("CallTo", "04255550100"),
)
FORM_PROVIDERS = ("twilio", "signalwire", "cloudonix", "telnyx", "exotel", "plivo", "vobiz")
WORDS = ("in-progress", "ringing", "completed", "busy", "no-answer", "failed", "canceled", "answered")
EVENTS = ("StartStream", "StopStream", "DroppedStream", "Hangup")
EXPECTED: Mapping[str, Mapping[str, Any]] = json.loads(
    Path(__file__).with_name("wire_documents.json").read_text("utf-8")
)


@functools.cache
def settings(name: str) -> Mapping[str, str]:
    """Return the settings of an account; making a key takes its time."""
    return open_account(name, "https://api.example.com").settings


def is_base64(annotation: object) -> bool:
    """Return whether a key of this type is bytes in base64; of a ``Rotated`` one, each of the two is."""
    metadata = getattr(annotation, "__metadata__", ())
    return any(check in metadata for check in OF_BASE64) or any(map(is_base64, get_args(annotation)))


def account(name: str, without: str = "") -> Provider:
    """Return the provider of an account, ``without`` one of its settings; one stream of call-1 has come about."""
    opened = settings(name)
    known = {key: f"the-{key}" for key, value in opened.items() if not value.startswith(("http", "-----BEGIN"))}
    fields = settings_of(name).model_fields
    secrets = {key: SECRET for key in opened if is_base64(fields[key].annotation)}
    values = {key: FromEnvironment(value, "the account") for key, value in {**opened, **known, **secrets}.items()}
    values.pop(without, None)
    made = make_provider(name, settings_of(name).model_validate(values), "https://gw.example.com")
    made.codec(Upgrade(headers={"x-ms-call-connection-id": "call-1"}), Grant("support", "call-1", "+14155550123"))
    return made


def of_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers; of a token of ours only what it says, without what is new each time."""
    read = dict(headers)
    if read.get("Authorization", "").startswith("Bearer ey"):
        claims = jwt.decode(read["Authorization"].removeprefix("Bearer "), options={"verify_signature": False})
        read["Authorization"] = f"Bearer of {claims['application_id']} for {claims['exp'] - claims['iat']} s"
    if "x-ms-date" in read:
        read["x-ms-date"] = "now"
        read["Authorization"] = read["Authorization"].partition("&Signature=")[0]  # the tests of ACS check it
    return read


def of_request(request: HttpRequest) -> dict[str, Any]:
    """Return a request as data."""
    read: dict[str, Any] = {
        "request": f"{request.method} {request.url}",
        "headers": of_headers(request.headers),
        "body": request.body.decode(),
    }
    if request.gone or request.repeatable:
        read |= {"gone": list(request.gone), "repeatable": request.repeatable}
    return read


def told(result: object) -> Any:
    """Return what a provider's method returned, as data; what follows a stream with all that may follow."""
    match result:
        case HttpRequest():
            return of_request(result)
        case Answer(requests=requests, otherwise=otherwise):
            read = {"status": result.status, "type": result.content_type, "body": result.body}
            return read | {key: told(of) for key, of in (("requests", requests), ("otherwise", otherwise)) if of}
        case StreamEnded():
            following = {what: told(result.answer(after)) for what, after in AFTERS.items()}
            return {"call": result.call_id, "called": result.called, "then": following}
        case IncomingCall():
            return [result.call_id, result.caller, result.called, result.context]
        case CallStatus():
            return {name: value for name in result.__struct_fields__ if (value := getattr(result, name))}
        case list() | tuple():
            return [told(one) for one in result]
    raise AssertionError(f"not known here: {result!r}")


def tried(ask: Callable[[], object]) -> Any:
    """Return what comes of it, a refusal in its words."""
    try:
        return told(ask())
    except GatewayError as error:
        return str(error)


def form(*fields: tuple[str, str], query: Sequence[tuple[str, str]] = ()) -> WebhookRequest:
    """Return a webhook of a form."""
    return WebhookRequest("POST", ANSWER_URL, {"x-cx-session": "session-1"}, (*FORM, *fields), query=query)


def posted(body: object, query: Sequence[tuple[str, str]] = ()) -> WebhookRequest:
    """Return a webhook of JSON."""
    headers = {"content-type": "application/json"}
    return WebhookRequest("POST", ANSWER_URL, headers, body=json.dumps(body).encode(), query=query)


OF_WEBHOOKS = ("answer", "answer with all", "refuse")
ASKED: Mapping[str, Callable[[Provider], object]] = {
    "answer": lambda made: answer_call(made, CALL, CONNECT),
    "answer with all": lambda made: answer_call(made, CALL, WHOLE),
    "refuse": lambda made: webhooks(made).refuse(CALL),
    "hang up": lambda made: hang_up(made, "call-1"),
    "hang up a call of TeXML": lambda made: hang_up(made, "CALL@ACCOUNT"),
    "transfer to a number": lambda made: transfer(made, "call-1", "+14155550111"),
    "transfer to an address": lambda made: transfer(made, "call-1", "sip:desk@example.com"),
    "transfer a call of TeXML": lambda made: transfer(made, "CALL@ACCOUNT", "+14155550111"),
    "send digits": lambda made: send_digits(made, "call-1", "12#"),
    "send digits to a call of TeXML": lambda made: send_digits(made, "CALL@ACCOUNT", "12#"),
} | {
    f"after the stream, {what}": lambda made, after=after: after_stream(made, "call-1", after)
    for what, after in AFTERS.items()
}


def announced(name: str) -> dict[str, WebhookRequest]:
    """Return the webhooks of a provider, by what they tell."""
    ended, transfer = (("stream", "ended"),), (("transfer", "+14155550111"),)
    found: dict[str, WebhookRequest] = {}
    if name in FORM_PROVIDERS:
        found |= {"a call": form(), "what follows": form(query=ended), "a transfer": form(query=transfer)}
        fallback = ("ErrorCode", "11200")
        found |= {
            "another document failed": form(fallback, ("CallStatus", "in-progress")),
            "the first document failed": form(fallback, ("CallStatus", "ringing")),
        }
    if name in WEBHOOKS:
        body = WEBHOOKS[name][0]
        found |= {
            "a call by JSON": posted(body),
            "what follows by JSON": posted(body, ended),
            "a transfer by JSON": posted(body, transfer),
            "an end by JSON": posted(STATUSES[name][0]),
        }
    return found


def statuses(name: str) -> dict[str, WebhookRequest]:
    """Return the callbacks of a provider, by what they tell."""
    found: dict[str, WebhookRequest] = {}
    if name in FORM_PROVIDERS:
        found |= {word: form(("CallStatus", word), ("Status", word)) for word in WORDS}
        found |= {event: form(("Event", event)) for event in EVENTS}
    if name in STATUSES:
        found["an end by JSON"] = posted(STATUSES[name][0])
    return found


def everything(name: str) -> dict[str, Any]:
    """Return all that a provider is told and asked, and what it tells."""
    made = account(name)
    asked = {
        what: tried(lambda ask=ask: ask(made))  # type: ignore[misc]
        for what, ask in ASKED.items()
        if made.webhooks or what not in OF_WEBHOOKS
    }
    called = {
        f"webhook: {what}": tried(lambda request=request: webhooks(provider_of(name)).incoming(request))  # type: ignore[misc]
        for what, request in announced(name).items()
    }
    ended = {
        f"callback: {what}": tried(lambda request=request: webhooks(provider_of(name)).status(request))  # type: ignore[misc]
        for what, request in statuses(name).items()
    }
    return asked | called | ended


class Keys(BaseModel):
    """The keys of a vendor, under names that no provider here has."""

    hash: Base64Secret | None = None
    proof: Rotated[Base64Secret] | None = None
    published: Rotated[PublicKey] | None = None
    text: Rotated[Secret] | None = None
    user: Name | None = None


def test_a_key_in_base64_is_known_by_its_type() -> None:
    """So that a new provider needs no line here."""
    found = [key for key, field in Keys.model_fields.items() if is_base64(field.annotation)]
    assert found == ["hash", "proof", "published"]


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_provider_is_told_stays_as_it_is(name: str) -> None:
    """Letter by letter: a member too many or too few gets a request refused."""
    assert everything(name) == EXPECTED[name]


@pytest.mark.parametrize("name", PROVIDERS)
def test_without_credentials_nothing_is_asked_of_a_provider(name: str) -> None:
    """A request without a key would be refused, and would tell a stranger the call's id."""
    bare = make_provider(name, settings_of(name)())
    assert list(hang_up(bare, "call-1")) == []
    assert list(transfer(bare, "call-1", "+14155550111")) == []
    assert list(send_digits(bare, "call-1", "12#")) == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_request_is_whole_or_is_not_made(name: str) -> None:
    """Where a credential is missing, a request without it would only be refused."""
    made = account(name)
    asked = {what: ask for what, ask in ASKED.items() if what not in OF_WEBHOOKS}
    whole = {what: told(ask(made)) for what, ask in asked.items()}
    for key in settings(name):
        if key.endswith("_url"):
            continue  # it has a default of its own
        lacking = account(name, key)
        for what, ask in asked.items():
            assert told(ask(lacking)) in (whole[what], []), (what, key)
