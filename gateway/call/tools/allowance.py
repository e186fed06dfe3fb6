"""The limits of a model in one call: tools that it calls, and secrets that it lets the caller key in. Pure."""

from collections import Counter

from gateway.call.settings import CallSettings

TOOLS_SPENT = '{"error":"no more tools may be called in this call; say so, and go on without them"}'
SECRETS_SPENT = '{"error":"the caller has keyed this in too often in this call, and may not any more"}'
ANSWERS = 3
"""So many refusals in one turn of the caller are answered by a response; a model that goes on calling is left alone."""


class Allowance:
    """Count the tool calls and the attempts at secrets that a call may still make."""

    def __init__(self, settings: CallSettings) -> None:
        self._tool_calls = settings.tool_calls_limit
        self._secret_attempts = settings.secret_attempts_limit
        self._tools_used = 0
        self._refused = 0
        self._attempts: Counter[str] = Counter()

    @property
    def tools_spent(self) -> bool:
        """``True`` if the call may use no more tools."""
        return self._tools_used >= self._tool_calls

    @property
    def reports_refusals(self) -> bool:
        """``True`` if a response may report what was refused."""
        return self._refused <= ANSWERS

    def count_tool(self) -> bool:
        """Count a call of a tool; return ``False`` if it is to be refused."""
        if self.tools_spent:
            self._refused += 1
            return False
        self._tools_used += 1
        return True

    def caller_spoke(self, item_id: str, now: float) -> None:
        """Allow as many refusals again in the answer to a new turn of the caller."""
        self._refused = 0

    def keyed(self, function: str) -> None:
        """Count that the caller has keyed in what a function needs."""
        self._attempts[function] += 1

    def may_key(self, function: str) -> bool:
        """Return ``True`` if the caller may key in once more what a function needs."""
        return self._attempts[function] < self._secret_attempts
