"""A glance at a call in progress: who speaks, and what was said last. Pure."""

from msgspec import Struct


class LastWords(Struct, frozen=True):
    """The last words of a call that are known; empty if there are none."""

    who: str = ""
    """``caller`` or ``bot``."""
    text: str = ""


class Glance(Struct, frozen=True):
    """The look of a call at a moment. It is made when somebody looks, and costs nothing otherwise."""

    state: str
    """One of ``State``, in lower case."""
    speaker: str
    """``caller`` or ``bot``; empty while nobody speaks."""
    last: LastWords
    targets: tuple[str, ...] = ()
    """The names of those to whom the call may be transferred now."""
