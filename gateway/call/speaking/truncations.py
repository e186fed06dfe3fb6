"""Reports to the service what was heard of replies that the caller cut short. Pure."""

from collections.abc import Sequence

from gateway.call.speaking.greeting import PLAYED_IDS
from gateway.call.speaking.replies import HeardReply
from gateway.voice.commands import TruncateReply, truncated_by
from gateway.voice.events import ServiceError

LEAST_MS = 100
"""Of a reply that was heard for less, nothing is told: no word of it was understood."""
ALREADY_TRUNCATED = "item_already_truncated"


class Truncations:
    """Truncates replies; one that the service refuses while a response runs is asked for once more behind it."""

    def __init__(self) -> None:
        self._asked: dict[str, TruncateReply] = {}
        self._again: list[TruncateReply] = []
        self._unknown: set[str] = set()

    def cut(self, replies: Sequence[HeardReply]) -> list[TruncateReply]:
        """Return the truncations of replies that were cut off; a recording is none of the service's."""
        asked = [
            TruncateReply(reply.reply_id, reply.heard_ms)
            for reply in replies
            if reply.reply_id not in PLAYED_IDS and reply.reply_id not in self._unknown and reply.heard_ms >= LEAST_MS
        ]
        self._asked |= {one.item_id: one for one in asked}
        return asked

    def session_lost(self, replies: Sequence[str]) -> None:
        """Truncate none of these, which are still being played: the next session does not know them."""
        self._unknown = set(replies)
        self._asked.clear()
        self._again.clear()

    def refused(self, error: ServiceError, *, running: bool) -> None:
        """Keep a truncation that was refused for a second try, if a response is ``running`` and it is the first try."""
        asked = self._asked.pop(truncated_by(error.event_id), None)
        if asked is not None and running and error.code != ALREADY_TRUNCATED:
            self._again.append(asked)

    def response_ended(self) -> list[TruncateReply]:
        """Return the truncations to try once more, now that no response runs."""
        again, self._again = self._again, []
        return again
