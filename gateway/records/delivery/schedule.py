"""Decides when a delivery that failed is tried again, and when it is given up. Pure."""

GIVE_UP_S = 24 * 3600.0
"""Seconds from the event to the last try."""
FIRST_S, FACTOR, LONGEST_S = 5.0, 2.0, 1800.0
"""Seconds before the second try, the factor from try to try, and the longest wait: 57 tries or so in a day."""
JITTER = 0.2
"""The part of a wait by which it is shorter or longer at random, so that receivers do not get all of it at once."""


def next_try(attempts: int, since: float, now: float, drawn: float, retry_after_s: float = 0.0) -> float | None:
    """Return the time of the next try; ``None`` if the delivery is given up.

    ``attempts`` is the number of tries so far, ``since`` the time of the event. ``drawn`` is a random number from 0 to
    1, ``retry_after_s`` the wait that the receiver asks for, of which no more than the longest wait is granted. The
    last try is at the end of the day, however long the wait before it would be.
    """
    until = since + GIVE_UP_S
    if now >= until:
        return None
    wait_s = min(FIRST_S * FACTOR ** min(attempts - 1, 60), LONGEST_S)
    wait_s *= 1 + JITTER * (2 * drawn - 1)
    wait_s = max(wait_s, min(retry_after_s, LONGEST_S))
    return min(now + wait_s, until)
