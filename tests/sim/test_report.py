"""The report of a call."""

import base64
import re
import struct
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from gateway.sim.actions import actions
from gateway.sim.call import CallResult
from gateway.sim.dialogue import dialogue
from gateway.sim.measures import measure
from gateway.sim.report import render_report
from gateway.sim.timeline import TimelineEvent
from gateway.sim.wire import Party


def page(call: CallResult, notes: Sequence[TimelineEvent] = (), **header: object) -> str:
    """The report."""
    return render_report(call, dialogue(call, notes), actions(call, notes), notes=notes, header=header)


class Reader(HTMLParser):
    """Reads a page: its text, its addresses, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.addresses: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self._open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """SVG shapes close themselves."""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.text += f" {data}"


def text(html: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(Reader(html).text.split())


def test_the_page_tells_the_call(call: CallResult, notes: list[TimelineEvent]) -> None:
    """Who, when, how it ended, what was said and heard, and the figures."""
    seen = text(page(call, notes, line="support", call_id="call-7"))
    for told in (
        "+14255550199 → support",
        "Caller hung up after 0:12.0",
        "Monday, 04 May 2026, 09:30:15 UTC",
        "called +14255550100",
        "600 ms to answer median; slowest 600 ms",
        "400 ms to the greeting",
        "100 ms to fall silent 1 barge-in",
        "Where is my order?",
        "interrupted: heard 2.00 s of 5.20 s generated",
        "spoke over the bot, silent after 100 ms",
        "answered after 600 ms",
        "PCMU, 8000 Hz, 20 ms frames",
        "600 frames, 1 of them late",
        "31951 unknown field `track`",
        "call-7",
    ):
        assert told in seen


def test_the_page_needs_nothing_but_itself(call: CallResult, notes: list[TimelineEvent]) -> None:
    """No address leads out of it; the recording is inside."""
    html = page(call, notes)
    inside = [address for address in Reader(html).addresses if not address.startswith("data:audio/wav;base64,UklGR")]
    assert inside == ["call.wav"]
    assert not re.search(r"@import|url\(|https?://", html)


def test_words_cannot_become_markup(call: CallResult, notes: list[TimelineEvent]) -> None:
    """What a caller says is text, whatever it looks like."""
    hostile = TimelineEvent(call.started_at + 3, "caller_said", {"text": "<script>alert(1)</script>"})
    html = page(call, [*notes, hostile], line="<b>line</b>")
    assert html.count("<script>") == 1
    assert "<b>line</b>" not in html
    assert "<Contoso> & Sons" in text(html)


def test_without_notes_the_page_says_who_knows_the_words(call: CallResult) -> None:
    """And shows what was heard."""
    seen = text(page(call))
    assert "What was said is known only to it" in seen
    assert "spoke for 2.00 s" in seen
    assert "question.wav" in seen


def test_what_was_done_stands_among_what_was_said(call: CallResult, acting_notes: list[TimelineEvent]) -> None:
    """Tools, keys and transfers in the order of time, and how many tools ran."""
    seen = text(page(call, acting_notes))
    told = (
        "0:01.2 Keys 12• 0:01.9 Keys entered 12",
        "0:02.5 Caller Where is my order?",
        "0:03.7 Tool order_status: ok after 0.4 s 0:03.8 Tool crm/get_customer: error after 0.8 s",
        "0:05.0 Tool slow: had not returned when the call ended",
        "0:09.0 Call transfer to desk failed: 503 0:10.0 Call transfer to desk begins 0:11.0 Call transferred to desk",
    )
    places = [seen.index(one) for one in told]
    assert places == sorted(places)
    assert "3 tool runs slowest 0.8 s" in seen


def test_an_unknown_note_is_shown_as_it_is(call: CallResult) -> None:
    """In the timeline, with its fields."""
    note = TimelineEvent(call.started_at + 1.5, "moon_rose", {"tool": "order_status", "took": {"ms": 12}, "none": None})
    seen = text(page(call, [note]))
    assert '1.50 s gateway moon rose tool order_status · took {"ms": 12}' in seen
    assert "The gateway told no words" in seen


def test_a_bot_that_was_not_stopped_is_told(call: CallResult) -> None:
    """As loudly as a good figure."""
    measures = measure(call.bot_audio, call.audio_format, [s for one in call.spoken for s in one.speech], [])
    seen = text(page(replace(call, measures=measures)))
    assert "1 not stopped the bot spoke on over the caller" in seen
    assert "which was not stopped" in seen


def test_a_call_in_which_nobody_spoke_is_still_a_page(call: CallResult) -> None:
    """Nothing to measure is no failure."""
    measures = measure(b"", call.audio_format, [], [])
    seen = text(page(replace(call, spoken=(), keys_ms=(), measures=measures, violations=(), events=())))
    assert "Nobody said anything." in seen
    assert "Nobody was interrupted." in seen


@pytest.mark.parametrize(
    ("ended_by", "reason", "told"),
    [
        ("caller", "caller_hung_up", "Caller hung up after"),
        ("gateway", "bot_hung_up", "Gateway ended the call · bot hung up after"),
        ("gateway", "", "Gateway ended the call after"),
    ],
)
def test_the_end_reason_stands_at_the_top(call: CallResult, ended_by: Party, reason: str, told: str) -> None:
    """In the gateway's own words, where it told them."""
    notes = [TimelineEvent(call.started_at + 12, "call_ended", {"reason": reason})] if reason else []
    assert told in text(page(replace(call, ended_by=ended_by), notes))


def test_a_longer_recording_is_part_of_the_page_in_half_the_size(call: CallResult) -> None:
    """Beyond two megabytes as µ-law, so that a page that is sent on still plays."""
    audio = b"\xff" * 8_000 * 70
    html = page(replace(call, caller_audio=audio, bot_audio=audio))
    (source,) = [address for address in Reader(html).addresses if address.startswith("data:audio/wav;base64,")]
    content = base64.b64decode(source.partition(",")[2])
    assert content[20:24] == struct.pack("<HH", 7, 2)
    assert len(content) == pytest.approx(2 * len(audio), rel=0.001)
    assert "not part of this page" not in html


def test_a_very_long_recording_stays_beside_the_page_which_says_so(call: CallResult) -> None:
    """Beyond ten minutes the player plays call.wav."""
    audio = b"\xff" * 8_000 * 601
    html = page(replace(call, caller_audio=audio, bot_audio=audio))
    assert "data:audio" not in html
    assert '<audio controls preload="metadata" src="call.wav">' in html
    assert "not part of this page: send call.wav along with it" in text(html)
