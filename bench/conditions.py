"""How the service is reached, and how it delivers what the bot says."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

DELTAS_MS = (200, 300, 500, 500, 500, 500, 500, 500, 500, 20)
REPLY_MS = sum(DELTAS_MS)


@dataclass(frozen=True)
class Pace:
    """The deltas of a reply, and when they come."""

    deltas_ms: Sequence[int]
    times_real_time: float
    ahead_ms: int = 0
    """So much comes at once, before the pace begins: a phone that is sent each delta as it comes never runs dry."""

    def wait_s(self, sent_ms: int, size_ms: int) -> float:
        """Return the time after a delta of ``size_ms``, with which ``sent_ms`` were sent, until the next one."""
        paced_ms = min(size_ms, max(0, sent_ms - self.ahead_ms))
        return paced_ms / 1000 / self.times_real_time

    @property
    def plays_on_s(self) -> float:
        """The rest of a reply that is still to be heard when its last delta has come, were it heard without delay."""
        return (REPLY_MS - (REPLY_MS - self.ahead_ms) / self.times_real_time) / 1000


class Delivery(enum.StrEnum):
    """The ways in which the service delivers a reply."""

    BURST = "burst"
    """Sixteen times faster than it can be heard, as an Azure voice behind a text model was recorded."""
    REALTIME = "real time"
    """As fast as it can be heard, a tenth of a second at a time, and 300 ms ahead."""

    @property
    def pace(self) -> Pace:
        """The deltas of a reply, and when they come."""
        return _PACES[self]


_PACES = {
    Delivery.BURST: Pace(DELTAS_MS, times_real_time=16.0),
    Delivery.REALTIME: Pace((*[100] * (REPLY_MS // 100), REPLY_MS % 100), times_real_time=1.0, ahead_ms=300),
}


@dataclass(frozen=True)
class Conditions:
    """The conditions of a trial, the same for each program."""

    is_plain: bool = False
    """``True`` if the voice leg has no TLS, which no service of Azure's offers."""
    delivery: Delivery = Delivery.BURST


USUAL = Conditions()
