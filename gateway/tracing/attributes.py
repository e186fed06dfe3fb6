"""The attributes of spans: their names, and the fields of notes that may be among them. Pure.

``gen_ai.*`` follow OpenTelemetry's semantic conventions for generative AI.
"""

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gateway.call.notes import Note
from gateway.logs.setup import PRIVATE

Value = str | bool | int | float

LINE = "gateway.line"
GENERATION = "gateway.generation"
PROVIDER = "gateway.provider"
CALL_ID = "gateway.call.id"
CALLER = "gateway.caller"
CALLED = "gateway.called"
REASON = "gateway.end.reason"
BY = "gateway.end.by"
DETAIL = "gateway.detail"
TURNS = "gateway.turns"
LATENCY = "gateway.turn.latency_ms"
INTERRUPTED = "gateway.turn.interrupted"
CAUSE = "gateway.session.cause"
TRIES = "gateway.session.tries"
COVERED = "gateway.session.covered_ms"
ENDPOINT = "gateway.endpoint"
TARGET = "gateway.transfer.target"
OUTCOME = "gateway.tool.outcome"
MCP_SERVER = "gateway.mcp.server"
ERROR_TYPE = "error.type"

OPERATION = "gen_ai.operation.name"
GEN_AI_PROVIDER = "gen_ai.provider.name"
FOUNDRY = "microsoft.foundry"
"""The name under which the Voice Live SDK's own instrumentation reports the service."""
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_ID = "gen_ai.response.id"
CONVERSATION = "gen_ai.conversation.id"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
TOOL = "gen_ai.tool.name"
TOOL_CALL = "gen_ai.tool.call.id"
TOOL_TYPE = "gen_ai.tool.type"

NUMBERS = frozenset({"caller", "called"})
WORDS = PRIVATE - NUMBERS
GAP = "…"
FIRST, LAST, SHORTEST = 5, 2, 9
"""Characters of a masked number that are shown, of one with so many at least, as in records."""
_ANYWHERE = re.compile(
    r"(?<![\w.:-])\+?\(?[0-9](?:[ ().\-/]{0,2}[0-9]){6,14}(?![\w-])|(?<=sip:)[^\s@<>]+(?=@)", re.IGNORECASE
)
"""A number, or the user of a SIP address, within a text."""


class Privacy(Struct, frozen=True):
    """The things that spans may say of people."""

    words: bool = False
    """``True`` for what callers say and key, and what the bot says."""
    numbers: Literal["full", "masked", "none"] = "none"

    def number(self, number: str) -> str:
        """Return a phone number or address as spans may show it; empty where they may not."""
        if self.numbers == "none" or not number:
            return ""
        if self.numbers == "full":
            return number
        user, at, host = number.rpartition("@")
        if at:
            return f"{user.partition(':')[0]}:{GAP}@{host}" if ":" in user else f"{GAP}@{host}"
        return f"{number[:FIRST]}{GAP}{number[-LAST:]}" if len(number) >= SHORTEST else GAP

    def detail(self, text: str) -> str:
        """Return a message of a service or provider, which may quote a number, as spans may show it."""
        return text if self.numbers == "full" else _ANYWHERE.sub(GAP, text)


def fields_of(note: Note, privacy: Privacy) -> Mapping[str, Value]:
    """Return the fields of a note that a span's event may have: single values, and none that the log hides.

    What ``privacy`` allows is shown all the same.
    """
    shown: dict[str, Value] = {}
    for name, value in note.fields().items():
        if name in NUMBERS:
            value = privacy.number(str(value))  # noqa: PLW2901 -- the same field, as it may be shown
        elif name in WORDS and not privacy.words:
            continue
        elif name == "detail":
            value = privacy.detail(str(value))  # noqa: PLW2901 -- likewise
        if isinstance(value, str | bool | int | float) and value != "":
            shown[name] = value
    return shown
