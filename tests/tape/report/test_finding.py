from gateway.tape.report.finding import Finding, gathered


def test_equal_findings_are_one_with_their_number() -> None:
    """In the order of the tape, at the place of the first."""
    late, early = Finding("gap", "phone", "a", 9, 2.0), Finding("order", "voice", "b", 3, 1.0)
    found = gathered([late, Finding("gap", "phone", "a", 12, 3.0), early])
    assert [(one.detail, one.line, one.count) for one in found] == [("b", 3, 1), ("a", 9, 2)]


def test_other_words_are_another_finding() -> None:
    """A peer's words are why one reads a report."""
    found = gathered([Finding("error", "voice", "a", verbatim="x"), Finding("error", "voice", "a", verbatim="y")])
    assert len(found) == 2
