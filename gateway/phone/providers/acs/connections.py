"""Remembers the connections of calls at ACS, which alone its REST API knows, and their callers. Pure."""

from collections import OrderedDict

from gateway.phone.shared.call_id import is_call_id
from gateway.withheld import withheld

CALLERS_LIMIT = 10_000
"""Calls whose caller and connection are remembered."""


class Connections:
    """The connection that a call got when it was answered, and the caller of a connection. The oldest are forgotten."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, str] = OrderedDict()
        self._connections: OrderedDict[str, str] = OrderedDict()

    def note(self, correlation_id: str, connection_id: str) -> None:
        """Remember a call's connection."""
        if correlation_id and is_call_id(connection_id):
            _remember(self._connections, correlation_id, connection_id)

    def note_caller(self, connection_id: str, caller: str) -> None:
        """Remember whom digits are dialled to; a caller who withholds the number is nobody to dial to."""
        if connection_id and not withheld(caller):
            _remember(self._callers, connection_id, caller)

    def find(self, correlation_id: str) -> str:
        """Return a call's connection; empty where it is not known."""
        return self._connections.get(correlation_id, "")

    def caller(self, connection_id: str) -> str:
        """Return the caller of a connection; empty where it is not known."""
        return self._callers.get(connection_id, "")


def _remember(memory: OrderedDict[str, str], key: str, value: str) -> None:
    memory[key] = value
    while len(memory) > CALLERS_LIMIT:
        memory.popitem(last=False)
