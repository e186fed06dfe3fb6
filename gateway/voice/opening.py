"""Opens a session: connects, asks for its settings, negotiates what is refused, and remembers it.

A session whose first update is accepted costs one connection and one update.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from gateway.errors import WireError
from gateway.voice import wire
from gateway.voice.bot import name_of
from gateway.voice.events import ServiceError, SessionReady, VoiceClosed, VoiceEnd
from gateway.voice.negotiation.echo import Difference, differences
from gateway.voice.negotiation.memory import Key
from gateway.voice.negotiation.negotiation import Negotiation
from gateway.voice.negotiation.reductions import Session, member_of
from gateway.voice.negotiation.refusal import POLICY, Refusal, is_about_update, shortened
from gateway.voice.proposals import Proposal
from gateway.voice.service import VoiceConnectionError, VoiceLive, VoiceRefusedError
from gateway.voice.service_words import advice_for_refusal
from gateway.websocket import BROKEN, WebSocket

log = structlog.get_logger()

READY_TIMEOUT_S = 10.0
"""The limit from an update to its acceptance where nothing was refused; 66-88 ms were measured at the service."""
TRIES = 3
"""Updates on one connection; the service closes it after five that it refused."""
NEGOTIATION_LIMIT_S = 4.0
"""The limit from the first refusal to the accepted session: the caller is waiting."""
RETRY_S = (0.2, 0.6)
"""The bounds of the random time before a connection is tried again."""
_MODEL = "model"
"""The name of what is left out where another model of the line answers."""


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

    socket: WebSocket
    proposal: Proposal
    ready: SessionReady
    session: Session
    """The session that was sent and accepted."""
    left_out: Sequence[str]
    """The reductions of the proposal's session."""


class _FailedError(Exception):
    """No session came about with one proposal."""

    def __init__(self, closed: VoiceClosed, *, next_model: bool = False, refused: bool = False) -> None:
        super().__init__(closed.detail)
        self.closed = closed
        self.next_model = next_model
        """``True`` if another model may be accepted."""
        self.refused = refused
        """``True`` if the service will refuse it for longer."""


