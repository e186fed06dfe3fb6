"""Every provider controls a call as its traits say; its requests say what counts as done, and what may come twice."""

from collections.abc import Callable, Sequence
from urllib.parse import unquote

import pytest

from gateway.phone.commands import (
    EndStream,
    PhoneCommand,
    PlayAudio,
    SendDigits,
    SendMark,
    StopPlayback,
    StreamCommand,
    TransferCall,
)
from gateway.phone.events import DigitPressed
from gateway.phone.pointing import ByApi, ByHand
from gateway.phone.provider import Confirmation, Provider
from gateway.phone.providers import PROVIDERS
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Connect, IncomingCall
from tests.conformance.accounts import IDS, account
from tests.conformance.transcripts import bare, golden, transcripts
from tests.conformance.wires import begin, begun, format_of, start_text
from tests.phone.parts import after_stream, answer_call, hang_up, redirect, send_digits, transfer


def asked(name: str, ask: Callable[[Provider, str], Sequence[HttpRequest]]) -> list[HttpRequest]:
    """Return what is asked, but for tokens that are fetched before it."""
    requests = [request for call_id in IDS for request in ask(account(name), call_id)]
    return [request for request in requests if not request.url.endswith("/token")]


ASKS: dict[str, Callable[[Provider, str], Sequence[HttpRequest]]] = {
    "end": hang_up,
    "number": lambda made, call_id: transfer(made, call_id, "+14155550111"),
    "sip": lambda made, call_id: transfer(made, call_id, "sip:desk@example.com"),
    "keys": lambda made, call_id: send_digits(made, call_id, "12#"),
    "words after": lambda made, call_id: after_stream(made, call_id, After(say="Good bye.")),
    "transfer after": lambda made, call_id: after_stream(made, call_id, After(transfer="+14155550111")),
    "nothing after": lambda made, call_id: after_stream(made, call_id, After()),
}


