"""Words while an answer, or a function of the client, takes long (``interim_response``).

How the service labels them is unconfirmed. Here they are an item of their own: of the response that is late, or of a
response of its own while a function is awaited.
"""

from typing import Any, Literal

from gateway.sim.emulator.script import Script
from gateway.sim.emulator.settings.fields import InterimResponse

_THRESHOLD_MS = 2000


def interim_of(
    asked: InterimResponse | None, session: dict[str, Any] | None, trigger: Literal["latency", "tool"], script: Script
) -> tuple[str, float] | None:
    """Return the words and the seconds after which they are said; None where nothing is to be said.

    ``asked`` is that of the response and goes before the session's. A static one has its first text said; a model's
    words are the script's.
    """
    config = asked.model_dump() if asked is not None else session
    if config is None or trigger not in (config.get("triggers") or ["latency"]):
        return None
    texts = config.get("texts") or [script.interim]
    words = texts[0] if config["type"] == "static_interim_response" else script.interim
    threshold_ms = config.get("latency_threshold_ms")
    return words, (_THRESHOLD_MS if threshold_ms is None else threshold_ms) / 1000
