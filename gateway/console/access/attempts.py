"""Limits the failed attempts to sign in, by name and by address. Pure."""

from collections import OrderedDict, deque

PERIOD_S = 900.0
BY_NAME, BY_ADDRESS = 10, 30
"""Failed attempts in a period, after which more are refused."""
MOST = 10_000
"""Names and addresses that are kept; the oldest are forgotten."""


class Attempts:
    """Counts failed attempts. Times are seconds of any clock that does not go back."""

    def __init__(self) -> None:
        self._failed: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def may_try(self, name: str, address: str, now: float) -> bool:
        """Return whether another attempt is allowed."""
        limits = ((("name", name), BY_NAME), (("address", address), BY_ADDRESS))
        return all(self._count(key, now) < most for key, most in limits)

    def failed(self, name: str, address: str, now: float) -> None:
        """Note an attempt that begins, as failed until it has ``succeeded``: many at once are counted, too."""
        for key in (("name", name), ("address", address)):
            times = self._failed.setdefault(key, deque(maxlen=BY_ADDRESS))
            times.append(now)
            self._failed.move_to_end(key)
        while len(self._failed) > MOST:
            self._failed.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the last attempt of an address, and all of a name."""
        self._failed.pop(("name", name), None)
        if times := self._failed.get(("address", address)):
            times.pop()

    def _count(self, key: tuple[str, str], now: float) -> int:
        times = self._failed.get(key)
        if times is None:
            return 0
        while times and now - times[0] > PERIOD_S:
            times.popleft()
        if not times:
            del self._failed[key]
        return len(times)
