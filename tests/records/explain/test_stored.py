"""A stored call, explained."""

from msgspec.structs import replace

from gateway.records.explain.explaining import explain
from gateway.records.explain.stored import of_stored
from gateway.records.masking import Masking
from gateway.records.stored_call import StoredCall, stored_call
from tests.records.kept import NINE, rows_of


def call(**more: object) -> StoredCall:
    """The call of ``kept``."""
    stored = stored_call(rows_of("k1"))
    return replace(stored, call=replace(stored.call, **more))


def test_the_facts_of_a_call_are_those_of_its_record() -> None:
    """Its ids, its line, its cost; its events are its notes."""
    subject, events = of_stored(call(cost_nanos=12_300_000, currency="USD", cost_note="no price of x", trace_id="t1"))
    assert (subject.call, subject.key, subject.line, subject.generation) == ("CA-k1", "k1", "support", "3f")
    assert (subject.started, subject.state, subject.model) == (NINE, "ended", "gpt-realtime")
    assert (subject.cost, subject.cost_note, subject.trace_id) == ("0.0123 USD", "no price of x", "t1")
    assert subject.words_kept
    assert events[0].kind == "call_started"
    found = dict(explain(subject, events).about)
    assert (found["Call"], found["Key"], found["Trace"]) == ("CA-k1", "k1", "t1")


def test_a_call_without_a_price_or_an_id_is_explained_too() -> None:
    """By what there is."""
    subject, _ = of_stored(call(cost_nanos=None, call_id=""))
    assert (subject.cost, subject.call) == ("", "k1")
    assert "Key" not in dict(explain(subject, []).about)


def test_a_record_without_words_makes_no_noise_of_a_caller() -> None:
    """The interruption is not judged, and the page says why."""
    masked = stored_call([Masking(words=False).row(row) for row in rows_of("k1")])
    subject, events = of_stored(masked)
    assert not subject.words_kept
    found = explain(subject, events)
    assert [one.kind for one in found.findings] == ["tool_failed"]
    assert "No words are kept (records.words)" in found.unknown[0]
