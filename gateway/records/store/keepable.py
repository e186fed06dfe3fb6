"""Makes rows such that they may be kept, before they are written anywhere: without secrets, words, numbers. Pure."""

from collections.abc import Mapping

from msgspec.structs import replace

from gateway.logs.redaction import Redactor
from gateway.records.masking import Masking
from gateway.records.rows import CallRow, EventRow, Row
from gateway.records.store.number_keys import NumberKey

_KNOWN = 1000


class Keepable:
    """Returns rows as they may be kept, those of calls with the hashes by which their numbers are found."""

    def __init__(self, key: NumberKey, masking: Masking, redactor: Redactor) -> None:
        self._key = key
        self._masking = masking
        self._redactor = redactor
        self._hashes: dict[str, str] = {}

    def row(self, row: Row) -> Row:
        """Return a row as it may be kept."""
        match row:
            case CallRow():
                row = replace(
                    row,
                    caller_hash=self._hash(row.caller),
                    called_hash=self._hash(row.called),
                    detail=self._redactor.text(row.detail),
                )
            case EventRow(fields=fields) if "detail" in fields:
                row = replace(row, fields=self._without_secrets(fields))
        return self._masking.row(row)

    def text(self, message: str) -> str:
        """Return a message of a provider or the service as it may be kept."""
        return self._masking.text(self._redactor.text(message))

    def _without_secrets(self, fields: Mapping[str, object]) -> dict[str, object]:
        return {name: self._redactor.value(value) if name == "detail" else value for name, value in fields.items()}

    def _hash(self, number: str) -> str:
        """Return the hash of a number; the row of a call comes again and again."""
        known = self._hashes.get(number)
        if known is None:
            if len(self._hashes) >= _KNOWN:
                self._hashes.clear()
            self._hashes[number] = known = self._key.hash(number)
        return known
