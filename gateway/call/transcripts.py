"""Transcripts of the caller's turns, each passed on once. Pure."""

from gateway.voice.events import CallerSaid


class Transcripts:
    """Remembers the last turn whose words have come: the service may send a transcript more than once."""

    def __init__(self) -> None:
        self._last = ""

    def words(self, said: CallerSaid) -> str | None:
        """Return the words of a turn, an empty text if there are none; ``None`` if they were returned before."""
        if said.item_id == self._last:
            return None
        if not said.text.strip():
            return ""
        self._last = said.item_id
        return said.text
