"""Every provider reads any webhook or refuses it, believes none without its secret, and rejects a call as busy."""

import functools
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import SecretStr

from gateway.config.providers import settings_of
from gateway.config.secrets import may_be_two
from gateway.errors import WireError
from gateway.phone.events import CallStarted
from gateway.phone.provider import Proof, Provider, SignatureError, StartProof, Upgrade
from gateway.phone.providers import PROVIDERS
from gateway.phone.shared.jwks import UnknownKeyError
from gateway.phone.waiting import Wait
from gateway.phone.webhook import After, Answer, CallStatus, IncomingCall, StreamEnded, WebhookRequest
from tests.conformance.accounts import CALL, CONNECT, GATEWAY, IDS, account
from tests.conformance.transcripts import about, bare, golden
from tests.conformance.wires import start_text, unvouched, words
from tests.kinds import ASKING
from tests.phone.any_json import values
from tests.phone.parts import answer_call, verify_upgrade, webhooks

NOW_S = 1_800_000_000.0
UPGRADE = Upgrade("wss://gw.example.com/stream/any")
EMPTY = WebhookRequest("POST", f"{GATEWAY}/answer/any", {})
account_of = functools.cache(account)
"""The provider of an account; making a key takes its time."""


@functools.cache
def requests(name: str) -> st.SearchStrategy[WebhookRequest]:
    """Make webhooks with the names and values that the source of a provider knows, and anything else."""
    known = st.sampled_from(words(name))
    text = known | st.text(max_size=12)
    fields = st.lists(st.tuples(text, text), max_size=6)
    leaf = values | known
    inner = st.dictionaries(known, leaf, max_size=5)
    objects = st.dictionaries(known, leaf | inner | st.lists(inner, max_size=2), max_size=6)
    body = objects.map(lambda read: json.dumps(read).encode()) | st.lists(objects, max_size=2).map(
        lambda read: json.dumps(read).encode()
    )
    return st.builds(
        WebhookRequest,
        method=st.sampled_from(["GET", "POST"]),
        url=st.just(f"{GATEWAY}/answer/{name}"),
        headers=st.dictionaries(text.map(str.lower), text, max_size=3),
        form=fields,
        body=body | st.binary(max_size=100) | values.map(lambda read: json.dumps(read).encode()),
        query=fields | st.just([("stream", "ended")]) | st.just([("transfer", "+14155550111")]),
    )


@pytest.mark.parametrize("name", ASKING)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_webhook_is_read_or_a_wire_error(name: str, data: st.DataObject) -> None:
    """A call, the end of a stream, an answer, statuses; or a WireError that says what is wrong."""
    request = data.draw(requests(name))
    made = webhooks(account_of(name))
    try:
        assert isinstance(made.incoming(request), IncomingCall | StreamEnded | Answer)
    except WireError as error:
        assert str(error)
    try:
        assert all(isinstance(status, CallStatus) for status in made.status(request))
    except WireError as error:
        assert str(error)


@pytest.mark.parametrize("name", ASKING)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_webhook_without_its_proof_is_refused(name: str, data: st.DataObject) -> None:
    """Whatever its headers, fields and body say."""
    request = data.draw(requests(name))
    with pytest.raises((SignatureError, UnknownKeyError)) as caught:
        webhooks(account_of(name)).verify(request, NOW_S)
    assert str(caught.value)


@pytest.mark.parametrize("name", ASKING)
def test_without_its_secret_every_webhook_is_refused(name: str) -> None:
    """And the log names what is not set."""
    with pytest.raises(SignatureError) as caught:
        webhooks(bare(name)).verify(EMPTY, NOW_S)
    said = str(caught.value)
    assert "not set" in said, f"{name}: say that it is not set: {said!r}"
    assert name in said.lower(), f"{name}: name the variable that is not set, by variable_of: {said!r}"


@pytest.mark.parametrize("name", PROVIDERS)
def test_without_its_proofs_nothing_is_believed(name: str) -> None:
    """Whatever else is set: neither a webhook nor a stream."""
    made = account(name, settings_of(name).proofs)
    assert proof_of(made) is Proof.NONE
    if made.webhooks is not None:
        with pytest.raises(SignatureError):
            made.webhooks.verify(EMPTY, NOW_S)


