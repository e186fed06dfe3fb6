"""The reading and writing common to all wires of JSON text. Pure."""

import json
from typing import Any, TypeVar

import msgspec

from gateway.errors import MessageError, WireError
from gateway.phone.events import DigitPressed
from gateway.text import encodable_inside, json_text

UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""Exceptions of reading a peer's JSON: for broken JSON or another shape, a lone surrogate, nesting without end."""
KEYS = frozenset("0123456789*#ABCD")

Shape = TypeVar("Shape")


def read_again(message: str, shape: type[Shape], title: str, error: Exception, *, started: bool) -> Shape:
    """Read a message that the fast reader refused with ``error``; raise a ``WireError`` where it cannot be read.

    A start must not fail by a part that nobody needs. Before it, halves of surrogate pairs, which become U+FFFD,
    control characters inside texts, ``NaN`` and numbers of any size are accepted, as by Python's own reader. Later
    a ``MessageError`` says that it is JSON of a kind. ``title`` says what the message should have been.
    """
    try:
        read: object = encodable_inside(json.loads(message, strict=False))
    except (ValueError, RecursionError):
        raise WireError(f"not {title}: {error}") from None
    if started:
        raise MessageError(f"not {title}: {error}")
    try:
        return msgspec.convert(read, shape)
    except UNREADABLE as misfit:
        raise MessageError(f"not {title}: {misfit}") from None


def read_message(message: str | bytes, decoder: msgspec.json.Decoder[Shape], title: str, started: bool) -> Shape:
    """Read a message of a wire that is text alone; ``title`` and ``started`` are those of :func:`read_again`.

    Raises ``WireError`` for binary and for what is no JSON, ``MessageError`` for JSON of another shape.
    """
    if isinstance(message, bytes):
        raise WireError(f"expected text messages, got {len(message)} bytes of binary")
    try:
        return decoder.decode(message)
    except UNREADABLE as error:
        return read_again(message, decoder.type, title, error, started=started)


def read_json(body: bytes) -> object:
    """Read a webhook's JSON as leniently as a start; raise one of ``UNREADABLE`` where it is no JSON."""
    try:
        return msgspec.json.decode(body)
    except UNREADABLE as error:
        try:
            return encodable_inside(json.loads(body, strict=False))
        except (ValueError, RecursionError):
            raise error from None


def read_object(body: bytes) -> dict[str, Any]:
    """Read a webhook's JSON object; raise one of ``UNREADABLE`` where it is none."""
    return msgspec.convert(read_json(body), dict[str, Any])


def key_pressed(given: object) -> DigitPressed:
    """Return the event of a key, which is text, a number, or the ``digit`` of an object; ``MessageError`` for none."""
    digit = given.get("digit") if isinstance(given, dict) else given
    if isinstance(digit, bool) or not isinstance(digit, str | int):
        raise MessageError("dtmf without its digit")
    key = str(digit).upper()
    if key not in KEYS:
        raise MessageError(f"dtmf: a text of {len(key)} characters is not a key")
    return DigitPressed(key)


def mark_name(given: object) -> str:
    """Return the name of a mark; ``MessageError`` where it has none."""
    name = given.get("name") if isinstance(given, dict) else given
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise MessageError("mark without its name")
    return str(name)


def is_callers(track: object) -> bool:
    """Return whether audio of this track is the caller's: any track that is not named as ours."""
    return not (isinstance(track, str) and track.lower().startswith("outbound"))


def text_of(text: str) -> str:
    """Return a text as a JSON string, quotes included."""
    return json_text(text)
