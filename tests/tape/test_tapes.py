import json
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.audio.formats import PCMU
from gateway.call import notes
from gateway.call.record import CallIdentity, TimedNote
from gateway.config.providers import settings_of
from gateway.fleet.memory import Memory
from gateway.fleet.used import SIZE, SharedUsedKeys
from gateway.phone.events import CallStarted, Playout
from gateway.phone.provider import Grant, Provider, Upgrade
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import Answer, WebhookRequest
from gateway.rest import Exchanged
from gateway.served import make_provider
from gateway.tape.form import Tape, read_tape
from gateway.tape.tapes import ATTEMPTS, Tapes, Wanted, current
from tests.tape.test_sockets import Socket

TESTER, SOMEBODY, LINE = "+14155550123", "+14155550199", "+14255550100"
TWILIO = make_provider("twilio", settings_of("twilio")())


def make(folder: Path, used: SharedUsedKeys | None = None, calls: int = 1) -> Tapes:
    """Tapes of the tester's calls."""
    return Tapes(Wanted(folder, TESTER, calls), key=b"key", used=used or SharedUsedKeys(Memory(SIZE)))


def webhook(call_id: str, caller: str = TESTER, provider: Provider = TWILIO) -> WebhookRequest:
    """The webhook of an incoming call."""
    fields = {"CallSid": call_id, "From": caller, "To": LINE, "CallStatus": "ringing", "Direction": "inbound"}
    return WebhookRequest("POST", f"https://v.example.com/answer/{provider.name}", {}, form=tuple(fields.items()))


def started(call_id: str, caller: str = TESTER) -> CallStarted:
    """The start of a stream."""
    return CallStarted(call_id, "MZ1", PCMU, Playout(), caller, LINE)


def tapes_in(folder: Path) -> list[Tape]:
    """What was written."""
    return [read_tape(file) for file in sorted(folder.glob("*.jsonl"))]


def kinds(tape: Tape) -> list[str]:
    """The records of a tape in short."""
    return [" ".join(filter(None, (line.side, line.to, line.kind))) for _, line in tape.lines]


async def test_a_call_is_taped_from_its_webhook_to_its_end(tmp_path: Path) -> None:
    """One file: the webhook, the request that was made for it, the stream, the notes, a later callback."""
    async with make(tmp_path) as tapes:
        with tapes.webhook(TWILIO, webhook("CA1")) as answered:
            request = HttpRequest("POST", "https://api.twilio.com/x", {"Authorization": "Basic abc"})
            tapes.exchanged(Exchanged(request, 0.0, 200, {}, b"{}"))
            answered(Answer("<Response/>", "text/xml"), "")
        assert current.get() is None
        socket = tapes.stream(Socket("hello"), TWILIO, Upgrade("wss://v.example.com/stream/twilio"), Grant("", "CA1"))
        await socket.receive()
        with tapes.call(socket, TWILIO, started("CA1")):
            identity = CallIdentity("CA1", "twilio", "support", TESTER, LINE, "pcmu/8000", 0.0)
            tapes.observe(identity, TimedNote(1e9, notes.CallerSaid("item_1", "hello Alice")))
        with tapes.webhook(TWILIO, webhook("CA1")) as answered:
            answered(None, "no such call")
    (tape,) = tapes_in(tmp_path)
    assert kinds(tape) == [
        "webhook in request",
        "rest out request",
        "rest in answer",
        "webhook out answer",
        "phone in upgrade",
        "phone out opened",
        "phone in message",
        "gateway started",
        "webhook in request",
        "webhook out answer",
        "gateway note",
    ]
    assert "Alice" not in json.dumps([cast(Any, line.facts) for _, line in tape.lines])
    ((_, first), (_, last)) = tape.of("webhook", "in")[0], tape.of("webhook", "out")[-1]
    assert first.n != last.n
    assert (last.http or {})["failure"] == "no such call"


async def test_nobody_else_is_taped(tmp_path: Path) -> None:
    """Neither a webhook nor a stream; the stream keeps its socket."""
    async with make(tmp_path) as tapes:
        with tapes.webhook(TWILIO, webhook("CA2", SOMEBODY)) as answered:
            answered(Answer(), "")
        socket = Socket()
        assert tapes.stream(socket, TWILIO, Upgrade(), Grant("", "CA2", SOMEBODY)) is socket
    assert tapes_in(tmp_path) == []


async def test_a_stream_without_webhook_is_taped_once_its_start_names_the_tester(tmp_path: Path) -> None:
    """With what came before the start."""
    async with make(tmp_path) as tapes:
        socket = tapes.stream(Socket("hello"), TWILIO, Upgrade(), Grant())
        await socket.receive()
        with tapes.call(socket, TWILIO, started("CA3")):
            assert current.get() is not None
            socket.send("bye")
    (tape,) = tapes_in(tmp_path)
    assert kinds(tape)[-2:] == ["gateway started", "phone out message"]
    assert "phone in message" in kinds(tape)


