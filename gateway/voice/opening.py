"""Opens a session: connects, asks for its settings, negotiates what is refused, and remembers it.

A session whose first update is accepted costs one connection and one update.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from gateway.errors import WireError
from gateway.sockets.message_socket import BROKEN
from gateway.sockets.socket import Socket
from gateway.voice import wire
from gateway.voice.endpoints.circuit import Failure
from gateway.voice.endpoints.lease import Lease
from gateway.voice.endpoints.pooled import Service, service_of
from gateway.voice.endpoints.tries import trying
from gateway.voice.events import ServiceError, SessionReady, VoiceClosed, VoiceEnd
from gateway.voice.learning import key_of, note_opened, note_reducible
from gateway.voice.negotiation.echo import Difference, differences
from gateway.voice.negotiation.memory import Key
from gateway.voice.negotiation.negotiation import Negotiation
from gateway.voice.negotiation.reductions import Session
from gateway.voice.negotiation.refusal import POLICY, Refusal, is_about_update, shortened
from gateway.voice.proposals import Proposal
from gateway.voice.service import VoiceConnectionError, VoiceLive, VoiceRefusedError
from gateway.voice.service_words import advice_for_refusal

log = structlog.get_logger()

READY_TIMEOUT_S = 10.0
"""The limit from an update to its acceptance where nothing was refused; 66-88 ms were measured at the service."""
TRIES = 3
"""Updates on one connection; the service closes it after five that it refused."""
NEGOTIATION_LIMIT_S = 4.0
"""The limit from the first refusal to the accepted session: the caller is waiting."""
RETRY_S = (0.2, 0.6)
"""The bounds of the random time before a connection is tried again."""
SHARE_S = 0.5
"""The least time that a connection gets where several endpoints share the connect time-out."""


@dataclass
class Attempt:
    """One ``session.update`` and its answer."""

    proposal: Proposal
    session: Session
    """The session that was asked for."""
    connection: int
    """The number of the connection in this opening, from 1."""
    refusal: Refusal | None = None
    """``None`` where the session was accepted."""
    left_out: Sequence[str] = ()
    """The reductions that followed from the refusal."""
    ready: SessionReady | None = None
    echoed: Mapping[str, Any] = field(default_factory=dict)
    """The session in force, as ``session.updated`` shows it."""
    differences: Sequence[Difference] = ()
    took_s: float = 0.0


@dataclass(frozen=True)
class Opened:
    """An accepted session on an open socket."""

    socket: Socket
    proposal: Proposal
    ready: SessionReady
    session: Session
    """The session that was sent and accepted."""
    left_out: Sequence[str]
    """The reductions of the proposal's session."""
    lease: Lease
    """To be ended with the session."""


class _FailedError(Exception):
    """No session came about with one proposal at one endpoint."""

    def __init__(
        self, closed: VoiceClosed, *, next_model: bool = False, refused: bool = False, failure: Failure | None = None
    ) -> None:
        super().__init__(closed.detail)
        self.closed = closed
        self.next_model = next_model
        """``True`` if another model may be accepted."""
        self.refused = refused
        """``True`` if the service will refuse it for longer."""
        self.failure = failure
        """The failure of the endpoint, once it was connected to."""


