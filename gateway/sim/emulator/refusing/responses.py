"""Refuses responses and truncations by the script's rules."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.refusing import versions
from gateway.sim.emulator.refusing.rules import Refuse, Rule, has_member
from gateway.sim.emulator.refusing.sessions import refusal
from gateway.sim.emulator.settings.engine import Engine


class Requests:
    """The requests of one connection that rules may refuse beside ``session.update``."""

    def __init__(self, refuse: Refuse, engine: Engine, connection: int) -> None:
        self._versions = refuse.versions
        self._api_version = engine.api_version
        self._responses = [rule for rule in refuse.responses if rule.holds_for(engine.model, connection)]
        self._truncates = [rule for rule in refuse.truncates if rule.holds_for(engine.model, connection)]
        self._refused: Counter[int] = Counter()

    def check_response(self, response: object) -> None:
        """Raise :class:`Rejected` where a rule or the version refuses a ``response.create``."""
        for rule in self._responses:
            if (rule.member is None or has_member(response, rule.member)) and self._is_left(rule, rule.times):
                raise refusal(rule, "response")
        if self._versions:
            versions.check_response(response, self._api_version)

    def check_truncate(self, event: Mapping[str, Any], *, active: bool) -> None:
        """Raise :class:`Rejected` where a rule refuses a ``conversation.item.truncate``."""
        for rule in self._truncates:
            if (active or not rule.while_active) and self._is_left(rule, rule.times):
                message = rule.message or f"Item '{event.get('item_id')}' cannot be truncated."
                raise Rejected(message, code=rule.code or "invalid_value", param=rule.param, harmless=True)

    def _is_left(self, rule: Rule, times: int | None) -> bool:
        """Count one use of a rule; return whether it was within its number of times."""
        self._refused[id(rule)] += 1
        return times is None or self._refused[id(rule)] <= times
