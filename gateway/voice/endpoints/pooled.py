"""Voice Live at several endpoints: the pool with its connections, as the voice leg uses it. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Protocol

from gateway.voice.bot import Answering
from gateway.voice.endpoints.lease import Alone, Lease, PooledLease
from gateway.voice.endpoints.pool import Lack, Pool
from gateway.voice.negotiation.memory import Memory
from gateway.voice.negotiation.watch import Watch
from gateway.voice.service import Negotiate, VoiceLive

LACKS = {
    Lack.QUOTA: "the quota of every Voice Live endpoint is used up",
    Lack.UNREACHABLE: "no Voice Live endpoint can be reached",
    Lack.NO_MODEL: "no Voice Live endpoint has the model",
}
"""The words for each reason for which no session can be opened."""


class Service(Protocol):
    """Voice Live as sessions are opened at it."""

    api_version: str
    negotiate: Negotiate
    watch: Watch
    memory: Memory

    def lease(
        self,
        answering: Answering,
        tried: Collection[str] = (),
        poor: Callable[[VoiceLive], bool] | None = None,
        call_id: str = "",
    ) -> Lease | None:
        """Return the endpoint to try next, none of ``tried``; ``None`` where none is left.

        Those for which ``poor`` is true come last. A session that a webhook reserved for ``call_id`` is used.
        """

    def others(self, answering: Answering, tried: Collection[str]) -> int:
        """Return how many endpoints beside ``tried`` may be tried in good hope."""

    def where(self, answering: Answering) -> Sequence[VoiceLive]:
        """Return the endpoints that have a model or agent."""

    def lacking(self, answering: Answering) -> str:
        """Return in words why there is no endpoint for a session."""


class Single(Service):
    """One endpoint without a pool."""

    def __init__(self, service: VoiceLive) -> None:
        self._service = service
        self.api_version = service.api_version
        self.negotiate = service.negotiate
        self.watch = service.watch
        self.memory = service.memory

    def lease(
        self,
        answering: Answering,
        tried: Collection[str] = (),
        poor: Callable[[VoiceLive], bool] | None = None,
        call_id: str = "",
    ) -> Lease | None:
        """Return the endpoint, once."""
        return None if tried else Alone(self._service)

    def others(self, answering: Answering, tried: Collection[str]) -> int:
        """Return 0."""
        return 0

    def where(self, answering: Answering) -> Sequence[VoiceLive]:
        """Return the endpoint."""
        return (self._service,)

    def lacking(self, answering: Answering) -> str:
        """Return nothing: it is always there."""
        return ""


def service_of(service: Service | VoiceLive) -> Service:
    """Return a service as sessions are opened at it."""
    return Single(service) if isinstance(service, VoiceLive) else service


class PooledVoiceLive(Service):
    """The endpoints of a process. Use as an async context manager. ``services`` are in the order of the pool's.

    ``clock`` is the machine's clock.
    """

    def __init__(self, services: Mapping[str, VoiceLive], pool: Pool, clock: Callable[[], float]) -> None:
        first = self.first = next(iter(services.values()))
        """The endpoint that is named first."""
        self.services = services
        self.pool = pool
        self._clock = clock
        self.api_version = first.api_version
        self.negotiate = first.negotiate
        self.watch = first.watch
        self.memory = first.memory
        for service in services.values():
            service.memory = self.memory
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "PooledVoiceLive":
        async with AsyncExitStack() as stack:
            for service in self.services.values():
                await stack.enter_async_context(service)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    def lease(
        self,
        answering: Answering,
        tried: Collection[str] = (),
        poor: Callable[[VoiceLive], bool] | None = None,
        call_id: str = "",
    ) -> Lease | None:
        """Return the endpoint that the pool chooses."""
        late = [name for name, one in self.services.items() if poor is not None and poor(one)]
        session = self.pool.open(answering, self._clock(), call_id, tried, late)
        if session is None:
            return None
        return PooledLease(self.pool, session, self.services[session.endpoint], self._clock)

    def probe(self) -> Lease | None:
        """Return an endpoint whose circuit is half open, to probe it; ``None`` where none is due."""
        session = self.pool.probe(self._clock())
        if session is None:
            return None
        return PooledLease(self.pool, session, self.services[session.endpoint], self._clock)

    def others(self, answering: Answering, tried: Collection[str]) -> int:
        """Return how many endpoints beside ``tried`` have the model, a closed circuit and quota."""
        return self.pool.has_other(answering, self._clock(), tried)

    def where(self, answering: Answering) -> Sequence[VoiceLive]:
        """Return the endpoints that have a model or agent."""
        return [self.services[one.name] for one in self.pool.endpoints if one.answers(answering)]

    def lacking(self, answering: Answering) -> str:
        """Return in words why there is no endpoint for a session."""
        return LACKS[self.pool.lack(self._clock(), (answering,)) or Lack.QUOTA]

    def shown_reductions(self) -> Sequence[Mapping[str, object]]:
        """Return what is left out of sessions at present, ready for JSON."""
        return self.first.shown_reductions()
