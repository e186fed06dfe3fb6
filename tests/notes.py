"""Checks the notes of a call: each field as its class says, and nothing empty that has a name to carry."""

from typing import Annotated, Literal, get_type_hints

import msgspec

from gateway.call import notes
from gateway.call.notes import Note

MAY_BE_EMPTY = {
    (notes.CallStarted, "caller"),
    (notes.CallStarted, "line_error"),
    (notes.McpListed, "server"),
    (notes.McpReturned, "item_id"),
    (notes.ReplySaid, "text"),
    (notes.ReplyHeard, "text"),
    (notes.ReplyHeard, "unheard"),
    (notes.SessionReady, "session_id"),
    (notes.SessionReady, "model"),
    (notes.TokensUsed, "model"),
    (notes.TokensUsed, "voice"),
    (notes.TranscriptionFailed, "code"),
    (notes.ServiceError, "code"),
    (notes.ServiceWarning, "code"),
}
"""Texts that a peer may leave out; ``detail`` may be empty everywhere but in a failed transfer."""
WORDS = {
    (notes.ToolReturned, "outcome"): Literal["ok", "error", "timeout", "refused"],
    (notes.ResponseCutShort, "status"): Literal["incomplete", "failed", "cancelled", "given_up"],
    (notes.CallEnded, "by"): Literal["caller", "bot", "provider", "service", "gateway"],
}
"""Words that the code takes over from elsewhere as a text."""
NAMED = Annotated[str, msgspec.Meta(min_length=1)]
COUNT = Annotated[int, msgspec.Meta(ge=0)]


def _shape(kind: type[Note]) -> type[msgspec.Struct]:
    """Return a class that has the fields of a note with narrower types."""

    def narrowed(name: str, hint: object) -> object:
        if (kind, name) in WORDS:
            return WORDS[kind, name]
        may_be_empty = (kind, name) in MAY_BE_EMPTY or (name == "detail" and kind is not notes.TransferFailed)
        if hint is str and not may_be_empty:
            return NAMED
        return COUNT if hint is int else COUNT | None if hint == int | None else hint

    hints = get_type_hints(kind)
    fields = [(name, narrowed(name, hints[name])) for name in kind.__struct_fields__]
    return msgspec.defstruct(kind.__name__, fields, forbid_unknown_fields=True)


_SHAPES = {kind: _shape(kind) for kind in Note.__subclasses__()}


def check_note(note: Note) -> None:
    """Fail where a field of a note has another type than its class says, or a value that nobody could read."""
    msgspec.convert(note.fields(), _SHAPES[type(note)])
    assert note != notes.SilencePrompt(0)
