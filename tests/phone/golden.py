"""Golden transcripts: one message a line, ``{"in": …}`` from the provider or ``{"out": …}`` to it, in their order.

``of`` may name the command behind an ``out``. Text is a JSON string; a binary message is ``{"binary": "<base64>"}``.
"""

import base64
import json
from pathlib import Path

TRANSCRIPTS = Path(__file__).parent.parent / "transcripts"


def transcript(provider: str, name: str) -> list[tuple[str, str | bytes]]:
    """The messages of a transcript, each with its direction."""
    lines = (TRANSCRIPTS / provider / f"{name}.jsonl").read_text().splitlines()
    messages = []
    for line in lines:
        (direction, message), *_ = json.loads(line).items()
        messages.append((direction, base64.b64decode(message["binary"]) if isinstance(message, dict) else message))
    return messages
