"""Refuses updates of the session by the script's rules, and counts the attempts to configure it."""

from collections.abc import Callable
from typing import Any

from gateway.sim.emulator.record import Event, Rejected
from gateway.sim.emulator.refusing import agents, versions
from gateway.sim.emulator.refusing.rules import Refuse, ResponseRule, UpdateRule, has_member
from gateway.sim.emulator.settings.engine import Engine

CLOSE_CODE = 1008
_TOO_MANY = "Session configuration failed after {limit} attempts."
Cut = Callable[[str, int, str], None]
"""A function that ends the connection: how, close code, reason."""


class Configuration:
    """The configuration of one connection, until an update is accepted and after it."""

    def __init__(self, refuse: Refuse, engine: Engine, connection: int, cut: Cut) -> None:
        self._refuse = refuse
        self._engine = engine
        self._rules = [rule for rule in refuse.updates if rule.holds_for(engine.model, connection)]
        self._cut = cut
        self._updates = 0
        self.attempts = 0
        """The failed attempts: refused updates, and other messages before acceptance that count."""
        self.accepted = False
        """An update was accepted."""

    def take(self, event: Event) -> None:
        """Raise :class:`Rejected` for a client event that may not come before an update was accepted."""
        if event.get("type") != "session.update" and self._counts(event):
            raise Rejected(
                f"Expected session.update, found {event.get('type')!r}: the session is not configured.",
                code="invalid_session_update_message",
                param="type",
            )

    def check(self, session: object) -> None:
        """Raise :class:`Rejected` where a rule or the version refuses an update with this ``session``."""
        self._updates += 1
        for rule in self._rules:
            if rule.matches(session, self._updates):
                self._end_by(rule)
                raise refusal(rule, "session")
        if self._refuse.repeated_model and has_member(session, "model"):
            raise Rejected(
                "The model of a session cannot be updated.", code="invalid_request_error", param="session.model"
            )
        if self._refuse.versions:
            versions.check_session(session, self._engine.api_version)
        if self._engine.agent is not None:
            agents.check(session, self._refuse.agent)

    def failed(self, event: Event) -> Rejected | None:
        """Count a client event that was refused; return the error that ends the connection where it was the last."""
        if not self._counts(event):
            return None
        self.attempts += 1
        limit = self._refuse.attempts.limit
        if self.attempts < limit:
            return None
        return Rejected(_TOO_MANY.format(limit=limit), code="max_config_attempts_exceeded", param="type")

    def end(self) -> None:
        """Close the connection behind the error of :meth:`failed`."""
        self._cut("close", CLOSE_CODE, "max_config_attempts_exceeded")

    def _counts(self, event: Event) -> bool:
        started = self.attempts > 0 or self._refuse.attempts.counts == "from_start"
        return not self.accepted and (started or event.get("type") == "session.update")

    def _end_by(self, rule: UpdateRule) -> None:
        if rule.how in ("close", "reset"):
            self._cut(rule.how, CLOSE_CODE, rule.message or "")


def refusal(rule: UpdateRule | ResponseRule, name: str) -> Rejected:
    """Return the error of a rule about ``name``, ``session`` or ``response``, worded by the rule or as seen."""
    worded: dict[str, Any] = _texts(rule.how, f"{name}.{rule.member}" if rule.member else None)
    for key in ("code", "message", "param"):
        if key in rule.model_fields_set:
            worded[key] = getattr(rule, key)
    return Rejected(**worded, harmless=True, silent=rule.how == "silence")


def _texts(how: str, param: str | None) -> dict[str, Any]:
    """Return code, message and param of a refusal that the script does not word itself."""
    code, message = "invalid_request_error", "The request is invalid."
    match how:
        case "named":
            message = f"Invalid parameter: '{param}'."
        case "in_text":
            message = f"The session could not be updated: {param} is not supported."
            param = None
        case "invalid_message":
            found = f"{param}\n  Extra inputs are not permitted" if param else "Input should be a valid message"
            message = f"Invalid session update message: 1 validation error for SessionUpdateMessage\n{found}"
            code, param = "invalid_session_update_message", "type"
        case _:
            param = None
    return {"code": code, "message": message, "param": param}
