"""Numbers as providers without a plus write them: E.164 (ITU-T E.164)."""

import re

_WITHOUT_PLUS = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)


def without_plus(number: str) -> str:
    """Return ``14155550100`` for ``+14155550100``, and anything else as it is."""
    return number[1:] if _WITHOUT_PLUS.fullmatch(number[1:]) and number[0] == "+" else number
