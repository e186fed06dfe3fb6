"""What the page of a call shows of its record."""

from typing import Literal

from gateway.call import notes
from gateway.console.seen_call import playable, seen_call, title_of, usage_of, without_words
from gateway.records.rows import RecordingRow
from gateway.records.stored_call import StoredCall, document, stored_call
from gateway.text import json_text
from tests.records.kept import TOLD, rows_of

ASKED_FIRST = (*TOLD[:2], (700.0, notes.RecordingStarted(consented=True)), *TOLD[2:])


def call(*recordings: RecordingRow) -> StoredCall:
    """A call with these recordings."""
    return stored_call([*rows_of(told=ASKED_FIRST), *recordings])


def recorded(
    state: Literal["local", "uploading", "stored", "failed", "deleted"] = "stored", url: str = "file:///k1.wav"
) -> RecordingRow:
    """A recording in this state."""
    return RecordingRow(call_key="k1", url=url, seconds=20.0, state=state)


def test_a_record_without_words_has_none() -> None:
    """Neither in turns and events nor as keys; times, ends and tools stay."""
    whole, bare = call(), without_words(call())
    spoken = ("Where is my order?", "on its way", "Welcome to Contoso", "its way to you")
    assert all(words in json_text([document(whole), [event.fields for event in whole.events]]) for words in spoken)
    left = json_text([document(bare), [event.fields for event in bare.events]])
    assert not any(words in left for words in spoken)
    assert [key.digit for key in bare.keys] == [""]
    assert (bare.call.reason, bare.tools) == (whole.call.reason, whole.tools)
    assert [turn.latency_ms for turn in bare.turns] == [turn.latency_ms for turn in whole.turns]


def test_the_player_is_there_for_who_may_hear() -> None:
    """It begins where the recording does, and the picture reaches to its end."""
    shown = seen_call(call(recorded()), may_read=True)
    assert (shown.player.source, shown.player.waveforms) == ("/calls/k1/recording", "/calls/k1/waveforms")
    assert (shown.heard.sound_from_ms, shown.heard.duration_ms) == (700, 20_700)
    kept = seen_call(without_words(call(recorded())), may_read=False)
    assert (kept.player.source, kept.player.hint) == ("", "Recordings are heard by listeners alone.")
    assert kept.words_hint == "Words are read by listeners alone."
    assert kept.explanation is not None
    assert "Words are read by listeners alone: an echo cannot be told from other speech." in kept.explanation.unknown
    assert kept.heard.duration_ms == shown.heard.duration_ms


def test_a_missing_recording_says_why() -> None:
    """Never made, deleted, or not yet in the store."""
    hints = [
        seen_call(call(*found), may_read=True).player.hint
        for found in ((), (recorded("deleted"),), (recorded("local", ""),), (recorded("failed", ""),))
    ]
    assert hints == [
        "There is no recording of this call.",
        "The recording of this call was deleted.",
        "The recording is on its way to the store: it can be played from there.",
        "There is no recording of this call.",
    ]
    assert playable(call(recorded("deleted"))) is None


def test_tokens_are_added_by_model() -> None:
    """With the responses that used them."""
    (usage,) = usage_of(call())
    assert (usage.model, usage.responses, usage.input_text, usage.output_audio) == ("gpt-realtime", 1, 100, 40)
    assert title_of(call().call) == "+14155550100 → support"
