"""A provider that opens a lost stream again: with the call's token, as often as its traits say, and no later."""

import os
import time
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from gateway.call.ending import EndCall, EndReason
from gateway.config.providers import Twilio as Settings
from gateway.fleet.memory import shared_file
from gateway.fleet.places import KnownCall
from gateway.fleet.used import SIZE
from gateway.phone.provider import Grant, SignatureError
from gateway.phone.providers.twilio.provider import Twilio
from gateway.routes import media_stream, stream_keys
from gateway.routes.stream_keys import may_reconnect, note_lost, note_over
from tests.phone.parts import setup
from tests.phone.test_refusal_words import bare
from tests.routes.stage import Run, Stage, stand_in
from tests.routes.test_stream_keys import GRANT, TOKENS, TWILIO, Door, token

OLD, AGAIN, HAD = "too old", r"^the stream's token was used before$", r"^the call had its stream before$"


class Reconnecting(Twilio):
    """One that opens a lost stream again, as often as it is told to."""

    def __init__(self, times: int = 1, name: str = "twilio") -> None:
        super().__init__(Settings(), setup(name))
        self.traits = msgspec.structs.replace(TWILIO.traits, reconnects=times)


ONCE = Reconnecting()


class Timed(Door):
    """The keys, at a time of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.passed_s, began = 0.0, time.time()
        self.used._now = lambda: self.passed_s
        monkeypatch.setattr("gateway.routes.stream_keys.time.time", lambda: began + self.passed_s)


def test_exotel_reconnects_once() -> None:
    """Its documents promise one attempt; unless a provider says so, one call has one stream."""
    assert (bare("exotel").traits.reconnects, bare("twilio").traits.reconnects) == (1, 0)


async def test_a_lost_stream_is_opened_again_once() -> None:
    """Not while it is open; with the token that it had or with another one; and once for all its losses."""
    for second in (token(), token()):
        door, first = Door(), token()
        assert await door.open(ONCE, first) == GRANT
        with pytest.raises(SignatureError, match=AGAIN):
            await door.open(ONCE, first)
        with pytest.raises(SignatureError, match=HAD):
            await door.open(ONCE, second)
        note_lost(door.used, ONCE, "CA1")
        with capture_logs() as logs:
            assert await door.open(ONCE, first) == GRANT
        assert [(entry["event"], entry["provider"], entry["call"]) for entry in logs] == [
            ("stream_reconnected", "twilio", "CA1")
        ]
        for _ in range(2):
            with pytest.raises(SignatureError, match=AGAIN):
                await door.open(ONCE, first)
            with pytest.raises(SignatureError, match=r"before$"):
                await door.open(ONCE, second)
            note_lost(door.used, ONCE, "CA1")


async def test_each_loss_allows_one_more_stream_up_to_the_bound() -> None:
    """Two losses that nobody answered are one; the count is the provider's."""
    door, given, twice = Door(), token(), Reconnecting(2)
    await door.open(twice, given)
    for _ in range(2):
        note_lost(door.used, twice, "CA1")
        note_lost(door.used, twice, "CA1")
        await door.open(twice, given)
        with pytest.raises(SignatureError, match=AGAIN):
            await door.open(twice, given)
    note_lost(door.used, twice, "CA1")
    with pytest.raises(SignatureError, match=AGAIN):
        await door.open(twice, given)


async def test_other_providers_open_no_stream_again() -> None:
    """A token that stands in a log opens nothing, though the stream was lost."""
    door, given = Door(), token()
    await door.open(TWILIO, given)
    note_lost(door.used, TWILIO, "CA1")
    with pytest.raises(SignatureError, match=AGAIN):
        await door.open(TWILIO, given)


async def test_a_loss_is_of_one_call_of_one_provider() -> None:
    """Another call and another provider's have lost nothing, and neither has a stream that named no call."""
    door, unnamed = Door(), token(Grant("support"))
    await door.open(ONCE, unnamed)
    await door.open(ONCE, token())
    note_lost(door.used, ONCE, "CA2")
    note_lost(door.used, Reconnecting(name="vobiz"), "CA1")
    note_lost(door.used, ONCE, "")
    assert not may_reconnect(door.used, ONCE, "")
    with pytest.raises(SignatureError, match=HAD):
        await door.open(ONCE, token())
    with pytest.raises(SignatureError, match=AGAIN):
        await door.open(ONCE, unnamed)


