"""The output items of one response: each opened, filled by the code that knows its kind, and closed."""

from typing import Any

from gateway.sim.emulator.history import Entry, History
from gateway.sim.emulator.outgoing import Outgoing
from gateway.sim.emulator.record import Event


class Output:
    """A response's items, in the order of their ``output_index``; it may grow after the response's end."""

    def __init__(self, response_id: str, history: History, out: Outgoing) -> None:
        self.response_id = response_id
        self._history = history
        self._out = out
        self.entries: list[Entry] = []

    async def emit(self, event_type: str, **fields: Any) -> None:
        """Send an event of this response."""
        await self._out.emit(event_type, response_id=self.response_id, **fields)

    async def open(self, item: Event) -> Entry:
        """Make ``item`` a part of the response and of the conversation."""
        previous = self._history.previous_of_output()
        entry = self._history.add(item)
        self.entries.append(entry)
        await self.emit("response.output_item.added", output_index=len(self.entries) - 1, item=entry.shown)
        await self._out.emit("conversation.item.created", previous_item_id=previous, item=entry.shown)
        return entry

    async def close(self, entry: Entry, status: str) -> None:
        """Send the item as it has become."""
        entry.item["status"] = status
        await self.emit("response.output_item.done", output_index=self.index(entry), item=entry.shown)

    def index(self, entry: Entry) -> int:
        """Return the item's ``output_index``."""
        return self.entries.index(entry)
