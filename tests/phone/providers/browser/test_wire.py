"""The wire of the phone in a browser: what the transcript does not show."""

import json
from typing import Any

import pytest

from gateway.audio.formats import L16_24K
from gateway.errors import MessageError, WireError
from gateway.phone.commands import AskForLife
from gateway.phone.events import CallStarted, UnknownMessage
from gateway.phone.provider import Grant
from gateway.phone.providers.browser.wire import BrowserCodec

GRANT = Grant("support", "c-1", "+14155550100", "+14155550199")


def start(**members: Any) -> str:
    return json.dumps({"type": "start", "start": {"call": "c-1", **members}})


def test_a_start_without_its_rate_has_the_rate_of_the_service() -> None:
    """The session opens in the same format, so that nothing is converted on the way."""
    (started,) = BrowserCodec(Grant()).decode(start())
    assert isinstance(started, CallStarted)
    assert started.audio_format == L16_24K


def test_another_rate_is_refused() -> None:
    """With the rate that is expected."""
    with pytest.raises(WireError, match="rate_hz 48000: expected 24000"):
        BrowserCodec(Grant()).decode(start(rate_hz=48000))


def test_what_the_console_granted_counts_more_than_what_the_page_says() -> None:
    """A page cannot call from another number than the console has given it."""
    (started,) = BrowserCodec(GRANT).decode(start(**{"from": "+19995550100", "to": "+19995550199"}))
    assert isinstance(started, CallStarted)
    assert (started.caller, started.called) == ("+14155550100", "+14155550199")


def test_another_call_than_the_granted_one_is_refused() -> None:
    """A token is for one call."""
    with pytest.raises(WireError, match="another call"):
        BrowserCodec(GRANT).decode(json.dumps({"type": "start", "start": {"call": "c-2"}}))


def test_a_start_without_a_call_is_refused() -> None:
    """The start names no call, and the console has granted none."""
    with pytest.raises(WireError, match="start without its call"):
        BrowserCodec(Grant()).decode(start(call=None))


def test_a_second_start_is_a_wrong_message() -> None:
    """It does not end the call."""
    codec = BrowserCodec(GRANT)
    codec.decode(start())
    with pytest.raises(MessageError, match="second start"):
        codec.decode(start())


def test_a_sign_of_life_is_asked_by_a_ping() -> None:
    """Which every browser answers by itself."""
    assert BrowserCodec(GRANT).encode(AskForLife()) == ()


def test_an_unknown_kind_is_counted() -> None:
    """By its name."""
    assert BrowserCodec(GRANT).decode('{"type":"hold"}') == (UnknownMessage("hold"),)
