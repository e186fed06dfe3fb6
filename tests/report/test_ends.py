"""The ends of calls, in words."""

from gateway.call.ending import EndReason
from gateway.report.ends import FINE, SENTENCES, sentence_of


def test_every_end_has_its_sentence() -> None:
    """Also one that this version does not know."""
    assert set(SENTENCES) == {reason.value for reason in EndReason}
    assert set(SENTENCES) > FINE
    assert sentence_of("silence", "caller") == "The caller stayed silent"
    assert sentence_of("line_on_fire", "provider") == "Line on fire, by the provider"
