"""When a session is replaced before it expires. Pure."""

import math

LEAD_S, LEAD_SHARE = 60.0, 0.25
"""The next session is prepared so long before the expiry, or this share of the life of a short one."""
MARGIN_S, MARGIN_SHARE = 10.0, 0.1
"""Without a moment at which nobody speaks, it takes over so long before the expiry, or this share of a short life."""
LAST_SHARE = 0.3
"""It waits for the end of a response until this share of the margin is left."""
RETRY_S = 2.0
"""A session that could not be prepared is asked for again after this."""
LOOK_AGAIN_S = 0.25


class RollOver:
    """The times of one session. They are in seconds; ``limit_s`` is the life of a session that does not tell it."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self.prepare_at = math.inf
        """When the next session is to be prepared."""
        self.force_at = math.inf
        """When it takes over although there is no pause, unless a response runs."""
        self.last_at = math.inf
        """When it takes over whatever happens."""

    def begin(self, lasts_s: float, now: float) -> None:
        """Begin with a session that lasts ``lasts_s`` from now; 0 if it has not told."""
        life_s = lasts_s or self._limit_s
        if life_s <= 0:
            self.prepare_at = self.force_at = self.last_at = math.inf
            return
        margin_s = min(MARGIN_S, life_s * MARGIN_SHARE)
        self.prepare_at = now + life_s - min(LEAD_S, life_s * LEAD_SHARE)
        self.force_at = now + life_s - margin_s
        self.last_at = now + life_s - margin_s * LAST_SHARE

    def asked(self) -> None:
        """Note that the next session is being prepared."""
        self.prepare_at = math.inf

    def failed(self, now: float) -> None:
        """Prepare another one soon, as long as there is time for it."""
        self.prepare_at = now + RETRY_S if now + RETRY_S < self.force_at else math.inf