async def test_a_stream_that_turns_out_to_be_anothers_costs_nothing_any_more(tmp_path: Path) -> None:
    """What was kept is forgotten, and the socket is the real one."""
    async with make(tmp_path) as tapes:
        real = Socket("hello")
        socket = tapes.stream(real, TWILIO, Upgrade(), Grant())
        assert socket is not real
        await socket.receive()
        with tapes.call(socket, TWILIO, started("CA4", SOMEBODY)):
            assert current.get() is None
            assert socket.send == real.send
    assert tapes_in(tmp_path) == []


async def test_no_more_calls_are_taped_than_were_asked_for(tmp_path: Path) -> None:
    """A second one keeps its socket from the beginning."""
    async with make(tmp_path) as tapes:
        for call_id in ("CA5", "CA6"):
            with tapes.webhook(TWILIO, webhook(call_id)) as answered:
                answered(Answer(), "")
        socket = Socket()
        assert tapes.stream(socket, TWILIO, Upgrade(), Grant("", "CA6")) is socket
        late = tapes.stream(socket, TWILIO, Upgrade(), Grant())
        with tapes.call(late, TWILIO, started("CA12")):
            assert current.get() is None
            assert late.send == socket.send
    assert len(tapes_in(tmp_path)) == 1


async def test_a_stream_at_a_fixed_address_finds_the_tape_of_its_webhook(tmp_path: Path) -> None:
    """Its start alone says whose it is, though no further call is wanted."""
    async with make(tmp_path) as tapes:
        with tapes.webhook(TWILIO, webhook("CA13")) as answered:
            answered(Answer(), "")
        socket = tapes.stream(Socket("hello"), TWILIO, Upgrade(), Grant())
        await socket.receive()
        with tapes.call(socket, TWILIO, started("CA13", "")):
            pass
    (tape,) = tapes_in(tmp_path)
    assert {"webhook in request", "phone in message", "gateway started"} <= set(kinds(tape))


async def test_two_workers_write_one_tape_and_count_together(tmp_path: Path) -> None:
    """One answers the webhook, the other gets the stream; both know that no further call is wanted."""
    used = SharedUsedKeys(Memory(SIZE))
    async with make(tmp_path, used) as first, make(tmp_path, used) as second:
        with first.webhook(TWILIO, webhook("CA7")) as answered:
            answered(Answer(), "")
        socket = second.stream(Socket("hello"), TWILIO, Upgrade(), Grant("", "CA7", TESTER))
        await socket.receive()
        with second.call(socket, TWILIO, started("CA7")):
            pass
        for tapes in (first, second):
            with tapes.webhook(TWILIO, webhook("CA8")) as answered:
                answered(Answer(), "")
    (tape,) = tapes_in(tmp_path)
    assert {"webhook in request", "phone in message", "gateway started"} <= set(kinds(tape))
    ((_, asked),) = tape.of("webhook", "in")
    fields = dict((asked.http or {})["form"]) if "form" in (asked.http or {}) else {}
    ((_, begun),) = tape.of("gateway", kind="started")
    assert (begun.facts or {})["call_id"] == tape.header.call
    assert fields.get("CallSid", tape.header.call) == tape.header.call


async def test_a_refused_webhook_of_the_tester_is_taped_and_does_not_count(tmp_path: Path) -> None:
    """A signature of another form is what a first call fails by. There is a limit: anybody can send such."""
    async with make(tmp_path) as tapes:
        for number in range(ATTEMPTS + 5):
            tapes.refused_webhook(TWILIO, webhook(f"CB{number}"), "the signature is wrong")
        tapes.refused_webhook(TWILIO, webhook("CB99", SOMEBODY), "the signature is wrong")
        with tapes.webhook(TWILIO, webhook("CA9")) as answered:
            answered(Answer(), "")
    made = tapes_in(tmp_path)
    assert len(made) == ATTEMPTS + 1
    refused = [tape for tape in made if "the signature is wrong" in str([line.http for _, line in tape.lines])]
    assert len(refused) == ATTEMPTS


async def test_a_refused_upgrade_is_on_the_tape_of_the_call_that_waits_for_it(tmp_path: Path) -> None:
    """With its headers' names and the reason."""
    async with make(tmp_path) as tapes:
        with tapes.webhook(TWILIO, webhook("CA10")) as answered:
            answered(Answer(), "")
        tapes.refused_stream(TWILIO, Upgrade("wss://v.example.com/x", {}, {"x-new-signature": "abc"}), "no signature")
        tapes.refused_stream(make_provider("plivo", settings_of("plivo")()), Upgrade(), "another provider's")
    (tape,) = tapes_in(tmp_path)
    ((_, upgrade),) = tape.of("phone", "in", "upgrade")
    assert (upgrade.http or {})["headers"] == {"x-new-signature": "$secret 3"}
    ((_, refused),) = tape.of("phone", "out", "refused")
    assert refused.facts == {"reason": "no signature"}


@pytest.mark.parametrize("caller", ["14155550123", "+1 415-555-0123", "sip:+14155550123@pbx.example.com"])
async def test_the_tester_is_known_in_each_spelling(tmp_path: Path, caller: str) -> None:
    """Providers write numbers in many ways."""
    async with make(tmp_path) as tapes:
        with tapes.webhook(TWILIO, webhook("CA11", caller)) as answered:
            answered(Answer(), "")
    assert len(tapes_in(tmp_path)) == 1
