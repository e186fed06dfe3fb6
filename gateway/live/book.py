"""The calls of this process, as they are shown to who looks on; nothing is made while nobody does."""

import asyncio
from collections.abc import Callable

from msgspec import structs

from gateway.call.call import Call
from gateway.call.calls import Calls
from gateway.call.ending import Order
from gateway.fleet.places import CallKey
from gateway.live.messages import About, LiveCall, OrderFor, Update
from gateway.records.masking import Masking

AT_ONCE = 40
"""Calls that are looked at in one turn of the event loop: much less than the time of a frame."""
WORDS_SHOWN = 200
"""Characters of the last words that are shown, from their end."""


class LiveBook:
    """Shows the calls of a process. ``about`` returns its state; ``clock`` is the calls', ``now`` Unix time."""

    def __init__(
        self,
        calls: Calls,
        about: Callable[[], About],
        masking: Masking,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._calls = calls
        self._about = about
        self._masking = masking
        self._clock = clock
        self._now = now

    def changes(self) -> "Changes":
        """Return the changes for a new reader, who knows nothing yet."""
        return Changes(self._calls, self._about, self._shown)

    def order(self, order: OrderFor) -> bool:
        """Carry out an order; ``False`` where this process does not have the call, or it cannot be transferred now."""
        key = (order.provider, order.call_id)
        call = next((call for known, call in self._calls.running_now() if known == key), None)
        if call is None or (order.target and order.target not in call.glance().targets):
            return False
        call.order(Order(order.target))
        return True

    def _shown(self, key: CallKey, call: Call) -> LiveCall:
        glance, identity = call.glance(), call.identity
        words = glance.last.text if self._masking.words else ""
        return LiveCall(
            provider=key[0],
            call_id=key[1],
            line=identity.line,
            caller=self._masking.number(identity.caller),
            called=self._masking.number(identity.called),
            started=round(self._now() - (self._clock() - identity.started_at)),
            state=glance.state,
            speaker=glance.speaker,
            who=glance.last.who if words else "",
            words=words[-WORDS_SHOWN:],
            targets=glance.targets,
        )


class Changes:
    """The changes since the last look of one reader."""

    def __init__(self, calls: Calls, about: Callable[[], About], shown: Callable[[CallKey, Call], LiveCall]) -> None:
        self._calls = calls
        self._about = about
        self._shown = shown
        self._known: dict[CallKey, LiveCall] = {}
        self._known_about: About | None = None

    async def next(self) -> Update | None:
        """Return what has changed; ``None`` if nothing has. Frames of calls go on between a few calls each."""
        changed: list[LiveCall] = []
        now = self._calls.running_now()
        for start in range(0, len(now), AT_ONCE):
            if start:
                await asyncio.sleep(0)
            for key, call in now[start : start + AT_ONCE]:
                known, shown = self._known.get(key), self._shown(key, call)
                if known is not None:
                    shown = _with_start(shown, known)
                if shown != known:
                    self._known[key] = shown
                    changed.append(shown)
        gone = [self._known.pop(key).key for key in self._known.keys() - {key for key, _ in now}]
        about = self._about()
        is_new = about != self._known_about
        self._known_about = about
        if not (changed or gone or is_new):
            return None
        return Update(about=about if is_new else None, calls=tuple(changed), gone=tuple(gone))


def _with_start(shown: LiveCall, known: LiveCall) -> LiveCall:
    """Return the call with the start that is known: two clocks are compared for it, and do not run alike."""
    if shown.started == known.started:
        return shown
    return structs.replace(shown, started=known.started)