def proof_of(made: Provider) -> Proof:
    """Return what a stream proves that brings nothing."""
    try:
        return verify_upgrade(made, UPGRADE, NOW_S)
    except SignatureError:
        return Proof.NONE


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_stream_that_brings_nothing_proves_nothing(name: str) -> None:
    """With all secrets set."""
    assert proof_of(account_of(name)) is Proof.NONE


@pytest.mark.parametrize("name", ASKING)
def test_a_call_is_connected_or_rejected(name: str) -> None:
    """The answer has the stream's address, or its request has; no answer that rejects a call has it.

    A provider whose streams have a fixed address has the token alone.
    """
    made = account_of(name)
    answers = [json.dumps(answer).encode() for answer in about(name).answers]
    connected, refused = answer_call(made, CALL, CONNECT, *answers), webhooks(made).refuse(CALL)
    expected = CONNECT.stream_url if made.verify_start is None else CONNECT.token
    said = everything(connected).replace("\\/", "/")
    assert expected in said, f"{name}: neither answer nor requests have {expected}: {said}"
    assert CONNECT.token not in everything(refused)
    assert everything(refused) != everything(connected)


WITHOUT_ROOM = {
    "say": (After(say="Nobody is free.", language="en-US"), None, "Nobody is free."),
    "transfer": (After(transfer="+14155550177"), None, "14155550177"),
    "wait": (After(), Wait(f"{GATEWAY}/answer/any?since=1"), "since=1"),
}
"""What a caller may get in place of busy, as the line wants it; and the text that the answer to it must have."""


@pytest.mark.parametrize("name", ASKING)
def test_a_call_without_room_gets_what_the_traits_say(name: str) -> None:
    """Words, a transfer or a wait, in the answer or its requests; the answer of busy where the traits have none."""
    made = account_of(name)
    calls = [replace(CALL, call_id=call_id) for call_id in IDS]
    able = {
        what
        for what, (follows, wait, wanted) in WITHOUT_ROOM.items()
        if any(wanted in everything(webhooks(made).full(call, follows, wait)) for call in calls)
    }
    assert able == set(made.traits.when_full), (
        f"{name}: when_full of its traits is {made.traits.when_full}, but Webhooks.full can {sorted(able) or 0}:"
        f" change the traits, or write full into gateway/phone/providers/{name}/provider.py"
    )
    for what in WITHOUT_ROOM.keys() - able:
        follows, wait, _ = WITHOUT_ROOM[what]
        for call in calls:
            assert webhooks(made).full(call, follows, wait) == webhooks(made).refuse(call), f"{name}: {what}: busy"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_proof_may_be_replaced_without_a_gap(name: str) -> None:
    """What proves a webhook or a stream takes two values, ``[new, old]``, of which both verify."""
    settings = settings_of(name)
    for key in settings.proofs:
        annotation = settings.model_fields[key].annotation
        assert may_be_two(annotation) or SecretStr.__name__ not in str(annotation), (
            f"{name}: {key} of class {settings.__name__} in gateway/config/providers.py takes one value alone: "
            f"write {key}: Rotated[Secret] | None, and read both by values_of"
        )


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_a_start_proves(name: str) -> None:
    """Where the address is fixed, the golden start brings the token or a proof, and one without parameters nothing."""
    made, path = account_of(name), golden(name).path
    (start,) = (event for event in unvouched(name).decode(start_text(name)) if isinstance(event, CallStarted))
    if made.verify_start is None:
        assert "{stream}" not in str(made.pointing) or made.webhooks is None or made.verify_upgrade is not None, (
            f"{name}: who enters {{stream}} has one address for all streams: write verify_start or verify_upgrade"
        )
        return
    said = made.verify_start(start, NOW_S)
    assert said.token or said.proof is Proof.STREAM, f"{path}: the start proves nothing: add the token that it brings"
    try:
        nothing = made.verify_start(replace(start, parameters={}), NOW_S)
    except SignatureError:
        return
    assert nothing == StartProof(), f"{name}: verify_start believes a start without parameters"


def everything(answer: Answer) -> str:
    """Return an answer with its requests as text."""
    assert isinstance(answer.requests, tuple)
    return answer.body + "".join(f"{request.url} {request.body.decode()}" for request in answer.requests)


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("read", ["incoming", "status"])
def test_a_webhook_that_says_nothing_is_refused(name: str, read: str) -> None:
    """With what was expected."""
    ask: Callable[[WebhookRequest], object] = getattr(webhooks(account_of(name)), read)
    with pytest.raises(WireError) as caught:
        ask(EMPTY)
    assert str(caught.value)
