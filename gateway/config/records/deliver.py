"""``deliver``: the receivers to which the events of calls are sent, signed as Standard Webhooks are."""

import base64
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from gateway.config.reading.section import Number, Section, Text
from gateway.config.secrets import WEBHOOK_PREFIX, Rotated, Secret
from gateway.config.urls import WebAddress

SHORTEST_KEY, LONGEST_KEY = 24, 64
"""Bytes of a key, by the specification of Standard Webhooks ("Symmetric signatures")."""

DeliveredEvent = Literal[
    "call.started",
    "call.ended",
    "call.interrupted",
    "transfer.started",
    "transfer.completed",
    "transfer.failed",
    "tool.failed",
    "recording.stored",
]
Included = Literal["transcript", "usage", "recording_url"]


def _signing_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    expected = f"expected {WEBHOOK_PREFIX} and {SHORTEST_KEY} to {LONGEST_KEY} random bytes in base64"
    if not text.startswith(WEBHOOK_PREFIX):
        raise ValueError(f"does not begin with {WEBHOOK_PREFIX}, {expected}")
    try:
        key = signing_key(text)
    except ValueError:
        raise ValueError(f"is not base64 after {WEBHOOK_PREFIX}, {expected}") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise ValueError(f"has {len(key)} bytes after {WEBHOOK_PREFIX}, {expected}")
    return secret


def signing_key(secret: str) -> bytes:
    """Return the key of a ``whsec_`` secret, whose base64 may lack its padding. Raises ``ValueError``."""
    text = secret.removeprefix(WEBHOOK_PREFIX)
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


SigningSecret = Annotated[Secret, AfterValidator(_signing_secret)]


def _label(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", text):
        raise ValueError("is no name, expected up to 63 letters, digits, dots, - and _")
    return text


class Receiver(Section):
    """A server that gets the events of calls."""

    name: Annotated[Text, AfterValidator(_label)] | None = None
    """The name in logs, metrics and lists; defaults to the host of url."""
    url: WebAddress
    """The address that gets a POST for each event. It may be a private one: only this file names it."""
    secret: Rotated[SigningSecret]
    """The secret that signs, as ${NAME} only: whsec_ and 24 to 64 bytes in base64. During a rotation, [new, old]: both
    sign."""
    events: Annotated[tuple[DeliveredEvent, ...], Field(min_length=1, json_schema_extra={"uniqueItems": True})] = (
        "call.ended",
        "call.interrupted",
    )
    """The events to deliver."""
    include: Annotated[tuple[Included, ...], Field(json_schema_extra={"uniqueItems": True})] = ()
    """Parts that the end of a call brings along: transcript, usage (with the cost), recording_url."""
    timeout_s: Annotated[Number, Field(ge=1, le=60)] = 15
    """Seconds to wait for the receiver's answer; then the delivery is tried again later."""

    @property
    def label(self) -> str:
        """The name in logs, metrics and lists."""
        return self.name or (urlsplit(self.url).hostname or "")


def _distinct(receivers: tuple[Receiver, ...]) -> tuple[Receiver, ...]:
    seen: set[str] = set()
    for receiver in receivers:
        if receiver.label in seen:
            raise ValueError(f"has two receivers named {receiver.label}, expected a name for one of them")
        seen.add(receiver.label)
    return receivers


Receivers = Annotated[tuple[Receiver, ...], Field(max_length=8), AfterValidator(_distinct)]
"""The receivers of a line, or of all lines without their own; no two have the same name."""
