"""The record of a call as its page shows it, to those who may read words and to those who may not. Pure."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from msgspec import Struct

from gateway.path_segment import segment
from gateway.records.explain.explaining import explain
from gateway.records.explain.page import recorded_from_ms, shown_call
from gateway.records.explain.stored import of_stored
from gateway.records.masking import Masking
from gateway.records.rows import CallRow, RecordingRow, Row
from gateway.records.stored_call import StoredCall, stored_call
from gateway.records.wanted import PLAYABLE
from gateway.report.heard import Heard
from gateway.report.shown import Player, ShownCall

_WITHOUT_WORDS = Masking(words=False)
_NONE, _GONE, _ON_ITS_WAY = (
    "There is no recording of this call.",
    "The recording of this call was deleted.",
    "The recording is on its way to the store: it can be played from there.",
)
_FOR_LISTENERS = "Recordings are heard by listeners alone."


def without_words(stored: StoredCall) -> StoredCall:
    """Return a record without anything that was said or keyed in."""
    rows: list[Row] = [stored.call]
    rows += [row for part in (stored.turns, stored.events, stored.tools, stored.transfers) for row in part]
    rows += [row for part in (stored.keys, stored.usage, stored.recordings) for row in part]
    return stored_call(map(_WITHOUT_WORDS.row, rows))


def seen_call(stored: StoredCall, *, may_read: bool) -> ShownCall:
    """Return what the page shows; ``stored`` has no words where the visitor may not read them."""
    subject, events = of_stored(stored)
    subject = msgspec.structs.replace(subject, words_withheld=not may_read)
    call = shown_call(subject, events, explain(subject, events))
    recording = playable(stored) if may_read else None
    path = f"/calls/{segment(stored.call.call_key)}"
    player = (
        Player(f"{path}/recording", waveforms=f"{path}/waveforms")
        if recording is not None
        else Player(hint=_why_silent(stored.recordings) if may_read else _FOR_LISTENERS)
    )
    return replace(
        call,
        heard=heard_of(call.heard, stored),
        player=player,
        words_hint=call.words_hint if may_read else "Words are read by listeners alone.",
        footer="",
    )


def heard_of(heard: Heard, stored: StoredCall) -> Heard:
    """Return the figures of a call with the place of its recording, whose samples are read later."""
    recording = playable(stored)
    if recording is None:
        return heard
    from_ms = recorded_from_ms(of_stored(stored)[1])
    until_ms = from_ms + round((recording.seconds or 0) * 1000)
    return replace(heard, duration_ms=max(heard.duration_ms, until_ms), sound_from_ms=from_ms)


def playable(stored: StoredCall) -> RecordingRow | None:
    """Return the recording, if it is in a store."""
    return next((one for one in stored.recordings if one.url and one.state in PLAYABLE), None)


def _why_silent(recordings: Sequence[RecordingRow]) -> str:
    if not recordings:
        return _NONE
    states = {one.state for one in recordings}
    return _GONE if states == {"deleted"} else _ON_ITS_WAY if states & {"local", "uploading"} else _NONE


class Usage(Struct, frozen=True):
    """The tokens of a model in one call."""

    model: str
    responses: int
    input_text: int
    input_audio: int
    cached: int
    output_text: int
    output_audio: int


def usage_of(stored: StoredCall) -> list[Usage]:
    """Return the tokens of each model that answered."""
    models = dict.fromkeys(row.model for row in stored.usage)
    found = []
    for model in models:
        rows = [row for row in stored.usage if row.model == model]
        found.append(
            Usage(
                model,
                len(rows),
                sum(row.input_text for row in rows),
                sum(row.input_audio for row in rows),
                sum(row.cached_text + row.cached_audio + row.cached_image for row in rows),
                sum(row.output_text for row in rows),
                sum(row.output_audio for row in rows),
            )
        )
    return found


def title_of(call: CallRow) -> str:
    """Return the name of a call, for a window."""
    return f"{call.caller or 'somebody'} → {call.line or call.called or 'no line'}"
