"""The load's event loop: one epoll, one heap of timers, no tasks, no sleep.

It carries 20,000 frames a second each way on one core beside everything else that the load does. It never sleeps: the
core is its own, what arrives is seen at once, and the program under test does not pay for waking it.
"""

import select
import socket
from collections.abc import Callable
from heapq import heappop, heappush
from time import perf_counter

FIRED_BETWEEN_POLLS = 8
SERVED_BETWEEN_TIMERS = 16

Timer = Callable[[float], float | None]
"""Called with the time it was due (seconds, ``perf_counter``); returns when it is due next, or None for never."""


class Loop:
    """The loop: calls back when a socket is ready or a timer is due; ``rounds_s`` has the time of each busy round."""

    def __init__(self) -> None:
        self.rounds_s: list[float] = []
        self._poller = select.epoll()
        self._ready: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0

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

    def run_until(self, end: float, done: Callable[[], bool] | None = None) -> None:
        """Run until ``end`` (``perf_counter`` seconds), or until ``done`` holds after a round."""
        timers, ready, poll = self._timers, self._ready, self._poller.poll
        while True:
            began = perf_counter()
            if began >= end or (done is not None and done()):
                return
            fired = 0
            while timers and timers[0][0] <= began and fired < FIRED_BETWEEN_POLLS:
                due, _, timer = heappop(timers)
                again = timer(due)
                if again is not None:
                    self._count += 1
                    heappush(timers, (again, self._count, timer))
                fired += 1
            events = poll(0, SERVED_BETWEEN_TIMERS)
            for fd, mask in events:
                callback = ready.get(fd)
                if callback is not None:
                    callback(mask)
            if fired or events:
                self.rounds_s.append(perf_counter() - began)

    def close(self) -> None:
        """Close the poller, and call back no more."""
        self._poller.close()