async def test_a_call_that_is_over_is_not_opened_again() -> None:
    """Its provider has reported its end."""
    door, given = Door(), token()
    await door.open(ONCE, given)
    note_lost(door.used, ONCE, "CA1")
    note_over(door.used, "twilio", "CA1")
    with pytest.raises(SignatureError, match=AGAIN):
        await door.open(ONCE, given)
    with pytest.raises(SignatureError, match=r"^the call is over: its provider has reported its end$"):
        await door.open(ONCE, token())


async def test_a_token_outlives_its_time_where_its_stream_was_lost_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call lasts longer than the minute for which a token is good; a minute after the loss nothing opens it."""
    door, given, unopened = Timed(monkeypatch), token(), token(Grant("support", "CA2"))
    await door.open(ONCE, given)
    door.passed_s = 1800.0
    for refused in (given, unopened):
        with pytest.raises(SignatureError, match=OLD):
            await door.open(ONCE, refused)
    note_lost(door.used, ONCE, "CA1")
    with pytest.raises(SignatureError, match=OLD):
        await door.open(ONCE, unopened)
    with pytest.raises(SignatureError, match=OLD):
        await door.open(ONCE, given[:-4] + "AAAA")
    door.passed_s += stream_keys.RECONNECT_S - 1
    assert await door.open(ONCE, given) == GRANT


async def test_a_stream_that_was_lost_long_ago_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider opens it at once, or never."""
    door, given = Timed(monkeypatch), token()
    await door.open(ONCE, given)
    note_lost(door.used, ONCE, "CA1")
    door.passed_s = stream_keys.RECONNECT_S + 1
    with pytest.raises(SignatureError, match=OLD):
        await door.open(ONCE, given)
    with pytest.raises(SignatureError, match=HAD):
        await door.open(ONCE, TOKENS.issue("twilio", GRANT, time.time()))


async def test_another_worker_opens_the_stream_again() -> None:
    """They share what was lost and what was opened again."""
    descriptor = shared_file(SIZE)
    try:
        first, second, given = Door(shared=descriptor), Door(shared=descriptor), token()
        await first.open(ONCE, given)
        with pytest.raises(SignatureError, match=AGAIN):
            await second.open(ONCE, given)
        note_lost(first.used, ONCE, "CA1")
        assert await second.open(ONCE, given) == GRANT
        with pytest.raises(SignatureError, match=AGAIN):
            await first.open(ONCE, given)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("end", list(EndReason))
async def test_only_a_lost_stream_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: EndReason
) -> None:
    """The bot that hung up, the caller that did, whatever went wrong here: none of it is a reason."""
    run = Run(EndCall(end, "provider"))
    monkeypatch.setattr(media_stream, "Call", stand_in(run))
    stage = Stage(tmp_path)
    stage.provider.traits = ONCE.traits
    await stage.stream("start")
    assert may_reconnect(stage.used, stage.provider, "CA1") is (end is EndReason.STREAM_LOST)
    assert stage.outcomes.find(("twilio", "CA1")) is end


@pytest.mark.parametrize("failure", ["", "reset by peer"])
async def test_a_stream_may_be_lost_before_its_start(tmp_path: Path, failure: str) -> None:
    """Its provider tries again; one that closes it in order does not."""
    stage = Stage(tmp_path)
    stage.provider.traits = ONCE.traits
    await stage.stream(failure=failure)
    assert may_reconnect(stage.used, stage.provider, "CA1") is bool(failure)


async def test_a_stream_is_lost_with_its_worker(tmp_path: Path) -> None:
    """Another worker adopts the call: its stream may be opened again, and its caller is helped meanwhile."""
    stage = Stage(tmp_path)
    stage.provider.traits = ONCE.traits
    await stage.streams.adopt(KnownCall("twilio", "CA1", "support"))
    assert may_reconnect(stage.used, stage.provider, "CA1")
    assert [call for call, _ in stage.control.asked()] == ["CA1"]
    await stage.streams.adopt(KnownCall("unserved", "CA1", "support"))
