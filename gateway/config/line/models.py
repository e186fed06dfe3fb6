"""The models of Voice Live and the two engines behind them.

A *native* model hears and answers in sound; a *cascaded* one is a text model between Azure speech to text and Azure
text to speech (Voice Live overview, supported models). They take different settings.
"""

import enum
import re


class Engine(enum.StrEnum):
    """The ways in which a model turns speech into an answer."""

    NATIVE = "native"
    CASCADED = "cascaded"


MODELS = (
    *("gpt-realtime", "gpt-realtime-mini", "gpt-realtime-1.5", "gpt-realtime-2"),
    *("gpt-realtime-2.1", "gpt-realtime-2.1-mini", "azure-realtime", "phi4-mm-realtime"),
    *("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"),
    *("gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-5-chat"),
)
"""The models that the service's documentation names; the GPT-5 family has further versions."""
_GPT_5 = re.compile(r"gpt-5(\.\d+)?(-(mini|nano|chat|pro|codex))*")


def is_known(model: str) -> bool:
    """Return ``True`` if the service's documentation names ``model``."""
    return model in MODELS or bool(_GPT_5.fullmatch(model))


def engine_of(model: str) -> Engine:
    """Return the engine of ``model``; for an unknown model, the engine that its name suggests."""
    return Engine.NATIVE if "realtime" in model else Engine.CASCADED


def is_gpt_realtime(model: str) -> bool:
    """Return ``True`` for OpenAI's speech models (``gpt-realtime``, ``gpt-realtime-mini``, …)."""
    return model.startswith("gpt-") and "realtime" in model


def is_azure_realtime(model: str) -> bool:
    """Return ``True`` for Azure's own speech model, which has voices of its own."""
    return model.startswith("azure-realtime")


def reasons(model: str) -> bool:
    """Return ``True`` if ``model`` takes ``reasoning_effort``: the GPT-5 family, ``gpt-realtime-2``, unknown models."""
    return model.startswith(("gpt-5", "gpt-realtime-2")) or not is_known(model)
