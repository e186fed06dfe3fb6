"""The report of a call."""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
import soundfile

from gateway.call.ending import EndReason
from gateway.call.refusal import TURNED_AWAY
from gateway.report import page as report
from gateway.report import sound
from gateway.report.ends import SENTENCES
from gateway.report.turns import GOOD_STOP_MS, BargeIn, Latency
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.measures import measure
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.phone.wire import Party
from gateway.sim.report.actions import actions
from gateway.sim.report.dialogue import dialogue
from gateway.sim.report.page import EMULATED, render_report


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
        if tag not in ("meta", "input", "link"):
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
        "The caller hung up · 0:12.0 long",
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
    sound, beside = Reader(html).addresses
    assert sound.startswith("data:audio/ogg;codecs=opus;base64,")
    assert beside == "call.wav"
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
    ("ended_by", "reason", "by", "told"),
    [
        ("caller", "caller_hung_up", "caller", "The caller hung up ·"),
        ("gateway", "bot_hung_up", "bot", "The bot hung up ·"),
        ("gateway", "time_limit", "gateway", "The call reached its time limit ·"),
        ("gateway", "new_reason", "moon", "New reason, by the moon ·"),
        ("gateway", "", "", "The gateway ended the call ·"),
    ],
)
def test_the_end_reason_stands_at_the_top(call: CallResult, ended_by: Party, reason: str, by: str, told: str) -> None:
    """As the gateway tells it, where it does; what the phone saw stands beside it, and neither contradicts."""
    fields = {"reason": reason, "by": by, "detail": ""}
    notes = [TimelineEvent(call.started_at + 12, "call_ended", fields)] if reason else []
    seen = text(page(replace(call, ended_by=ended_by), notes))
    assert told in seen
    assert (f"End, as the gateway tells it {reason}, by {by}" in seen) == bool(reason)
    assert (
        f"End, as the phone saw it the caller said everything (ended on the side of the {ended_by}, close code 1000)"
        in seen
    )


def test_every_end_reason_of_the_gateway_has_its_sentence() -> None:
    """The simulator does not import the gateway: this keeps the two together."""
    assert set(SENTENCES) == {*(reason.value for reason in EndReason), TURNED_AWAY}


@pytest.mark.parametrize("reason", sorted(set(SENTENCES)))
def test_a_failed_call_looks_failed(call: CallResult, reason: str) -> None:
    """A badge in the colour of alarm and the reason below it; a call that went well has neither."""
    fields = {"reason": reason, "by": "service", "detail": "503 of the service"}
    html = page(call, [TimelineEvent(call.started_at + 12, "call_ended", fields)])
    fine = reason in {
        "caller_hung_up",
        "bot_hung_up",
        "transferred",
        "line_closed",
        "silence",
        "time_limit",
        "ended_by_operator",
    }
    assert ('<span class="badge failed">Failed</span>' in html) == (not fine)
    assert (f"{SENTENCES[reason]}: 503 of the service" in text(html)) == (not fine)


def test_a_call_that_was_closed_or_never_heard_looks_failed(call: CallResult) -> None:
    """Also where the gateway told nothing."""
    closed = text(page(replace(call, ended_by="gateway", close_code=1011)))
    assert "Failed" in closed
    assert "The gateway closed the stream with 1011" in closed
    measures = measure(b"", call.audio_format, [], [])
    assert "The bot was never heard" in text(page(replace(call, measures=measures)))
    assert "Failed" not in text(page(call))


def test_complaints_about_the_call_make_it_fail(call: CallResult, notes: list[TimelineEvent]) -> None:
    """They are what whoever called found wrong; without any, nothing was."""
    seen = text(page(call, notes, complaints=["--expect: the bot was not heard to say 'Friday'"]))
    assert "Failed" in seen
    assert "--expect: the bot was not heard to say 'Friday'" in seen
    assert "Failed" not in text(page(call, notes, complaints=[]))


def test_who_answered_is_told(call: CallResult, notes: list[TimelineEvent]) -> None:
    """Line, generation, model, voice, session; and a badge where the emulator answered."""
    ready = TimelineEvent(call.started_at + 0.3, "session_ready", {"session_id": "sess_1", "model": "gpt-4.1"})
    begun = replace(notes[0], fields={**notes[0].fields, "generation": "3f9a01c"})
    header = {"line": "support", "voice": "en-US-Ava", "answered_by": EMULATED}
    seen = text(page(call, [begun, ready, *notes[1:]], **header))
    for told in (
        "support Emulator The caller",
        "Line support",
        "Generation of the line 3f9a01c",
        f"Answered by {EMULATED}",
        "Model gpt-4.1",
        "Voice en-US-Ava",
        "Voice Live session sess_1",
    ):
        assert told in seen
    assert "Emulator" not in text(page(call, notes, answered_by="gpt-4.1 at https://voice.example.com answers"))


