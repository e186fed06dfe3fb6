"""The entries that the tap of a call notes for the writer, in the order of time: all but the caller's audio."""

import enum

HOLD_S = 0.5
"""A moment is written so much later: until then, marks and late audio may correct what belongs to it."""


class Kind(enum.IntEnum):
    """The kinds of entries."""

    BOT = enum.auto()
    """Audio that was sent to the phone."""
    MARK_SENT = enum.auto()
    MARK_RETURNED = enum.auto()
    STOPPED = enum.auto()
    """The phone was asked to discard what it has not played."""
    PAUSED = enum.auto()
    """From here on, both sides are silence."""
    RESUMED = enum.auto()


BOT, MARK_SENT, MARK_RETURNED, STOPPED, PAUSED, RESUMED = Kind
"""By name: an attribute of an enumeration is looked up slowly."""

Entry = tuple[Kind, float, int, bytes, str]
"""Kind, time on the call's clock in seconds, position of the audio in its stream in bytes, audio, name of a mark.

A position that is not the end of the audio before says that what stood between was lost.
"""
