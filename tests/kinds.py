"""The kinds of providers, by what each says of itself: no test lists names, so that each has a new provider in it."""

import contextlib
import functools
import json

from msgspec.structs import replace

from gateway.errors import GatewayError, WireError
from gateway.phone.events import CallStarted
from gateway.phone.provider import Grant, SignatureError, Upgrade
from gateway.phone.providers import PROVIDERS
from gateway.phone.webhook import After
from gateway.sim.phone.wire import Wire
from tests.conformance.accounts import CALL, CONNECT, IDS, account
from tests.conformance.transcripts import about, bare
from tests.phone.parts import answer_call, verify_upgrade

POLICY = 1008
"""The close code of a stream whose start proves nothing."""
ASKING = tuple(name for name in PROVIDERS if bare(name).webhooks is not None)
"""They ask us what to do with a call."""
STREAM_ONLY = frozenset(PROVIDERS) - frozenset(ASKING)
"""They ask no webhook: their streams prove by themselves whose they are."""
PROVEN_BY_START = frozenset(name for name in PROVIDERS if bare(name).verify_start is not None)
"""Their streams have a fixed address: the upgrade is accepted, and the first message decides."""
CLEARED_BY_MESSAGE = frozenset(
    name for name in PROVIDERS if bare(name).traits.clears and not bare(name).traits.sends_on_receipt
)
"""Audio that they have is discarded by a message of ours."""


def names_number(wire: Wire, number: str) -> bool:
    """Return whether a number stands in what a simulated phone begins a stream with; else the token alone says it."""
    return number in f"{wire.stream.url} {wire.stream.headers} {wire.opening()!r}"


def names_call(name: str, wire: Wire, call_id: str) -> bool:
    """Return whether a simulated phone begins its stream with this call's id; else the token alone says it."""
    place = about(name).call_id
    if not place:
        return call_id in f"{wire.stream.headers}"
    starts = [json.loads(message) for message in wire.opening() if isinstance(message, str)]
    return call_id in [functools.reduce(_member, place.split("."), start) for start in starts]


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def without_token(name: str, message: str | bytes) -> str | bytes:
    """Return a message without the token that proves a stream, for a gateway that demands none; another as it is."""
    verify = bare(name).verify_start
    if verify is None or isinstance(message, bytes):
        return message
    with contextlib.suppress(WireError):
        for event in bare(name).codec(Upgrade(), Grant()).decode(message):
            if isinstance(event, CallStarted) and (token := verify(event, 0.0).token):
                return message.replace(json.dumps(token)[1:-1], "")
    return message


@functools.cache
def rescues_by_document(name: str) -> bool:
    """Return whether the answer to a call says itself whom the caller is connected with where we are gone."""
    rescue = "14255550177"
    connect, answers = replace(CONNECT, on_failure=After(transfer=f"+{rescue}")), about(name).answers
    bodies = [json.dumps(answer).encode() for answer in answers]
    calls = (replace(CALL, call_id=call_id) for call_id in IDS)
    return any(rescue in answer_call(account(name), call, connect, *bodies).body for call in calls)


@functools.cache
def demands_proof(name: str) -> bool:
    """Return whether a stream needs more than our token: its own signature, from the first stream on."""
    if bare(name).traits.guesses_upgrade:
        return False
    try:
        verify_upgrade(account(name), Upgrade("wss://gw.example.com/stream/any"), 1_800_000_000.0)
    except (SignatureError, GatewayError):
        return True
    return False
