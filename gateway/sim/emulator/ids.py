"""Ids as the service makes them: a prefix and base62 characters. A client must treat them as opaque."""

import os
import string
import time

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BY_BYTE = bytes(ord(_ALPHABET[byte % len(_ALPHABET)]) for byte in range(256))
_EPOCH_S = 1_576_800_000
"""2019-12-20T00:00Z: ids of the native models begin with the seconds since then."""


def base62(length: int) -> str:
    """Return ``length`` random characters."""
    return os.urandom(length).translate(_BY_BYTE).decode("ascii")


def event_id() -> str:
    """Return a new id of a server event."""
    return "event_" + base62(22)


def call_id() -> str:
    """Return a new id of a function call."""
    return "call_" + base62(16)


def new_id(prefix: str, *, native: bool) -> str:
    """Return ``sess_``, ``resp_``, ``item_``, ``msg_`` or ``conv_`` and 21 (native) or 22 characters (cascaded)."""
    if native:
        return f"{prefix}_{_stamp(int(time.time()) - _EPOCH_S)}{base62(16)}"
    return f"{prefix}_{base62(22)}"


def _stamp(seconds: int) -> str:
    digits = ""
    for _ in range(5):
        seconds, digit = divmod(seconds, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
