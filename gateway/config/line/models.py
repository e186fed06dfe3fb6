"""The models of Voice Live and the two engines behind them.

A *native* model hears and answers in sound; a *cascaded* one is a text model between Azure speech to text and Azure
text to speech (Voice Live overview, supported models). They take different settings. ``phi4-mm-realtime`` has a native
model's name, and behaves as a cascaded one.
"""

import enum
import re
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from gateway.config.reading.section import Text


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
    return Engine.NATIVE if "realtime" in model and not is_phi(model) else Engine.CASCADED


def is_phi(model: str) -> bool:
    """Return ``True`` for Phi's speech model: cascaded, without OpenAI's voices and MCP servers."""
    return model.startswith("phi")


def is_gpt_realtime(model: str) -> bool:
    """Return ``True`` for OpenAI's speech models (``gpt-realtime``, ``gpt-realtime-mini``, …)."""
    return model.startswith("gpt-") and "realtime" in model


def is_azure_realtime(model: str) -> bool:
    """Return ``True`` for Azure's own speech model, which has voices of its own."""
    return model.startswith("azure-realtime")


def is_text_model(model: str) -> bool:
    """Return ``True`` for text models and agents, which take temperature, phrase lists and interim responses."""
    return engine_of(model) is Engine.CASCADED and not is_phi(model)


def default_temperature(model: str) -> float | None:
    """Return the documented default temperature of ``model``; ``None`` if it is not known to take one."""
    if not is_text_model(model) or not is_known(model):
        return None
    return 1.0 if model.startswith("gpt-5") else 0.8


def takes_parallel_tool_calls(model: str) -> bool:
    """Return ``False`` for the models that were seen to refuse ``parallel_tool_calls: true``."""
    return model not in ("gpt-realtime", "gpt-realtime-mini", "gpt-realtime-1.5")


def takes_plain_speech(model: str) -> bool:
    """Return ``True`` if ``azure-speech`` was seen to go with ``server_vad`` on this native model."""
    return model in ("gpt-realtime", "gpt-realtime-mini")


def reasons(model: str) -> bool:
    """Return ``True`` if ``model`` takes ``reasoning_effort``: the GPT-5 family, ``gpt-realtime-2``, unknown models."""
    return model.startswith(("gpt-5", "gpt-realtime-2")) or not is_known(model)


def _each_once(models: tuple[str, ...]) -> tuple[str, ...]:
    for index, model in enumerate(models):
        if model in models[:index]:
            raise ValueError(f"names {model} twice")
    return models


def _shape(value: Any) -> str:
    return "[list]" if isinstance(value, list | tuple) else "[one]"


ModelChain = Annotated[
    Annotated[Text, Tag("[one]")]
    | Annotated[
        tuple[Text, ...],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_each_once),
        Tag("[list]"),
    ],
    Discriminator(_shape),
]
"""A model or, in the order in which they are tried, several: ``[gpt-realtime, gpt-4.1-mini]``."""


def models_of(chain: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the models of a ``ModelChain`` in their order; none if it is not set."""
    return () if chain is None else (chain,) if isinstance(chain, str) else chain
