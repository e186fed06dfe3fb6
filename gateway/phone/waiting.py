"""The wait of a call for which there is no room. Pure."""

from msgspec import Struct

PAUSE_S = 5
"""Seconds between two questions of a call that waits in silence."""


class Wait(Struct, frozen=True):
    """A wait: music once, or a pause of ``PAUSE_S``, and then the provider asks again."""

    url: str
    """The URL where the provider asks whether there is room now; it answers as for a new call."""
    music: str = ""
    """The address of a short recording; empty for a pause."""
