"""The models of Voice Live and the two engines behind them.

A *native* model hears and answers in sound; a *cascaded* one is a text model between Azure speech to text and Azure
text to speech (Voice Live overview, supported models). They take different settings.
"""

import enum
import re


class Engine(enum.StrEnum):
    """How a model turns speech into an answer."""

    NATIVE = "native"
    CASCADED = "cascaded"


_KNOWN = re.compile(
    r"gpt-realtime(-mini|-1\.5|-2|-2\.1|-2\.1-mini)?"
    r"|azure-realtime|phi4-mm-realtime"
    r"|gpt-4o(-mini)?|gpt-4\.1(-mini|-nano)?"
    r"|gpt-5(\.\d+)?(-[a-z]+)*"
)


def is_known(model: str) -> bool:
    """Whether the service's documentation names ``model``."""
    return bool(_KNOWN.fullmatch(model))


def engine_of(model: str) -> Engine:
    """The engine behind ``model``; of one that is not known, the engine its name suggests."""
    return Engine.NATIVE if "realtime" in model else Engine.CASCADED


def is_gpt_realtime(model: str) -> bool:
    """Whether ``model`` is one of OpenAI's speech models (``gpt-realtime``, ``gpt-realtime-mini``, …)."""
    return model.startswith("gpt-") and "realtime" in model


def is_azure_realtime(model: str) -> bool:
    """Whether ``model`` is Azure's own speech model, which has voices of its own."""
    return model.startswith("azure-realtime")


def reasons(model: str) -> bool:
    """Whether ``model`` takes ``reasoning_effort``: the GPT-5 family, ``gpt-realtime-2``, and what is not known."""
    return model.startswith(("gpt-5", "gpt-realtime-2")) or not is_known(model)
