"""Capacity, endpoints and providers of all processes of a gateway together. Pure."""

from collections.abc import Sequence

from msgspec.structs import replace

from gateway.live.messages import About, LiveEndpoint, LiveProvider


def overview(about: Sequence[About]) -> About | None:
    """Return the state of processes that share their places; ``None`` where none has answered.

    It is ``ready`` as long as one of them takes calls.
    """
    if not about:
        return None
    statuses = [one.status for one in about]
    endpoints: dict[str, LiveEndpoint] = {}
    providers: dict[str, LiveProvider] = {}
    for process in about:
        for endpoint in process.endpoints:
            endpoints[endpoint.name] = _worse(endpoints.get(endpoint.name, endpoint), endpoint)
        for provider in process.providers:
            known = providers.get(provider.name)
            providers[provider.name] = provider if known is None else _sum(known, provider)
    return About(
        status="ready" if "ready" in statuses else statuses[0],
        in_use=max(one.in_use for one in about),
        limit=max(one.limit for one in about),
        endpoints=tuple(endpoints.values()),
        providers=tuple(providers.values()),
    )


def _worse(one: LiveEndpoint, other: LiveEndpoint) -> LiveEndpoint:
    """Return the endpoint with the failure that any process has seen; circuits and sessions are shared by all."""
    return replace(one, last_failure=one.last_failure or other.last_failure, ready_ms=one.ready_ms or other.ready_ms)


def _sum(one: LiveProvider, other: LiveProvider) -> LiveProvider:
    last = max((end for end in (one.last_end, other.last_end) if end is not None), default=None)
    return replace(one, ended=one.ended + other.ended, broken=one.broken + other.broken, last_end=last)
