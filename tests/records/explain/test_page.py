"""The page of a real call."""

import base64
import io
import re
from datetime import UTC, datetime

import numpy as np
import pytest
import soundfile

from gateway.records.explain.events import Event
from gateway.records.explain.explaining import Subject, explain
from gateway.records.explain.page import page_of, recorded_from_ms
from gateway.report import sound as sounds
from tests.records.explain.made_calls import ended, healthy, note, reply, without
from tests.sim.report.test_page import Reader, text

CALL = Subject(call="CA1", provider="twilio", line="support", caller="+1", called="+2",
               started=datetime(2026, 11, 30, 9, 0, tzinfo=UTC))  # fmt: skip
SOUND = (np.sin(np.arange(2 * 68_000) / 9) * 9000).astype(np.int16).reshape(-1, 2)


def page(*events: Event, sound: bool = True) -> str:
    """The page of a call with these events."""
    made = [*events] or healthy()
    return page_of(CALL, made, explain(CALL, made), *((SOUND, 8000) if sound else ()))


def test_the_page_tells_the_call() -> None:
    """Who, when, how it ended, what was said, how soon it was answered, and what explains it."""
    seen = text(page(*healthy(), note(8000, "digit_ignored", digit="7")))
    for found in (
        "+1 → support The caller hung up · 0:08.5 long",
        "Monday, 30 November 2026, 09:00:00 UTC · called +2",
        "The caller pressed a key that means nothing on this line.",
        "520 ms to the greeting",
        "520 ms to answer median; slowest 520 ms",
        "0:03.0 Caller Hello? 0:04.5 Bot It is on its way. answered after 500 ms",
        "Line support, generation g1",
        "Session ready after 0.1 s",
        "0.08 s gateway session ready session_id s · model m",
    ):
        assert found in seen


def test_the_sound_is_in_the_page_as_opus() -> None:
    """And plays as long as the call; nothing leads out of the page."""
    html = page()
    (source,) = Reader(html).addresses
    content = base64.b64decode(source.removeprefix("data:audio/ogg;codecs=opus;base64,"))
    heard, rate = soundfile.read(io.BytesIO(content))
    assert (len(heard) / rate, heard.shape[1]) == (8.5, 2)
    assert re.findall(r'<path class="(caller|bot)" d="M0,', html) == ["caller", "bot"] * 2
    assert not re.search(r"@import|url\(|https?://", html)


def test_a_call_without_a_recording_has_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its turns, and without a player; so has one whose recording is too long."""
    html = page(sound=False)
    assert Reader(html).addresses == []
    assert "There is no recording of this call." in text(html)
    monkeypatch.setattr(sounds, "EMBEDDED_S", 5)
    assert "not part of this page" in text(page())


def test_a_recording_that_began_later_stands_where_it_was_heard() -> None:
    """As that of a caller who was asked first: the picture and the player count from its beginning."""
    made = [*healthy()[:1], note(2000, "recording_started", consented=True), *healthy()[1:]]
    assert (recorded_from_ms(made), recorded_from_ms(healthy())) == (2000, 0)
    html = page_of(CALL, made, explain(CALL, made), SOUND[: 4 * 8000], 8000, from_ms=2000)
    assert 'data-from="2.00"' in html
    columns = [int(x) for x in re.findall(r"(\d+),[\d.]+ ?", re.findall(r'<path class="bot" d="M([^Z]+)Z', html)[0])]
    assert (min(columns), max(columns)) == (round(1036 * 2 / 8.5), round(1036 * 6 / 8.5))


def test_interruptions_are_shown_with_how_soon_the_bot_fell_silent() -> None:
    """What was not heard stands behind the words that were."""
    cut = [
        *reply("i2", 8000, 500, of=3000, text="Yes, of course.", heard_after=0),
        note(8500, "barge_in", replies=[{"item_id": "i2", "heard_ms": 500, "received_ms": 3000}]),
        note(8502, "playback_stopped", after_ms=1.7),
        note(8500, "caller_spoke", item_id="c2", over_reply=True),
        note(8900, "caller_paused"),
    ]
    seen = text(page(*without("call_ended"), *cut, ended(9000)))
    assert "2 ms to fall silent 1 barge-in" in seen
    assert "Yes, of course." in seen
    assert "interrupted: heard 0.50 s of 3.00 s generated" in seen


def test_a_failed_call_and_one_that_broke_off_look_so() -> None:
    """A badge for the one, what is unknown for the other."""
    assert "Failed" in text(page(*without("call_ended"), ended(8500, "voice_lost", "service", "503")))
    assert "Failed" not in text(page())
    seen = text(page(*without("call_ended")))
    assert "The record breaks off" in seen
    assert "how the call ended is not known" in seen


def test_an_empty_record_has_a_page() -> None:
    """That says so."""
    assert "The record has no events" in text(page_of(CALL, [], explain(CALL, [])))
