"""The conversation: its items, their order, and how much of each was said."""

import copy
from dataclasses import dataclass

from gateway.sim.emulator.record import Event, Rejected


@dataclass
class Entry:
    """One item, and what the service knows of it besides."""

    item: Event
    from_client: bool = False
    speech_ms: float = 0
    """The length of the caller's speech in the item."""
    audio_ms: float | None = None
    """Assistant audio sent so far, or kept by a truncation; None where the item has none."""
    generated_ms: float = 0
    """Assistant audio sent, truncated or not."""
    first_delta_at: float = 0
    """The time at which its audio began to be sent, on the event loop's clock."""
    truncated: bool = False
    truncated_by_service: bool = False

    @property
    def id(self) -> str:
        """The id of the item."""
        return str(self.item["id"])

    @property
    def shown(self) -> Event:
        """The item as an event shows it now."""
        return dict(self.item)

    def spoke(self, transcript: str, audio_ms: float) -> None:
        """Note how far the assistant has got; a truncated item stays as it is."""
        self.generated_ms = max(self.generated_ms, audio_ms)
        if not self.truncated:
            self.item["content"] = [{"type": "audio", "transcript": transcript}]
            self.audio_ms = audio_ms

    def truncate(self, kept_ms: int) -> None:
        """Keep so much of the audio, and of the transcript in proportion, whole words only."""
        content = self.item["content"][0]
        transcript = content.get("transcript") or ""
        share = kept_ms / self.audio_ms if self.audio_ms else 0
        kept = transcript[: round(len(transcript) * share)]
        if len(kept) < len(transcript) and not transcript[len(kept)].isspace():
            kept = kept[: kept.rfind(" ") + 1]
        self.item["content"] = [{**content, "transcript": kept.rstrip()}]
        self.audio_ms = float(kept_ms)
        self.truncated = True


class History:
    """The items in the order of the conversation."""

    def __init__(self, *, native: bool) -> None:
        self._native = native
        self._entries: list[Entry] = []

    @property
    def items(self) -> list[Event]:
        """The items as they stand now."""
        return [entry.item for entry in self._entries]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The items with what is known of them besides."""
        return tuple(self._entries)

    def find(self, item_id: object) -> Entry | None:
        """Return the entry of an item id."""
        return next((entry for entry in self._entries if entry.id == item_id), None)

    def add(self, item: Event, *, from_client: bool = False, after: str | None = None) -> Entry:
        """Add an item at the end, or after the item ``after`` (``root``: at the beginning)."""
        if self.find(item["id"]) is not None:
            raise Rejected(
                f"Item with id '{item['id']}' already exists.", code="item_create_duplicate_item_id", param="item.id"
            )
        entry = Entry(item, from_client)
        self._entries.insert(self._index_after(after), entry)
        return entry

    def append(self, entry: Entry) -> None:
        """Add an item that the service made."""
        self._entries.append(entry)

    def _index_after(self, item_id: str | None) -> int:
        if item_id is None:
            return len(self._entries)
        if item_id == "root":
            return 0
        entry = self.find(item_id)
        if entry is None:
            raise Rejected(
                f"Previous item with id '{item_id}' does not exist.",
                code="item_create_invalid_previous_item_id",
                param="previous_item_id",
            )
        return self._entries.index(entry) + 1

    def previous_of_speech(self) -> str | None:
        """Return ``previous_item_id`` of a spoken turn of the caller: cascaded engines skip what the assistant said."""
        for entry in reversed(self._entries):
            if self._native or entry.item.get("role") == "user":
                return entry.id
        return None

    def previous_of_client_item(self) -> str | None:
        """Return ``previous_item_id`` of a client's item: cascaded engines begin with an empty string."""
        return self._entries[-1].id if self._entries else None if self._native else ""

    def previous_of_output(self) -> str | None:
        """Return ``previous_item_id`` of the assistant's next item; cascaded: empty before the first spoken turn."""
        if not self._entries:
            return None if self._native else ""
        first_typed = len(self._entries) == 1 and self._entries[0].from_client
        return "" if first_typed and not self._native else self._entries[-1].id

    def retrieve(self, item_id: object) -> Event:
        """Return a copy of an item."""
        return copy.deepcopy(self._known(item_id, "retrieve").item)

    def delete(self, item_id: object) -> None:
        """Take an item out of the conversation."""
        self._entries.remove(self._known(item_id, "delete"))

    def truncate(self, item_id: object, content_index: object, audio_end_ms: object) -> None:
        """Keep the first ``audio_end_ms`` of an assistant item, as the client heard it."""
        entry = self._known(item_id, "truncate")
        if entry.truncated_by_service:
            raise Rejected(
                f"Item '{item_id}' was already truncated.",
                code="item_already_truncated",
                param="item_id",
                harmless=True,
            )
        if entry.audio_ms is None or entry.item.get("role") != "assistant":
            raise Rejected(
                "Only model output audio messages can be truncated.", code="unsupported_content_type", param="item_id"
            )
        if content_index != 0:
            raise Rejected(
                f"Content at index {content_index!r} does not exist.", code="invalid_value", param="content_index"
            )
        if not isinstance(audio_end_ms, int) or isinstance(audio_end_ms, bool) or audio_end_ms < 0:
            raise Rejected("audio_end_ms must be an integer >= 0.", code="invalid_value", param="audio_end_ms")
        if audio_end_ms > entry.audio_ms:
            raise Rejected(
                f"Audio content of {entry.audio_ms:.0f}ms is already shorter than {audio_end_ms}ms",
                code="invalid_value",
                param="audio_end_ms",
            )
        entry.truncate(audio_end_ms)

    def auto_truncate(self, now: float) -> tuple[str, int] | None:
        """Truncate the assistant's last item where its audio, played from its first delta on, is not over yet."""
        for entry in reversed(self._entries):
            if entry.audio_ms is None:
                continue
            played_ms = int((now - entry.first_delta_at) * 1000)
            if entry.truncated_by_service or played_ms >= entry.audio_ms:
                return None
            entry.truncate(played_ms)
            entry.truncated_by_service = True
            return entry.id, played_ms
        return None

    def _known(self, item_id: object, operation: str) -> Entry:
        entry = self.find(item_id)
        if entry is None:
            raise Rejected(
                f"Item with id '{item_id}' does not exist.",
                code=f"item_{operation}_invalid_item_id",
                param="item_id",
            )
        return entry
