"""The ends of calls, in words."""

from gateway.call.ending import EndReason
from gateway.call.refusal import TURNED_AWAY
from gateway.report.ends import FINE, SENTENCES, sentence_of


def test_every_end_has_its_sentence() -> None:
    """Also one that this version does not know."""
    assert set(SENTENCES) == {*EndReason, TURNED_AWAY}
    assert set(SENTENCES) > FINE
    assert sentence_of("silence", "caller") == "The caller stayed silent"
    assert sentence_of("line_on_fire", "provider") == "Line on fire, by the provider"
