"""The sessions of those who have signed in, in memory: a new start of the console signs everybody out. Pure."""

import hashlib

from msgspec import Struct

from gateway.console.visitors import NOBODY, Visitor

MOST = 1000
"""Sessions that are kept; of more, the one that was idle for longest is signed out."""


class _Session(Struct):
    visitor: Visitor
    began: float
    seen: float


class Sessions:
    """Knows each session by the hash of its cookie. Times are seconds of any clock that does not go back."""

    def __init__(self, idle_s: float, life_s: float) -> None:
        self._idle_s = idle_s
        self._life_s = life_s
        self._known: dict[bytes, _Session] = {}
        """By the hash of the cookie, the one that was seen last at the end."""

    def begin(self, cookie: str, visitor: Visitor, now: float) -> None:
        """Begin a session of somebody who has signed in, and whose cookie is a new one."""
        self._known[_hash(cookie)] = _Session(visitor, now, now)
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def end(self, cookie: str) -> None:
        """End a session, if it is there."""
        self._known.pop(_hash(cookie), None)

    def visitor(self, cookie: str, now: float) -> Visitor:
        """Return whose session this is; ``NOBODY`` where there is none, or it has been idle or open for too long."""
        key = _hash(cookie)
        session = self._known.pop(key, None)
        if session is None or now - session.seen > self._idle_s or now - session.began > self._life_s:
            return NOBODY
        session.seen = now
        self._known[key] = session
        return session.visitor


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
