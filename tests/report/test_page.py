"""The page of a call, simulated or real."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

from gateway.report.actions import Actions
from gateway.report.explanation import Explanation, Finding, Interruption, Silence
from gateway.report.heard import Heard
from gateway.report.page import render
from gateway.report.shown import Player, Row, ShownCall
from gateway.report.turns import BargeIn, Latency, Turn
from tests.sim.report.test_page import Reader, text

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>\x1b[31m"
EXPLAINED = Explanation(
    call=HOSTILE,
    ended=HOSTILE,
    about=[(HOSTILE, HOSTILE)],
    findings=[
        Finding(
            kind="echo",
            title=HOSTILE,
            detail=HOSTILE,
            settings=[HOSTILE],
            advice=HOSTILE,
            page=HOSTILE,
            at_ms=[1500],
            score=1,
        )
    ],
    silences=[Silence(start_ms=1000, end_ms=4000, whose="tool", why=HOSTILE)],
    interruptions=[Interruption(at_ms=5000, kind="echo", evidence=HOSTILE, unheard_ms=200)],
    figures=[],
    unknown=[HOSTILE],
)


class Attributes(HTMLParser):
    """The names of all attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {name for name, _ in attrs}


def shown(**more: object) -> str:
    """A page of little."""
    told = {"caller": "+1", "called": "+2", "line": "support", "started": None, "outcome": "The caller hung up"}
    return render(ShownCall(**{**told, "heard": Heard(9000), "turns": (), "done": Actions(), **more}))  # type: ignore[arg-type]  # by name


def test_whatever_was_said_stays_text() -> None:
    """Nothing of a call becomes markup, leads out of the page, or controls a terminal that prints it."""
    everywhere = dict.fromkeys(("caller", "called", "line", "outcome", "words_hint", "footer"), HOSTILE)
    html = shown(
        **everywhere,
        turns=[Turn("bot", 0, 100, HOSTILE, unheard=HOSTILE)],
        failures=[HOSTILE],
        about=[(HOSTILE, HOSTILE)],
        warnings=[(HOSTILE, HOSTILE)],
        rows=[Row(0, HOSTILE, HOSTILE, HOSTILE)],
        player=Player("data:,", "call.wav", HOSTILE),
        explanation=EXPLAINED,
    )
    assert html.count("<script>") == 1
    assert "<img" not in html
    assert "\x1b" not in html
    assert set(Reader(html).addresses) == {"data:,", "call.wav"}
    assert not re.search(r"@import|url\(|https?://", html)


def test_the_explanation_stands_on_top() -> None:
    """Findings before the figures; silences with whose they were, and interruptions, among the reactions."""
    seen = text(shown(explanation=EXPLAINED))
    order = ["Findings", "0:01.5", "0:09.0 length", "Reaction"]
    order += ["Silences over 2 s", "0:01.0 3.00 s tool", "Interruptions", "0:05.0 echo"]
    places = [seen.index(one) for one in order]
    assert places == sorted(places)


def test_a_moment_plays_where_there_is_sound() -> None:
    """Its button is there for keyboards as well; without sound it is a time, and nothing to press."""
    explained = {"explanation": EXPLAINED, "turns": [Turn("bot", 1000, 3000, "Hello.")]}
    with_sound = shown(player=Player("data:,"), **explained)
    assert '<button type="button" class="moment" data-at="1.50"' in with_sound
    assert re.search(r'<g data-at="1.00" tabindex="0" role="button"', with_sound)
    without = shown(**explained)
    assert '<time class="moment">0:01.5</time>' in without
    assert not re.search(r'class="moment" data-at|role="button"', without)


def test_the_pieces_that_the_console_shows_too_need_no_inline_style() -> None:
    """A strict Content-Security-Policy would ignore it."""
    html = shown(
        turns=[Turn("bot", 1000, 3000, "Hello.", unheard="there", heard_ms=1, generated_ms=9, interrupted=True)],
        heard=Heard(9000, latencies=[Latency(100, 900)], barge_ins=[BargeIn(2000, 80)]),
        player=Player("data:,"),
        explanation=EXPLAINED,
    )
    assert {name for name in Attributes(html).names if name == "style" or name.startswith("on")} == set()


def test_a_healthy_call_says_so() -> None:
    """And a page without an explanation says nothing about it."""
    nothing = Explanation(call="c", ended="e", about=[], findings=[], silences=[], interruptions=[], figures=[])
    assert "Findings: none." in text(shown(explanation=nothing))
    assert "Findings" not in text(shown())


def test_a_call_without_a_recording_has_no_player() -> None:
    """The picture shows its turns all the same; a start that is not known is not told."""
    html = shown(turns=[Turn("bot", 1000, 3000, "Hello.")], player=Player(hint="No recording."))
    assert "<audio" not in html
    assert "No recording." in text(html)
    assert 'aria-label="Bot at 0:01.0: Hello."' in html
    assert "UTC" not in text(html)
    assert "Monday, 30 November 2026" in text(shown(started=datetime(2026, 11, 30, tzinfo=UTC)))
