"""A stand-in for the storage of recordings."""

from gateway.errors import StoreError


class Files:
    """Remembers the recordings that were erased; those in ``refused`` cannot be."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.erased: list[tuple[str, str]] = []

    async def erase(self, call_key: str, url: str = "") -> None:
        """Erase a recording."""
        if call_key in self.refused:
            raise StoreError("the store is away")
        self.erased.append((call_key, url))
