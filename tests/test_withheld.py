"""Callers who do not tell their number."""

import pytest

from gateway.withheld import withheld


@pytest.mark.parametrize(
    ("caller", "reason"),
    [
        ("+266696687", "anonymous"),
        ("266696687", "anonymous"),
        ("+1266696687", "anonymous"),
        ("+7378742833", "restricted"),
        ("+2562533", "blocked"),
        ("+8656696", "unknown"),
        ("+86282452253", "unavailable"),
        ("+7748283", "private"),
        ("sip:266696687@sip.example.com", "anonymous"),
        ("Anonymous", "anonymous"),
        ("anonymous", "anonymous"),
        ("+anonymous", "anonymous"),
        ("tel:anonymous", "anonymous"),
        ("Restricted", "restricted"),
        ("unavailable", "unavailable"),
        ("Private Number", "private"),
        ("<unknown>", "unknown"),
        ("No Caller ID", "withheld"),
        ("null", "unknown"),
        ("sip:anonymous@anonymous.invalid", "anonymous"),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', "anonymous"),
        ("sip:c8oqz84zk7z@privacy.invalid", "anonymous"),
        ("sip:Unavailable@10.0.0.1", "unavailable"),
        ("", "missing"),
        ("+", "missing"),
        ("0000000000", "missing"),
        ("+10000000000", "missing"),
        ("00266696687", "anonymous"),
        ("anonymous@anonymous.invalid", "anonymous"),
        ("unavailable@unknown.invalid", "unavailable"),
        ("sip:x@anonymous.invalid.", "anonymous"),
        ("Unavailable;user=phone", "unavailable"),
        ("Caller unknown", "unknown"),
        ("Blocked Number", "blocked"),
        ("CallerID-Withheld", "withheld"),
        ("N/A", "unavailable"),
        ("P", "private"),
        ("Unbekannt", "unknown"),
        ("Rufnummer unterdrückt", "withheld"),
        ("Numéro masqué", "withheld"),
        ("número desconocido", "unknown"),
        ("anônimo", "anonymous"),
        ("неизвестный", "unknown"),
        ("非通知", "withheld"),
    ],
)
def test_a_withheld_caller_has_a_reason(caller: str, reason: str) -> None:
    """In words, in SIP, or keyed by their letters on a phone."""
    assert withheld(caller) == reason


@pytest.mark.parametrize(
    "caller",
    [
        *("+14255550100", "14255550100", "1001", "+17378742833", "sip:bob@example.com", "client:bob", "8:acs:1-2"),
        *(
            "Anna",
            "1",
            "100",
            "1000",
            "0266696687",
            "sip:p@pbx.example.com",
            "Ольга",
            "sip:用户@example.com",
            "Prive Anna",
        ),
    ],
)
def test_anybody_else_is_somebody(caller: str) -> None:
    """Also who has a number in Austin that is RESTRICTED on its keys."""
    assert withheld(caller) == ""
