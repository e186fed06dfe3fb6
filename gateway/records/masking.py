"""Takes words and numbers out of the rows of a call, as ``records.words`` and ``records.numbers`` say. Pure."""

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from gateway.config.records.records import Numbers
from gateway.records.rows import CallRow, EventRow, KeyRow, Row, TransferRow, TurnRow

SPOKEN = frozenset({"text", "unheard", "digits", "digit"})
"""Fields of notes that hold what was said or pressed."""
ADDRESSES = frozenset({"caller", "called"})
"""Fields of notes that hold a number."""
UNTOLD = "…"
_KEPT_BEFORE, _KEPT_BEHIND = 5, 2
_SHORTEST = 9
"""Characters of the shortest number of which both ends are shown."""
_ANYWHERE = re.compile(
    r"[sS][iI][pP][sS]?:[^\s@<>]+@[^\s@<>]+|(?<![\w.:-])\+?\(?[0-9](?:[ ().\-/]{0,2}[0-9]){6,14}(?![\w-])"
)
"""Numbers and addresses of SIP within a text, also without a plus and with separators."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
"""Parts of a message that quote somebody."""


def masked_number(number: str) -> str:
    """Return a number of which only the beginning and the end are shown: ``+1425…00``, ``sip:…@example.com``."""
    user, at, host = number.rpartition("@")
    if at:
        scheme, colon, _ = user.partition(":")
        return f"{scheme}{colon}{UNTOLD}@{host}" if colon else f"{UNTOLD}@{host}"
    if len(number) < _SHORTEST:
        return UNTOLD if number else ""
    return f"{number[:_KEPT_BEFORE]}{UNTOLD}{number[-_KEPT_BEHIND:]}"


class Masking(Struct, frozen=True):
    """Takes out of rows what is not to be kept of a call's words and numbers."""

    words: bool = True
    numbers: Numbers = "full"

    def row(self, row: Row) -> Row:
        """Return the row as it may be written. Rows of recordings and deliveries are passed on as they are."""
        if self.words and self.numbers == "full":
            return row
        match row:
            case CallRow():
                caller, called = self.number(row.caller), self.number(row.called)
                return replace(row, caller=caller, called=called, detail=self.text(row.detail))
            case EventRow():
                return replace(row, fields=self._fields(row.fields))
            case TransferRow():
                return replace(row, detail=self.text(row.detail))
            case TurnRow() if not self.words:
                return replace(row, words="", unheard="")
            case KeyRow() if not self.words:
                return replace(row, digit="")
            case _:
                return row

    def number(self, number: str) -> str:
        """Return a number as it may be kept."""
        if self.numbers == "full":
            return number
        return masked_number(number) if self.numbers == "masked" else ""

    def text(self, text: str) -> str:
        """Return a text of a provider or the service, in which numbers may stand, and words between quotation marks."""
        if not self.words:
            text = _QUOTED.sub(UNTOLD, text)
        if self.numbers == "full":
            return text
        return _ANYWHERE.sub(lambda found: self.number(found[0]) or UNTOLD, text)

    def _fields(self, fields: Mapping[str, object]) -> dict[str, object]:
        return {name: self._field(name, value) for name, value in fields.items()}

    def _field(self, name: str, value: object) -> object:
        if not isinstance(value, str):
            return value
        if name in SPOKEN:
            return value if self.words else ""
        return self.number(value) if name in ADDRESSES else self.text(value)
