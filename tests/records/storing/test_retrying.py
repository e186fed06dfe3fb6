"""When a recording is tried again, and what is told."""

from gateway.records.storing.retrying import FIRST_S, LONGEST_S, REPORT_AGAIN_S, Retrying


def test_a_recording_that_failed_waits_longer_each_time() -> None:
    """Half of the interval is left to chance, so that many processes do not come at once."""
    for chance, share in ((0.0, 0.5), (1.0, 1.0)):
        retrying = Retrying(lambda chance=chance: chance)  # type: ignore[misc]  # mypy does not see the default
        at, waits = 0.0, []
        for _ in range(12):
            retrying.failed("k", at, is_store=False)
            waits.append(retrying.next_at(at, 1e9) - at)
            assert retrying.due(["k"], at + waits[-1] - 0.01) == []
            at += waits[-1]
            assert retrying.due(["k"], at) == ["k"]
        assert waits[:3] == [FIRST_S * share, FIRST_S * 2 * share, FIRST_S * 4 * share]
        assert waits[-1] == LONGEST_S * share


def test_one_recording_alone_is_tried_while_the_store_is_away() -> None:
    """Each time another one; when one succeeds, all are due."""
    retrying = Retrying(lambda: 1.0)
    keys = ["a", "b", "c"]
    assert retrying.due(keys, 0) == keys
    retrying.failed("a", 0, is_store=True)
    assert retrying.is_away
    assert retrying.due(keys, 1.9) == []
    assert retrying.next_at(0, 30) == FIRST_S
    assert retrying.due(keys, 2) == ["b"]
    retrying.failed("b", 2, is_store=True)
    assert retrying.due(keys, 5.9) == []
    assert retrying.due(keys, 6) == ["c"]
    assert retrying.succeeded("c")
    assert retrying.due(["a", "b"], 6) == ["a", "b"]
    assert retrying.next_at(6, 30) == 36


def test_one_recording_that_always_fails_holds_up_no_other() -> None:
    """Others come before it, and the store is not said to be away."""
    retrying = Retrying(lambda: 1.0)
    retrying.failed("bad", 0, is_store=True)
    assert retrying.due(["bad", "new"], 2) == ["new"]
    assert not retrying.succeeded("new")
    assert retrying.due(["bad", "other"], 2) == ["other", "bad"]


def test_a_failure_is_told_once_and_again_after_an_hour() -> None:
    """And anew when the store was back in between."""
    retrying = Retrying(lambda: 1.0)
    assert retrying.failed("a", 0, is_store=True)
    assert not retrying.failed("b", 10, is_store=True)
    assert not retrying.failed("a", 20, is_store=True)
    assert not retrying.failed("a", REPORT_AGAIN_S - 1, is_store=True)
    assert retrying.failed("a", REPORT_AGAIN_S, is_store=True)
    assert retrying.succeeded("b")
    assert retrying.failed("a", REPORT_AGAIN_S + 60, is_store=True)


def test_what_is_no_longer_there_is_forgotten() -> None:
    """Or the memory would grow with each recording."""
    retrying = Retrying(lambda: 1.0)
    retrying.failed("a", 0, is_store=False)
    assert retrying.due([], 1) == []
    assert retrying.due(["a"], 1) == ["a"]
