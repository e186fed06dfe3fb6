"""When one more session is asked for: soon, then less and less often, so many times and no longer than a limit."""

from gateway.call.recovery.attempts import FIRST_WAIT_S, LONGEST_WAIT_S, Attempts
from gateway.call.settings import Trouble


def waits(seed: int, *, tries: int = 8, limit_s: float = 1000.0) -> list[float]:
    """The waits before each try, up to the last one."""
    attempts, now, found = Attempts(Trouble(tries=tries, seed=seed)), 100.0, list[float]()
    attempts.begin(now, limit_s)
    while (at := attempts.next_at(now)) is not None:
        found.append(at - now)
        now = at
    return found


def test_the_first_try_comes_soon_and_each_further_one_later() -> None:
    """Each wait lies between half and the whole of twice the one before, up to a longest one."""
    for seed in range(50):
        first, *later = waits(seed)
        assert 0 <= first <= FIRST_WAIT_S
        for number, wait_s in enumerate(later):
            whole = min(LONGEST_WAIT_S, 0.5 * 2**number)
            assert whole / 2 <= wait_s <= whole


def test_the_same_seed_waits_alike() -> None:
    """And another one otherwise: many calls that lost their sessions at once do not come back at once."""
    assert waits(1) == waits(1)
    assert len({waits(seed)[0] for seed in range(50)}) == 50


def test_there_are_so_many_tries_and_no_more() -> None:
    """None at all where the line wants none."""
    assert len(waits(1, tries=3)) == 3
    assert waits(1, tries=0) == []


def test_no_try_comes_after_the_limit() -> None:
    """It counts from the loss."""
    assert 1 <= len(waits(1, limit_s=1.0)) <= 3
    assert sum(waits(1, limit_s=1.0)) < 1.0


def test_the_count_goes_on_until_a_session_has_brought_a_sound() -> None:
    """Else a service that opens sessions and stays mute would be tried for ever."""
    attempts = Attempts(Trouble(tries=3, seed=1))
    attempts.begin(0.0, 20.0)
    assert attempts.next_at(0.0) is not None
    attempts.begin(10.0, 20.0)
    assert attempts.next_at(10.0) is not None
    assert attempts.count == 2
    assert attempts.until == 20.0
    attempts.proven()
    attempts.begin(50.0, 20.0)
    assert attempts.count == 0
    assert attempts.until == 70.0
