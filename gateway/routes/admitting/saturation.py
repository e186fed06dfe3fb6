"""Decides whether this process has room for one more call, by how busy it is. Pure: time is an argument."""

from collections import deque

PERIOD_S = 0.5
"""The time between two samples."""
BUSY_STOP, BUSY_RESUME = 0.75, 0.65
"""Shares of a core that the event loop's thread uses: from the first on no call is taken, from the second on again."""
LAG_STOP_S, LAG_RESUME_S = 0.02, 0.005
"""Delays of the sample's timer: twice in ``LAG_WINDOW`` samples the first, and no call is taken."""
LAG_WINDOW = 6
LATE_STOP = 5
"""Frames that were sent late within one period, of all calls: so many, and no call is taken."""
RESUME_S = 5.0
"""The time for which everything is below its second threshold before calls are taken again."""
EXPECTED_COST = 0.005
"""The share of a core that a call is taken to cost while too few run to measure it."""
MEASURED_CALLS = 10
ARRIVING_S = 3.0
"""The time until a call that was taken costs what it will: its session opens, and it begins to speak."""


class Saturation:
    """The load of one process: ``sample`` it in a steady rhythm, ask ``has_room`` before each call, and note ``took``.

    Calls that were taken a moment ago do not cost anything yet; they count with what the others cost.
    """

    def __init__(self) -> None:
        self.busy = 0.0
        """The share of a core that the thread of the event loop used in the last period."""
        self.lag_s = 0.0
        """The delay of the last sample."""
        self.is_saturated = False
        """``True`` from the moment on at which a threshold was passed, until all was well for ``RESUME_S``."""
        self.reason = ""
        """The threshold that was passed last, in words."""
        self._lags: deque[float] = deque(maxlen=LAG_WINDOW)
        self._cost = EXPECTED_COST
        self._taken: deque[float] = deque()
        self._well_since: float | None = None

    def sample(self, now: float, *, busy: float, lag_s: float, late_frames: int, calls: int) -> bool:
        """Take a sample of the last period; return ``True`` where the state changed."""
        self.busy, self.lag_s = busy, lag_s
        self._lags.append(lag_s)
        self._cost = max(busy / calls, EXPECTED_COST / 10) if calls >= MEASURED_CALLS else EXPECTED_COST
        if reason := self._too_much(late_frames):
            self._well_since = None
            was, self.is_saturated, self.reason = self.is_saturated, True, reason
            return not was
        if not self.is_saturated:
            return False
        if busy > BUSY_RESUME or max(self._lags) > LAG_RESUME_S or late_frames:
            self._well_since = None
            return False
        self._well_since = now if self._well_since is None else self._well_since
        if now - self._well_since < RESUME_S:
            return False
        self.is_saturated, self.reason = False, ""
        return True

    def has_room(self, now: float) -> bool:
        """Return ``True`` if one more call may be taken."""
        if self.is_saturated:
            return False
        while self._taken and now - self._taken[0] >= ARRIVING_S:
            self._taken.popleft()
        return self.busy + self._cost * (len(self._taken) + 1) <= BUSY_STOP

    def took(self, now: float) -> None:
        """Note that a call was taken."""
        self._taken.append(now)

    def _too_much(self, late_frames: int) -> str:
        if self.busy >= BUSY_STOP:
            return f"the event loop's thread uses {self.busy:.0%} of a core"
        if sum(lag_s >= LAG_STOP_S for lag_s in self._lags) > 1:
            return f"the event loop lags by {max(self._lags) * 1000:.0f} ms"
        if late_frames >= LATE_STOP:
            return f"{late_frames} frames were sent late"
        return ""
