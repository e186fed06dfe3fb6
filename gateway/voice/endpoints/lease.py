"""One endpoint for the attempt at one session: how it is connected to, and what the pool is told of it. Pure."""

from collections.abc import Callable
from typing import Protocol

from gateway.fleet.sessions import Session
from gateway.sockets.socket import Socket
from gateway.voice.bot import Answering
from gateway.voice.endpoints.circuit import Failure, failure_of
from gateway.voice.endpoints.pool import Pool
from gateway.voice.service import VoiceConnectionError, VoiceLive, VoiceRefusedError


class Lease(Protocol):
    """An endpoint while a session is opened there, and lasts."""

    name: str
    service: VoiceLive

    async def connect(self, answering: Answering, limit_s: float | None = None, call_id: str = "") -> Socket:
        """Connect as the service does, within ``limit_s``, for this call. A lease may be connected with again.

        Raises ``VoiceConnectionError``.
        """

    def ready(self) -> None:
        """Note that the session was accepted."""

    def answered(self) -> None:
        """Note that the endpoint answered, with a refusal of this session alone."""

    def failed(self, failure: Failure) -> None:
        """Note that the endpoint failed after it was connected to."""

    def end(self) -> None:
        """Note that the session is over, or did not come about; may be called again."""


class Alone:
    """The lease of a service that is used without a pool: nothing is counted."""

    name = ""

    def __init__(self, service: VoiceLive) -> None:
        self.service = service

    async def connect(self, answering: Answering, limit_s: float | None = None, call_id: str = "") -> Socket:
        """Connect as the service does."""
        return await self.service.connect(answering, call_id=call_id)

    def ready(self) -> None:
        """Ignore it."""

    def answered(self) -> None:
        """Ignore it."""

    def failed(self, failure: Failure) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""


class PooledLease:
    """The lease of an endpoint of a pool. ``clock`` is the machine's clock."""

    def __init__(self, pool: Pool, session: Session, service: VoiceLive, clock: Callable[[], float]) -> None:
        self.name = session.endpoint
        self.service = service
        self._pool = pool
        self._session = session
        self._clock = clock
        self._begun = clock()
        self._named = next(one for one in pool.endpoints if one.name == self.name).named_here
        self._is_first = True
        self._is_told = False
        self._is_over = False

    async def connect(self, answering: Answering, limit_s: float | None = None, call_id: str = "") -> Socket:
        """Connect, and tell the pool what came of it."""
        if not self._is_first:
            self._pool.begin_again(self._session, self._clock())
        self._is_first = False
        named = self._named(answering)
        try:
            return await self.service.connect(named, limit_s=limit_s, call_id=call_id)
        except VoiceConnectionError as error:
            failure = failure_of(error.status, refused=isinstance(error, VoiceRefusedError))
            if failure is None:
                self.answered()
            else:
                self._tell_failure(failure, error.retry_after_s)
            raise

    def ready(self) -> None:
        """Note that the session was accepted."""
        self._is_told = True
        self._pool.note_ready(self.name, self._clock() - self._begun)

    def answered(self) -> None:
        """Note that the endpoint answered."""
        self._is_told = True
        self._pool.note_ready(self.name, None)

    def failed(self, failure: Failure) -> None:
        """Note that the endpoint failed after it was connected to."""
        self._tell_failure(failure, 0.0)

    def end(self) -> None:
        """Give the session back."""
        if not self._is_over:
            self._is_over = True
            self._pool.note_over(self._session)
            if not self._is_told:
                self._pool.give_up_probe(self.name)

    def _tell_failure(self, failure: Failure, retry_after_s: float) -> None:
        self._is_told = True
        self._pool.note_failed(self.name, failure, self._clock(), retry_after_s)
