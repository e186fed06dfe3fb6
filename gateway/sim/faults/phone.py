"""The faults of one media stream: what becomes of the caller's frames, and when the phone reads or is gone."""

import random
from collections import deque
from collections.abc import Sequence

from gateway.sim.faults.plan import (
    Burst,
    Fault,
    Jitter,
    Loss,
    PhoneReset,
    Planned,
    StalledReader,
    Struck,
    Vanish,
    kind_of,
)

FRAME_S = 0.02


class PhoneFaults:
    """The faults of a stream, frame by frame; ``now_s`` counts from its first frame. ``dice`` draws for each frame."""

    def __init__(
        self, planned: Sequence[Planned] = (), dice: random.Random | None = None, struck: list[Struck] | None = None
    ) -> None:
        self._left = list(planned)
        self._dice = dice or random.Random(0)  # noqa: S311 -- repeatable, and no secret
        self._struck = [] if struck is None else struck
        self._lasting: list[tuple[Fault, float]] = []
        """The faults that go on, each with the time of its end."""
        self._held: deque[tuple[float, str | bytes]] = deque()
        self._replies = 0
        self._heard_s = 0.0
        self._was_audible = False
        self._now_s = 0.0
        self.gone: Vanish | PhoneReset | None = None
        """The fault by which the phone is gone, once it is."""

    @property
    def reads(self) -> bool:
        """True if the phone reads what comes."""
        return self.gone is None and self._lasts(StalledReader) is None

    def tick(self, now_s: float, at: float, *, audible: bool) -> None:
        """Begin a frame at ``now_s``, which is ``at`` on the event loop's clock, and let strike what is due."""
        self._now_s = now_s
        self._replies += audible and not self._was_audible
        self._heard_s = 0.0 if audible and not self._was_audible else self._heard_s + FRAME_S * audible
        self._was_audible = audible
        self._lasting = [(fault, until_s) for fault, until_s in self._lasting if now_s < until_s - FRAME_S / 2]
        for planned in [planned for planned in self._left if self._is_due(planned)]:
            self._left.remove(planned)
            self._strike(planned.fault, at)

    def _is_due(self, planned: Planned) -> bool:
        at = planned.at
        if at.s is not None:
            return self._now_s >= at.s
        wanted = at.reply or 1
        return self._replies > wanted or (self._replies == wanted and self._heard_s >= at.heard_s)

    def _strike(self, fault: Fault, at: float) -> None:
        self._struck.append(Struck(at, "phone", kind_of(type(fault)), fault))
        match fault:
            case Vanish() | PhoneReset():
                self.gone = fault
            case Loss(for_s=for_s) | Jitter(for_s=for_s) | Burst(for_s=for_s) | StalledReader(for_s=for_s):
                self._lasting.append((fault, self._now_s + for_s if for_s is not None else float("inf")))

    def _lasts(self, kind: type[Fault]) -> Fault | None:
        return next((fault for fault, _ in self._lasting if isinstance(fault, kind)), None)

    def loses(self) -> bool:
        """Return whether the caller's frame of now is lost."""
        loss = self._lasts(Loss)
        return isinstance(loss, Loss) and self._dice.random() < loss.share

    def pass_on(self, messages: Sequence[str | bytes]) -> list[str | bytes]:
        """Take the caller's frames of now; return what reaches the gateway now, in order."""
        due_s = self._now_s
        jitter = self._lasts(Jitter)
        if isinstance(jitter, Jitter):
            due_s += self._dice.uniform(0, jitter.max_ms / 1000)
        self._held += [(due_s, message) for message in messages]
        if self._lasts(Burst) is not None:
            return []
        arrived = []
        while self._held and self._held[0][0] <= self._now_s:
            arrived.append(self._held.popleft()[1])
        return arrived