def test_a_good_interruption_is_no_alarm(call: CallResult, notes: list[TimelineEvent]) -> None:
    """Red is for a bot that was not stopped, or late."""
    assert 'class="cut bad"' not in page(call, notes)
    for stopped_after_ms in (None, GOOD_STOP_MS + 20):
        measures = replace(call.measures, barge_ins=(BargeIn(6_000, stopped_after_ms),))
        html = page(replace(call, measures=measures), notes)
        assert 'class="cut bad"' in html
        assert 'class="number bad"' in html
        assert 'class="heard bad"' in html
        assert '<li class="bad"><strong>' in html


def test_an_answer_to_keys_is_no_slow_answer(call: CallResult, notes: list[TimelineEvent]) -> None:
    """It is in the table as such, counts in no figure, and leaves the others' bars as long as they are."""
    slow = Latency(2_000, 30_000)
    seen = page(replace(call, measures=replace(call.measures, keyed=(slow,))), notes)
    assert "600 ms to answer median; slowest 600 ms" in text(seen)
    assert "last key 30000 ms" in text(seen)
    bars = re.findall(
        r'aria-hidden="true"><(path|rect) class="(keys)?"(?: width="([\d.]+)")?', seen.partition("Answers")[2]
    )
    assert bars == [("path", "keys", ""), ("rect", "", "60.0"), ("rect", "", "60.0")]
    assert "0 500 ms 1 s" in text(seen)


def test_turns_are_reached_by_keyboard(call: CallResult, acting_notes: list[TimelineEvent]) -> None:
    """Each time is a button, each block of the pictures has focus and a name; the wide picture scrolls by keys."""
    html = page(call, acting_notes)
    said = html.partition("<h2>Conversation</h2>")[2].partition("<h2>")[0]
    assert said.count("<li ") == len(re.findall(r'<button type="button" class="moment" data-at="[\d.]+"', said)) > 5
    blocks = re.findall(r"<g [^>]*data-at=[^>]*>", html)
    assert len(blocks) > 10
    assert all('tabindex="0"' in block and 'role="button"' in block and 'aria-label="' in block for block in blocks)
    assert 'class="scroll" tabindex="0" role="region" aria-label=' in html
    assert 'aria-label="Bot at 0:04.1: It is on its way"' in html


def test_the_transcript_can_be_copied(call: CallResult, acting_notes: list[TimelineEvent]) -> None:
    """As plain text, with a button, and without it."""
    html = page(call, acting_notes)
    assert '<button type="button" class="button">Copy transcript</button>' in html
    (shown,) = re.findall(r'<pre class="card">(.*?)</pre>', html, re.DOTALL)
    lines = unescape(shown).splitlines()
    assert lines[0] == "0:00.4  Bot: Hello, this is <Contoso> & Sons."
    assert "0:02.5  Caller: Where is my order?" in lines
    assert "0:04.1  Bot: It is on its way [not heard: and comes tomorrow at noon.]" in lines
    assert "0:03.7  Tool: order_status: ok after 0.4 s" in lines


def contrast(one: str, other: str) -> float:
    """Contrast of two colours (WCAG 2.2, 1.4.3)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


SCHEMES = [
    dict(re.findall(r"--([\w-]+): (#\w{6})", scheme))
    for sheet in ("tokens.css", "report.css")
    for scheme in re.findall(r":root {(.*?)}", (report.TEMPLATES / sheet).read_text("utf-8"), re.DOTALL)
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark", "print"])
def test_every_text_can_be_read(scheme: dict[str, str]) -> None:
    """4.5 to 1 at least, for each colour of text on each ground that it stands on."""
    pairs = [
        (text, ground)
        for text in ("ink", "soft", "faint", "caller", "bot", "act", "cut", "bad")
        for ground in ("paper", "card")
    ]
    pairs += [
        ("ink", "bad-tint"),
        ("bad", "bad-tint"),
        ("cut", "cut-tint"),
        ("caller", "caller-tint"),
        ("bot", "bot-tint"),
        ("fine", "fine-tint"),
        ("ink", "plain-tint"),
        ("ink", "cut-tint"),
    ]
    assert {
        pair: contrast(scheme[pair[0]], scheme[pair[1]])
        for pair in pairs
        if contrast(scheme[pair[0]], scheme[pair[1]]) < 4.5
    } == {}


def test_a_recording_of_minutes_is_part_of_the_page(call: CallResult) -> None:
    """As Ogg Opus in both channels, with a fraction of the size, so that a page that is sent on still plays."""
    audio = b"\xff" * 8_000 * 70
    html = page(replace(call, caller_audio=audio, bot_audio=audio))
    (source,) = [address for address in Reader(html).addresses if address.startswith("data:audio/ogg")]
    content = base64.b64decode(source.partition(",")[2])
    samples, rate_hz = soundfile.read(io.BytesIO(content))
    assert (samples.shape[1], len(samples) / rate_hz) == (2, pytest.approx(70, abs=0.1))
    assert len(content) < 2 * len(audio) / 4
    assert "not part of this page" not in html


def test_a_very_long_recording_stays_beside_the_page_which_says_so(
    call: CallResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond an hour the player plays call.wav."""
    monkeypatch.setattr(sound, "EMBEDDED_S", 11)
    html = page(call)
    assert "data:audio" not in html
    assert '<audio controls preload="metadata" src="call.wav">' in html
    assert "not part of this page: send call.wav along with it" in text(html)