class Opening:
    """Opens one session by the first of ``proposals`` that is accepted. ``attempts`` tells what was tried.

    The proposals are the models of a line in their order; those that failed lately come last.
    """

    def __init__(self, service: VoiceLive, proposals: Sequence[Proposal]) -> None:
        self._service = service
        self._proposals = proposals
        self._socket: WebSocket | None = None
        self._is_closing = False
        self._connections = 0
        self._has_retried = False
        self._ends_at: float | None = None
        """When the negotiation must be over; ``None`` before the first refusal."""
        self.attempts: list[Attempt] = []
        self.created: Mapping[str, Any] = {}
        """The session that ``session.created`` showed last."""
        self.noted: list[ServiceError] = []
        """Errors that were not about our updates."""

    async def run(self) -> Opened | VoiceClosed:
        """Return the open session, or the closing event of a leg that got none. No socket is left in that case."""
        failed: list[tuple[Proposal, _FailedError]] = []
        try:
            for proposal in self._in_turn():
                try:
                    opened = await self._open(proposal)
                except _FailedError as failure:
                    failed.append((proposal, failure))
                    if self._is_closing or not failure.next_model or self._is_late():
                        break
                else:
                    self._note_opened(opened, failed)
                    self._socket = None
                    return opened
        finally:
            if self._socket is not None:
                await self._socket.close()
        return VoiceClosed(VoiceEnd.CLOSED) if self._is_closing else failed[-1][1].closed

    async def close(self) -> None:
        """Give up: ``run`` returns soon, unless it is connecting, when it must be cancelled."""
        self._is_closing = True
        if self._socket is not None:
            await self._socket.close()

    # One model

    def _in_turn(self) -> Sequence[Proposal]:
        """Return the proposals, those whose models failed lately behind the others."""
        now = _now()
        return sorted(self._proposals, key=lambda one: self._service.memory.fails(self._key(one), now))

    async def _open(self, proposal: Proposal) -> Opened:
        known = self._service.memory.left_out(self._key(proposal), _now()) if self._service.negotiate == "on" else ()
        negotiation = Negotiation(proposal.session, proposal.policy, known)
        renewals = 0
        while True:
            socket = self._socket = await self._connect(proposal)
            attempt = await self._configure(socket, proposal, negotiation, renewals)
            if attempt.ready is not None:
                return Opened(socket, proposal, attempt.ready, attempt.session, negotiation.left_out)
            await socket.close()
            refusal = attempt.refusal or Refusal()
            if refusal.passes and not self._has_retried:
                await self._pause()
            elif not attempt.left_out:
                raise self._refused(proposal, refusal)
            else:
                renewals += 1

    async def _connect(self, proposal: Proposal) -> WebSocket:
        while True:
            self._connections += 1
            try:
                return await self._service.connect(proposal.answering)
            except VoiceConnectionError as error:
                if error.passes and not self._has_retried and not self._is_closing:
                    await self._pause()
                    continue
                end = VoiceEnd.REFUSED if isinstance(error, VoiceRefusedError) else VoiceEnd.UNREACHABLE
                refused = error.status in (400, 404)
                next_model = refused or error.status >= 500
                closed = VoiceClosed(end, str(error), error.passes)
                raise _FailedError(closed, next_model=next_model, refused=refused) from None

    async def _pause(self) -> None:
        """Wait before the one connection that is tried again; at random, so that many calls do not return at once."""
        self._has_retried = True
        await asyncio.sleep(random.uniform(*RETRY_S))  # noqa: S311 -- no secret

    async def _configure(
        self, socket: WebSocket, proposal: Proposal, negotiation: Negotiation, renewals: int
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
                self._note_reducible(attempt, negotiation)
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

    async def _update(self, socket: WebSocket, attempt: Attempt, number: int) -> None:
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
            raise _FailedError(VoiceClosed(VoiceEnd.UNREACHABLE, self._unanswered(due - begun))) from None
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

    def _closed(self, socket: WebSocket) -> Refusal:
        """Return the end of the connection as a refusal, with the error before it, if there was one."""
        if self._is_closing:
            raise _FailedError(VoiceClosed(VoiceEnd.CLOSED))
        if socket.failure:  # no pong, or broken frames: no session of ours is the cause
            raise _FailedError(VoiceClosed(VoiceEnd.LOST, socket.failure))
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
            return _FailedError(VoiceClosed(VoiceEnd.LOST, shortened(detail) + named, passes=True), next_model=True)
        advice = advice_for_refusal(refusal, proposal.answering)
        said = f"{refusal.words}{f'; {advice}' if advice else ''}{named}"
        closed = VoiceClosed(VoiceEnd.REFUSED, f"Voice Live refused the session: {said}", refusal.passes)
        return _FailedError(closed, next_model=not refusal.is_quota, refused=refusal.is_lasting)

    # Time

    def _due(self, limit: float) -> float:
        return limit if self._ends_at is None else min(limit, self._ends_at)

    def _is_late(self) -> bool:
        return self._ends_at is not None and _now() >= self._ends_at

    # What was learnt

    def _key(self, proposal: Proposal) -> Key:
        voice = proposal.session.get("voice")
        kind = str(voice.get("type") or "") if isinstance(voice, Mapping) else ""
        return Key(
            self._service.endpoint,
            self._service.api_version,
            name_of(proposal.answering),
            kind,
            str(proposal.session.get("output_audio_format") or ""),
        )

    def _note_opened(self, opened: Opened, failed: Sequence[tuple[Proposal, _FailedError]]) -> None:
        memory, now, key = self._service.memory, _now(), self._key(opened.proposal)
        for proposal, failure in failed:
            memory.note_failed(self._key(proposal), now, refused=failure.refused)
        memory.note_accepted(key, opened.left_out, now)
        is_another = opened.proposal is not self._proposals[0]
        left_out = (*((_MODEL,) if is_another else ()), *opened.left_out)
        for member in dict.fromkeys(map(member_of, left_out)):
            self._service.watch.session_reduced(member)
        if left_out and memory.should_log(key, "session_reduced", now):
            self._log_reduced(opened.proposal, left_out)
        soft = self.attempts[-1].differences
        for member in dict.fromkeys(member_of(one.member) for one in soft):
            self._service.watch.session_differs(member)
        if soft and memory.should_log(key, "session_differs", now):
            log.warning("session_differs", model=name_of(opened.proposal.answering), detail=_listed(soft))

    def _note_reducible(self, attempt: Attempt, negotiation: Negotiation) -> None:
        """Log what would be left out, where the operator wants that and no more."""
        refusal = attempt.refusal
        if self._service.negotiate == "log" and refusal is not None:
            left_out = negotiation.refused(refusal)
            if left_out and self._service.memory.should_log(self._key(attempt.proposal), "session_reduced", _now()):
                self._log_reduced(attempt.proposal, left_out, only_logged=True)

    def _log_reduced(self, proposal: Proposal, left_out: Sequence[str], **fields: object) -> None:
        first = next((one.refusal for one in self.attempts if one.refusal is not None), None)
        said = first.words if first is not None else ""
        log.warning("session_reduced", model=name_of(proposal.answering), left_out=[*left_out], detail=said, **fields)


def _listed(found: Sequence[Difference]) -> str:
    return "; ".join(one.words for one in found)


def _now() -> float:
    return asyncio.get_running_loop().time()