def by_traits(name: str) -> set[str]:
    """Return what is to be asked of an API, by what the provider says of itself."""
    traits = bare(name).traits
    wanted = {
        "end": "REST" in traits.hang_up,
        "number": traits.transfer.startswith("REST"),
        "sip": traits.transfer.startswith("REST") and "to numbers" not in traits.transfer,
        "keys": traits.keys_out == "REST",
    }
    return {what for what, is_wanted in wanted.items() if is_wanted}


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_is_asked_of_an_api_is_what_the_traits_say(name: str) -> None:
    """Hang-up, transfer and digits; what follows a stream, where the provider has requests for it."""
    found = {what for what, ask in ASKS.items() if asked(name, ask)}
    after = {what for what in found if what.endswith("after")}
    wanted = by_traits(name)
    assert found - after == wanted, (
        f"{name}: by hang_up, transfer and keys_out of its traits its API is asked for {sorted(wanted)}, and it is for "
        f"{sorted(found - after)}; where it dials numbers and no SIP addresses, transfer is 'REST, to numbers'"
    )
    commands = account(name).commands
    assert bool(after) == (commands is not None and commands.after_stream is not None)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_that_can_be_sent_on_has_the_rescue_in_its_document(name: str) -> None:
    """Then nobody is asked after a failure, and whatever else follows is to be asked for at the URL of the request."""
    provider = account(name)
    if provider.commands is None or provider.commands.redirect is None:
        return
    url = "https://voice.example.com/answer/x/line?stream=ended"
    requests = asked(name, lambda made, call_id: redirect(made, call_id, url))
    assert requests
    named = [unquote(f"{request.url} {(request.body or b'').decode()}").replace("&amp;", "&") for request in requests]
    assert all(url in text for text in named), named
    connect = Connect("wss://voice.example.com/stream/x", on_failure=After("Sorry.", transfer="+14255550177"))
    answer = answer_call(provider, IncomingCall(IDS[1], "+14155550123", "+14255550100"), connect)
    assert "Sorry." in answer.body
    assert "14255550177" in answer.body


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_the_wire_carries_is_what_the_traits_say(name: str) -> None:
    """Clearing, marks, digits, transfer and the end, each by a message where the traits name the stream."""
    traits, playout = bare(name).traits, begin(name, str(start_text(name)))[0].playout
    marks = traits.confirmation in (Confirmation.MARKS, Confirmation.PLAYED_MARKS)
    wanted: dict[PhoneCommand | StreamCommand, tuple[bool, str]] = {
        StopPlayback(): (traits.clears and not traits.sends_on_receipt, "clears, or sends_on_receipt,"),
        SendMark("m-1"): (marks, "confirmation"),
        SendDigits("1"): (traits.keys_out == "stream", "keys_out"),
        TransferCall("+14155550111"): (traits.transfer.startswith("stream"), "transfer"),
        EndStream(): (traits.hang_up.startswith("stream"), "hang_up"),
    }
    for command, (is_wanted, trait) in wanted.items():
        codec = begun(name)
        codec.encode(PlayAudio(format_of(golden(name)).silence(400)))
        sent = list(codec.encode(command))
        says = f"{name}: {command} is sent as {sent}, and {trait} of the traits says otherwise"
        assert bool(sent) == is_wanted, f"{says}; a way begins with stream if the wire has a message, and only then"
    assert playout.returns_marks or not marks, f"{name}: confirmation of the traits: the playout returns no marks"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_that_brings_keys_shows_one(name: str) -> None:
    """In a transcript."""
    shown = any(
        isinstance(event, DigitPressed)
        for transcript in transcripts(name)
        for step in transcript.steps
        for event in step.events
    )
    has = bare(name).traits.keys_in
    assert shown == has, f"{golden(name).path}: " + (
        "add a key, with its event DigitPressed, or set keys_in=False in the traits"
        if has
        else "it has a key, but keys_in=False in the traits: set True"
    )


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_command_that_a_wire_does_not_know_is_a_bug_that_shows(name: str) -> None:
    """Each wire decides what a new command means to it; one that let it go in silence would hide that."""
    with pytest.raises(AssertionError):
        begun(name).encode(object())  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_hang_up_may_find_the_call_gone(name: str) -> None:
    """The call is over then, as it should be; and it may be ended twice."""
    for request in asked(name, ASKS["end"]):
        assert 404 in request.gone
        assert request.repeatable


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("what", ["number", "sip", "keys", "words after", "transfer after"])
def test_nothing_else_may(name: str, what: str) -> None:
    """A call that is not found was not transferred, and no keys were dialled; neither may happen twice."""
    hang_ups = [] if bare(name).traits.says_after else asked(name, ASKS["end"])
    for request in asked(name, ASKS[what]):
        if request in hang_ups:
            continue  # in place of words that it cannot say
        assert request.gone == ()
        assert not request.repeatable


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_declares_what_it_has(name: str) -> None:
    """What it has not is ``None``, so that whoever asks need not make a request to find out."""
    made, has = account(name), by_traits(name)
    assert made.name == name, f"{name}: take name from setup.name"
    assert (made.commands is not None) == bool(has)
    if made.commands is not None:
        assert (made.commands.transfer is not None) == ("number" in has)
        assert (made.commands.send_digits is not None) == ("keys" in has)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_number_is_pointed_by_an_api_or_by_hand(name: str) -> None:
    """And what is to be entered by hand names one of our addresses."""
    pointing = getattr(bare(name), "pointing", None)
    assert isinstance(pointing, ByApi | ByHand), (
        f'{name}: write pointing into gateway/phone/providers/{name}/provider.py: ByHand("Enter {{answer}} as …"), '
        "a sentence that says what the operator is to enter where, or ByApi"
    )
    if isinstance(pointing, ByHand):
        text = pointing.instructions
        assert "{answer}" in text or "{stream}" in text, f"{name}: name {{answer}} or {{stream}} in ByHand({text!r})"


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_account_without_credentials_has_no_commands(name: str) -> None:
    """A request without them would only be refused."""
    assert bare(name).commands is None, f"{name}: leave commands None where a key that they need is not set"
