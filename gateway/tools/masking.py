"""Takes secret values out of what the model gets. Pure."""

import json
import re
from collections.abc import Iterable
from decimal import Decimal

MASK = "entered"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*')
_SEPARATOR = "[ \u00a0.-]?"
"""Card numbers come back in groups."""


def masked(output: str, secrets: Iterable[str]) -> str:
    """``output``, which is JSON, with each secret value replaced wherever a text or a number holds it."""
    values = sorted({value for value in secrets if value}, key=len, reverse=True)
    if not values:
        return output
    grouped = re.compile("|".join(_SEPARATOR.join(map(re.escape, value)) for value in values))
    numbers = {int(value) for value in values if value.isdecimal()}

    def replaced(found: re.Match[str]) -> str:
        token = found[0]
        if token.startswith('"'):
            return json.dumps(grouped.sub(MASK, json.loads(token)), ensure_ascii=False)
        holds_one = any(value in token for value in values) or Decimal(token) in numbers
        return f'"{MASK}"' if holds_one else token

    return _TOKEN.sub(replaced, output)
