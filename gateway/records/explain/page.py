"""The page of a real call: its explanation, picture, dialogue and sound, from its record. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway.records.explain.case import Case
from gateway.records.explain.events import Event
from gateway.records.explain.explaining import Subject
from gateway.records.explain.speech import Reply
from gateway.report.actions import actions_of
from gateway.report.ends import FINE, sentence_of
from gateway.report.explanation import Explanation
from gateway.report.heard import Heard, Stereo
from gateway.report.page import render
from gateway.report.shown import Player, ShownCall
from gateway.report.sound import embedded
from gateway.report.timeline import row_of
from gateway.report.turns import BargeIn, Latency, Turn

STOP_MS = 2_000
"""A stop that is written so much later belongs to another interruption."""
SAME_MS = 50
"""The stop and the interruption are noted one after the other, in either order."""
_FOOTER = "Made from the call's record: times are those of the gateway, and what was heard is as its marks tell it."
_NO_SOUND = "There is no recording of this call."
_TOO_LONG = "The recording is longer than an hour and not part of this page."


class _Noted:
    """An event as reports read it: its time in seconds since the start of the call."""

    def __init__(self, event: Event) -> None:
        self.at = event.at_ms / 1000
        self.kind = event.kind
        self.fields: Mapping[str, object] = event.fields


def page_of(
    subject: Subject,
    events: Sequence[Event],
    explanation: Explanation,
    stereo: Stereo | None = None,
    rate_hz: int = 0,
    *,
    from_ms: int = 0,
) -> str:
    """Return the page as HTML.

    ``stereo`` is the recording, the caller left, the bot right; it begins ``from_ms`` after the call did.
    """
    call = shown_call(subject, events, explanation)
    heard = call.heard
    if stereo is not None and stereo.size and rate_hz:
        heard = replace(
            heard,
            duration_ms=max(heard.duration_ms, from_ms + round(len(stereo) * 1000 / rate_hz)),
            stereo=stereo,
            rate_hz=rate_hz,
            sound_from_ms=from_ms,
        )
    return render(replace(call, heard=heard, player=_player(heard)))


def shown_call(subject: Subject, events: Sequence[Event], explanation: Explanation) -> ShownCall:
    """Return all that a page shows of a call, but for its sound."""
    case = Case(events)
    failed = [explanation.ended] if case.reason not in FINE and case.log.end is not None else []
    return ShownCall(
        caller=subject.caller,
        called=subject.called,
        line=subject.line,
        started=subject.started,
        outcome=sentence_of(case.reason, case.log.end.text("by")) if case.log.end else "The record breaks off",
        failures=failed,
        heard=_heard(case),
        turns=_turns(case),
        done=actions_of([_Noted(event) for event in case.log.events]),
        words_hint="The record holds no words of this call.",
        about=[*explanation.about, *explanation.figures],
        rows=[row_of(event.at_ms, "gateway", event.kind, event.fields) for event in case.log.events],
        player=Player(hint=_NO_SOUND),
        footer=_FOOTER,
        explanation=explanation,
    )


def recorded_from_ms(events: Sequence[Event]) -> int:
    """Return the moment of the call at which its recording begins: later than its start, where the caller was asked."""
    return next((round(event.at_ms) for event in events if event.kind == "recording_started"), 0)


def _heard(case: Case) -> Heard:
    greeting = case.greeting
    return Heard(
        duration_ms=round(case.length_ms),
        greeting_ms=round(greeting.start_ms) if greeting is not None and greeting.heard_ms else None,
        latencies=[one for reply in case.replies if (one := _latency(reply)) is not None],
        barge_ins=_barge_ins(case),
    )


def _barge_ins(case: Case) -> list[BargeIn]:
    """Return the interruptions of which it is known how soon the phone was asked to be silent."""
    stops = case.log.all("playback_stopped")
    found = []
    for one in case.interruptions:
        stop = next((stop for stop in stops if -SAME_MS <= stop.at_ms - one.at_ms <= STOP_MS), None)
        if stop is not None and one.kind != "ignored":
            found.append(BargeIn(one.at_ms, stop.ms("after_ms")))
    return found


def _latency(reply: Reply) -> Latency | None:
    """Return how long the caller waited for a reply, to its first sound at the caller's ear."""
    if reply.latency_ms is None or not reply.heard_ms:
        return None
    spoke_ms = reply.came_ms - reply.latency_ms
    return Latency(round(spoke_ms), round(reply.start_ms - spoke_ms))


def _turns(case: Case) -> list[Turn]:
    turns = [Turn("caller", round(one.start_ms), round(one.end_ms), one.words or "") for one in case.turns]
    turns += [
        Turn(
            "bot",
            round(reply.start_ms),
            round(reply.end_ms),
            reply.heard_words,
            item_id=reply.item_id,
            unheard=reply.unheard_words,
            heard_ms=reply.heard_ms,
            generated_ms=reply.received_ms,
            interrupted=reply.over_ms is not None and reply.heard_ms < reply.received_ms,
            answered_after_ms=reply.latency_ms,
        )
        for reply in case.replies
    ]
    return sorted(turns, key=lambda turn: turn.start_ms)


def _player(heard: Heard) -> Player:
    source = embedded(heard)
    return Player(source, hint="" if source else _TOO_LONG if heard.has_sound else _NO_SOUND)