class Opening:
    """Opens one session by the first of ``proposals`` that is accepted. ``attempts`` tells what was tried.

    The proposals are the models of a line in their order; those that failed lately come last. Each is tried at one
    endpoint after the other. A session may have been reserved for ``call_id``.
    """

    def __init__(self, service: Service | VoiceLive, proposals: Sequence[Proposal], call_id: str = "") -> None:
        self._service = service_of(service)
        self._proposals = proposals
        self._call_id = call_id
        self._socket: Socket | None = None
        self._lease: Lease | None = None
        self._is_closing = False
        self._connections = 0
        self._has_retried = False
        self._ends_at: float | None = None
        """When the negotiation must be over; ``None`` before the first refusal."""
        self._connect_until: float | None = None
        """When the time for connecting is over, where there are several endpoints."""
        self._share_until: float | None = None
        """When the next endpoint is to be tried."""
        self.attempts: list[Attempt] = []
        self.created: Mapping[str, Any] = {}
        """The session that ``session.created`` showed last."""
        self.noted: list[ServiceError] = []
        """Errors that were not about our updates."""
        self._failed: list[tuple[Key, _FailedError]] = []

    async def run(self) -> Opened | VoiceClosed:
        """Return the open session, or the closing event of a leg that got none. No socket is left in that case."""
        closed = VoiceClosed(VoiceEnd.CLOSED)
        try:
            for proposal in self._in_turn():
                try:
                    opened = await self._open(proposal)
                except _FailedError as failure:
                    closed = failure.closed
                    if self._is_closing or not failure.next_model or self._is_late():
                        break
                else:
                    self._note_opened(opened)
                    self._socket = self._lease = None
                    return opened
        finally:
            if self._lease is not None:
                self._lease.end()
            if self._socket is not None:
                await self._socket.close()
        return VoiceClosed(VoiceEnd.CLOSED) if self._is_closing else closed

    async def close(self) -> None:
        """Give up: ``run`` returns soon, unless it is connecting, when it must be cancelled."""
        self._is_closing = True
        if self._socket is not None:
            await self._socket.close()

    # One model

    def _in_turn(self) -> Sequence[Proposal]:
        """Return the proposals, those whose models failed lately at every endpoint behind the others."""

        def fails(proposal: Proposal) -> bool:
            return all(self._fails(proposal, one) for one in self._service.where(proposal.answering))

        return sorted(self._proposals, key=fails)

    def _fails(self, proposal: Proposal, service: VoiceLive) -> bool:
        return self._service.memory.fails(key_of(service, proposal), _now())

    async def _open(self, proposal: Proposal) -> Opened:
        """Open a session with one model, at one endpoint after the other."""
        tried: set[str] = set()
        last: _FailedError | None = None
        fails = partial(self._fails, proposal)
        while (lease := self._service.lease(proposal.answering, tried, fails, self._call_id)) is not None:
            self._lease = lease
            tried.add(lease.name)
            try:
                with trying(lease.name, proposal.answering, _now):
                    return await self._open_at(lease, proposal, tried)
            except _FailedError as failure:
                self._note_failed(lease, proposal, failure)
                failure.next_model = failure.next_model or (last is not None and last.next_model)
                last = failure
                if self._is_closing or self._is_late():
                    break
        if last is None:
            closed = VoiceClosed(VoiceEnd.REFUSED, self._service.lacking(proposal.answering), passes=True)
            raise _FailedError(closed, next_model=True)
        raise last

    async def _open_at(self, lease: Lease, proposal: Proposal, tried: set[str]) -> Opened:
        key = key_of(lease.service, proposal)
        known = self._service.memory.left_out(key, _now()) if self._service.negotiate == "on" else ()
        negotiation = Negotiation(proposal.session, proposal.policy, known)
        renewals = 0
        while True:
            socket = self._socket = await self._connect(lease, proposal, tried)
            attempt = await self._configure(socket, lease, proposal, negotiation, renewals)
            if attempt.ready is not None:
                lease.ready()
                return Opened(socket, proposal, attempt.ready, attempt.session, negotiation.left_out, lease)
            await socket.close()
            refusal = attempt.refusal or Refusal()
            if refusal.passes and not self._has_retried and not self._service.others(proposal.answering, tried):
                await self._pause()
            elif not attempt.left_out:
                raise self._refused(proposal, refusal)
            else:
                renewals += 1

    async def _connect(self, lease: Lease, proposal: Proposal, tried: set[str]) -> Socket:
        while True:
            self._connections += 1
            others = self._service.others(proposal.answering, tried)
            try:
                return await lease.connect(proposal.answering, self._share_s(lease, others), self._call_id)
            except VoiceConnectionError as error:
                if error.passes and not others and not self._has_retried and not self._is_closing:
                    await self._pause()
                    continue
                end = VoiceEnd.REFUSED if isinstance(error, VoiceRefusedError) else VoiceEnd.UNREACHABLE
                refused = error.status in (400, 404)
                next_model = refused or error.status >= 500
                closed = VoiceClosed(end, str(error), error.passes)
                raise _FailedError(closed, next_model=next_model, refused=refused) from None

    def _share_s(self, lease: Lease, others: int) -> float | None:
        """Return the time for one connection: what is left of the connect time-out, shared with ``others``.

        ``None`` where no other endpoint was there from the start.
        """
        now = _now()
        if self._connect_until is None:
            if not others:
                return None
            self._connect_until = now + lease.service.connect_timeout_s
        share_s = max(SHARE_S, (self._connect_until - now) / (others + 1))
        self._share_until = now + share_s if others else None
        return share_s

    async def _pause(self) -> None:
        """Wait before the one connection that is tried again; at random, so that many calls do not return at once."""
        self._has_retried = True
        await asyncio.sleep(random.uniform(*RETRY_S))  # noqa: S311 -- no secret

    async def _configure(
        self, socket: Socket, lease: Lease, proposal: Proposal, negotiation: Negotiation, renewals: int
    ) -> Attempt:
        """Ask for the session until it is accepted, or the connection is of no more use; return the last attempt.

        That one has ``left_out`` where another connection is worth while. There is one of these, and another one for
        the plainest session where the service closed that one as well.
        """
        for number in range(1, TRIES + 1):
            attempt = Attempt(proposal, negotiation.session, self._connections)
            self.attempts.append(attempt)
            await self._update(socket, attempt, number)
            refusal = attempt.refusal
            if refusal is None or (refusal.passes and not self._has_retried):
                return attempt
            if refusal.is_quota:
                return attempt
            if self._service.negotiate != "on":
                note_reducible(lease.service, proposal, negotiation, refusal, self._first_said(), _now())
                return attempt
            is_over = refusal.closed or refusal.code == "max_config_attempts_exceeded" or number == TRIES
            connections = 2 if refusal.closed else 1
            if self._is_late() or (is_over and renewals >= connections):
                return attempt
            last = renewals > 0 and number == TRIES - 1
            attempt.left_out = negotiation.refused(refusal, last=last)
            if is_over or not attempt.left_out:
                return attempt
        raise AssertionError("the last try returns")

    async def _update(self, socket: Socket, attempt: Attempt, number: int) -> None:
        """Send one update and note its answer in ``attempt``; another failure is a ``_FailedError``."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        due = self._due(begun + READY_TIMEOUT_S)
        update_id = wire.SESSION_UPDATE_ID if number == 1 else f"{wire.SESSION_UPDATE_ID}_{number}"
        try:
            async with asyncio.timeout_at(due) as limit:
                socket.send(wire.session_update(attempt.session, update_id))
                while attempt.ready is None and attempt.refusal is None:
                    message = await socket.receive()
                    if message is None:
                        attempt.refusal = self._closed(socket)
                    else:
                        self._read(message, attempt, update_id)
                    if self.noted:
                        due = min(due, begun + NEGOTIATION_LIMIT_S)
                        limit.reschedule(due)
        except TimeoutError:
            closed = VoiceClosed(VoiceEnd.UNREACHABLE, self._unanswered(due - begun))
            raise _FailedError(closed, failure=Failure.UNREACHABLE) from None
        except ConnectionError as error:
            attempt.refusal = Refusal(message=str(error), close_code=BROKEN)
        finally:
            attempt.took_s = loop.time() - begun
        if attempt.refusal is not None and self._ends_at is None:
            self._ends_at = loop.time() + NEGOTIATION_LIMIT_S

    def _read(self, message: str | bytes, attempt: Attempt, update_id: str) -> None:
        try:
            found = wire.parse(message)
            events = wire.events_of(found)
        except WireError:
            return
        if found.get("type") == "session.created" and isinstance(found.get("session"), Mapping):
            self.created = found["session"]
        for event in events:
            if isinstance(event, SessionReady):
                self._accepted(attempt, event, found["session"])
            elif isinstance(event, ServiceError) and is_about_update(event, update_id):
                attempt.refusal = Refusal(event.code, event.message, event.param)
            elif isinstance(event, ServiceError):
                self.noted.append(event)
                self._service.watch.service_error(event.code)
                log.warning("service_error", code=event.code, detail=shortened(event.message))

    def _accepted(self, attempt: Attempt, ready: SessionReady, echoed: Mapping[str, Any]) -> None:
        attempt.echoed = echoed
        attempt.differences = differences(attempt.session, echoed)
        wrong = next((one for one in attempt.differences if one.is_refusal), None)
        if wrong is None:
            attempt.ready = ready
        else:
            attempt.refusal = Refusal(message=wrong.words, param=f"session.{wrong.member}")

    def _closed(self, socket: Socket) -> Refusal:
        """Return the end of the connection as a refusal, with the error before it, if there was one."""
        if self._is_closing:
            raise _FailedError(VoiceClosed(VoiceEnd.CLOSED))
        if socket.failure:  # no pong, or broken frames: no session of ours is the cause
            raise _FailedError(VoiceClosed(VoiceEnd.LOST, socket.failure), failure=Failure.TROUBLE)
        before = self.noted[-1] if self.noted else ServiceError("", "")
        words = [text for text in (before.message, socket.close_reason) if text]
        return Refusal(before.code, "; ".join(words), before.param, socket.close_code or BROKEN)

    def _unanswered(self, waited_s: float) -> str:
        detail = f"Voice Live did not take the session settings within {waited_s:.2g} s"
        return f"{detail}; it said: {shortened(self.noted[-1].message)}" if self.noted else detail

    def _refused(self, proposal: Proposal, refusal: Refusal) -> _FailedError:
        """Return the failure that a refusal means where nothing is left to try."""
        session = self.created.get("id")
        named = f" (session {session})" if session else ""
        if refusal.closed and not refusal.code and refusal.close_code != POLICY:
            reason = f": {refusal.message}" if refusal.message else ""
            detail = f"Voice Live closed the session with {refusal.close_code}{reason}"
            if refusal.close_code == BROKEN and refusal.message:
                detail = refusal.message
            closed = VoiceClosed(VoiceEnd.LOST, shortened(detail) + named, passes=True)
            return _FailedError(closed, next_model=True, failure=Failure.TROUBLE)
        advice = advice_for_refusal(refusal, proposal.answering)
        said = f"{refusal.words}{f'; {advice}' if advice else ''}{named}"
        closed = VoiceClosed(VoiceEnd.REFUSED, f"Voice Live refused the session: {said}", refusal.passes)
        failure = Failure.QUOTA if refusal.is_quota else None
        return _FailedError(closed, next_model=not refusal.is_quota, refused=refusal.is_lasting, failure=failure)

    # Time

    def _due(self, limit: float) -> float:
        return min(limit, self._ends_at or limit, self._share_until or limit)

    def _is_late(self) -> bool:
        return any(until is not None and _now() >= until for until in (self._ends_at, self._connect_until))

    # What was learnt

    def _note_failed(self, lease: Lease, proposal: Proposal, failure: _FailedError) -> None:
        if failure.failure is not None:
            lease.failed(failure.failure)
        elif failure.refused:
            lease.answered()
        lease.end()
        self._failed.append((key_of(lease.service, proposal), failure))

    def _note_opened(self, opened: Opened) -> None:
        memory, now = self._service.memory, _now()
        for key, failure in self._failed:
            if failure.next_model:
                memory.note_failed(key, now, refused=failure.refused)
        service, learnt = opened.lease.service, self.attempts[-1].differences
        is_other = opened.proposal is not self._proposals[0]
        said = self._first_said()
        note_opened(service, opened.proposal, opened.left_out, learnt, said, now, is_another=is_other)

    def _first_said(self) -> str:
        return next((one.refusal.words for one in self.attempts if one.refusal is not None), "")


def _now() -> float:
    return asyncio.get_running_loop().time()
