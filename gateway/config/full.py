"""``when_full``: the answer to a call for which there is no room; nobody is picked up into silence."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from gateway.config.line.transfers import Destination, DestinationOrName
from gateway.config.reading.section import Section, Text, Whole
from gateway.config.urls import WebAddress

BUSY = "busy"


class FullAnswer(Section):
    """Answers a call for which there is no room: words, a wait with music, then the call, a transfer or the end."""

    say: Text | None = None
    """A text that the provider's own voice says."""
    wait_s: Annotated[Whole, Field(ge=5, le=600)] | None = None
    """Seconds for which a caller waits for room; then comes the transfer, or the end."""
    music: WebAddress | None = None
    """The address of a short recording that waiting callers hear, again and again; after each time the gateway is
    asked whether there is room. Without it, callers wait in silence."""


class WhenFull(FullAnswer):
    """The same for one line."""

    transfer: DestinationOrName | None = None
    """The target of the call: the name of one of transfers, a phone number in quotes, or a sip: address."""


class DeploymentWhenFull(FullAnswer):
    """The same for all lines that have none of their own."""

    transfer: Destination | None = None
    """The target of the call: a phone number in quotes, or a sip: address."""


def _busy_word(value: Any) -> Any:
    return {} if value == BUSY else value


def or_busy(kind: Any) -> BeforeValidator:
    """Let the word ``busy`` stand for a call that is rejected, before it is answered."""
    return BeforeValidator(_busy_word, json_schema_input_type=kind | Annotated[str, Field(pattern=f"^{BUSY}$")])
