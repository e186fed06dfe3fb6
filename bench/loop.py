"""The load's event loop: one epoll, one heap of timers, one row of ticks, no tasks, no sleep.

It carries 20,000 frames a second each way on one core beside everything else that the load does. It never sleeps: the
core is its own, what arrives is seen at once, and the program under test does not pay for waking it.
"""

import select
import socket
from bisect import insort
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from operator import itemgetter
from time import perf_counter

FIRED_BETWEEN_POLLS = 8
SERVED_BETWEEN_TIMERS = 16
LOOKED_EVERY_S = 0.01
"""The pause between two looks at what a run waits for: with hundreds of calls each look takes a while."""

Timer = Callable[[float], float | None]
"""Called with the time it was due (seconds, ``perf_counter``); returns when it is due next, or None for never."""
Tick = Callable[[], bool]
"""Called once in each period; returns False to end."""


class Loop:
    """The loop: calls back when a socket is ready or a timer is due; ``rounds_s`` has the time of each busy round."""

    def __init__(self) -> None:
        self.rounds_s: list[float] = []
        self._poller = select.epoll()
        self._ready: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._ticks: deque[tuple[float, float, Tick]] = deque()
        """When each tick is due next, its period, and what is called; in their order. With one period that is a ring,
        which costs less than a heap."""

    def watch(self, sock: socket.socket, ready: Callable[[int], None], *, writing: bool = False) -> None:
        """Call ``ready`` with the epoll mask whenever the socket can be read (and, with ``writing``, written)."""
        self._ready[sock.fileno()] = ready
        self._poller.register(sock, select.EPOLLIN | (select.EPOLLOUT if writing else 0))

    def want_write(self, sock: socket.socket, wanted: bool) -> None:
        """Start or stop calling back when the socket can be written."""
        self._poller.modify(sock, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def forget(self, sock: socket.socket) -> None:
        """Stop watching a socket; it is the caller's to close."""
        if self._ready.pop(sock.fileno(), None) is not None:
            self._poller.unregister(sock)

    def at(self, due: float, timer: Timer) -> None:
        """Call ``timer`` when ``due`` (``perf_counter`` seconds) has come."""
        self._count += 1
        heappush(self._timers, (due, self._count, timer))

    def every(self, due: float, period_s: float, tick: Tick) -> None:
        """Call ``tick`` when ``due`` (``perf_counter`` seconds) has come, and each ``period_s`` after that."""
        insort(self._ticks, (due, period_s, tick), key=itemgetter(0))

    def run_until(self, end: float, done: Callable[[], bool] | None = None) -> None:
        """Run until ``end`` (``perf_counter`` seconds), or until ``done`` holds, as is looked now and then."""
        timers, ticks, ready, poll = self._timers, self._ticks, self._ready, self._poller.poll
        look_at = 0.0
        while True:
            began = perf_counter()
            if began >= end:
                return
            if done is not None and began >= look_at:
                if done():
                    return
                look_at = began + LOOKED_EVERY_S
            fired = self._fire(began) if timers and timers[0][0] <= began else 0
            if ticks and ticks[0][0] <= began:
                fired += self._tick(began)
            events = poll(0, SERVED_BETWEEN_TIMERS)
            for fd, mask in events:
                callback = ready.get(fd)
                if callback is not None:
                    callback(mask)
            if fired or events:
                self.rounds_s.append(perf_counter() - began)

    def _fire(self, now: float) -> int:
        """Call the timers that are due, up to as many as may be between two polls; return how many that were."""
        timers, fired = self._timers, 0
        while timers and timers[0][0] <= now and fired < FIRED_BETWEEN_POLLS:
            due, _, timer = heappop(timers)
            again = timer(due)
            if again is not None:
                self._count += 1
                heappush(timers, (again, self._count, timer))
            fired += 1
        return fired

    def _tick(self, now: float) -> int:
        """Make the ticks that are due, up to as many as may be between two polls; return how many that were."""
        ticks, made = self._ticks, 0
        while ticks and ticks[0][0] <= now and made < FIRED_BETWEEN_POLLS:
            due, period_s, tick = ticks.popleft()
            made += 1
            if not tick():
                continue
            due += period_s
            if not ticks or ticks[-1][0] <= due:
                ticks.append((due, period_s, tick))
            else:
                self.every(due, period_s, tick)
        return made

    def close(self) -> None:
        """Close the poller, and call back no more."""
        self._poller.close()
