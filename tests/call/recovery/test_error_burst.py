"""A burst of errors."""

from gateway.call.recovery.error_burst import HARMLESS, MOST_ERRORS, WINDOW_S, ErrorBurst


def test_ten_errors_within_ten_seconds_are_a_burst() -> None:
    """To the last moment of them; errors that come more slowly are not."""
    burst = ErrorBurst()
    step_s = WINDOW_S / (MOST_ERRORS - 1)
    assert [burst.count("server_error", number * step_s) for number in range(MOST_ERRORS)] == [False] * 9 + [True]
    slow = ErrorBurst()
    assert not any(slow.count("server_error", number * (step_s + 0.01)) for number in range(5 * MOST_ERRORS))


def test_errors_that_follow_from_two_sides_that_act_at_once_do_not_count() -> None:
    """A cancel that came too late is one."""
    burst = ErrorBurst()
    assert not any(burst.count(code, 0.0) for code in HARMLESS for _ in range(5 * MOST_ERRORS))


def test_another_session_begins_anew() -> None:
    """What the one before it refused does not count."""
    burst = ErrorBurst()
    for _ in range(MOST_ERRORS - 1):
        burst.count("server_error", 0.0)
    burst.forget()
    assert not burst.count("server_error", 0.0)
