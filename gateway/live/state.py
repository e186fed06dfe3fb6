"""The state of a process beside its calls: capacity, endpoints, providers."""

import asyncio
from collections.abc import Callable

from gateway.call.calls import Calls
from gateway.live.messages import About, LiveEndpoint
from gateway.live.providers import RecentEnds
from gateway.routes.health import Health
from gateway.voice.endpoints.pool import Pool, Shown


def state_of(calls: Calls, pool: Pool, health: Health, ends: RecentEnds) -> Callable[[], About]:
    """Return what makes the state of a process at present; it is called in the event loop of the calls."""

    def about() -> About:
        now = asyncio.get_running_loop().time()
        return About(
            status=health.status(pool.lack(now)),
            in_use=calls.in_use,
            limit=calls.limit,
            endpoints=tuple(map(_endpoint, pool.shown(now))),
            providers=ends.shown(),
        )

    return about


def _endpoint(shown: Shown) -> LiveEndpoint:
    return LiveEndpoint(
        name=shown.name,
        circuit=shown.circuit.value,
        sessions=shown.sessions,
        sessions_minute=shown.in_minute,
        last_failure=shown.last_failure,
        ready_ms=None if shown.ready_s is None else round(shown.ready_s * 1000),
    )
