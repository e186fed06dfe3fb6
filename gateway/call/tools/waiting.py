"""Words that cover the wait for a tool that takes long. Pure."""

from gateway.call.settings import Waiting
from gateway.call.speaking.responses import Request

LOOK_AGAIN_S = 0.2
"""The least time until words that had to wait for silence are due again."""


class Wait:
    """The wait for one tool. Times are in seconds."""

    def __init__(self, rule: Waiting | None, now: float) -> None:
        self._rule = rule
        self.at = now + rule.after_s if rule is not None else None
        """The time at which the words are due; ``None`` if there are none, or once they were returned."""

    def words(self, now: float, *, quiet: bool) -> Request | None:
        """Return what is to be said, once and only into silence; while it is not ``quiet``, it is due again later."""
        if self._rule is None or self.at is None or now < self.at:
            return None
        if not quiet:
            self.at = now + max(self._rule.after_s, LOOK_AGAIN_S)
            return None
        self.at = None
        return self._rule.words
