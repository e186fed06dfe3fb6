"""The settings for the keys of the caller's phone."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.config.line.transfers import TargetReference
from gateway.config.reading.section import Number, Section, Switch, Text, or_none

Key = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]
"""A key of a phone, in quotes."""
FinishKey = Annotated[Key | None, or_none(Key)]
"""The key that ends an entry, or none."""
Pause = Annotated[Number, Field(gt=0, le=60)]
"""Seconds between two digits."""


class Digits(Section):
    """Collects the digits that the caller presses and gives them to the model as words of the caller."""

    finish_on: FinishKey = "#"
    """The key that ends an entry, in quotes; with none, only a pause ends it."""
    pause_s: Pause = 2
    """Seconds without a further digit that also end an entry."""


class KeyAction(Section):
    """The action of one key, without the model: one of transfer, say and hang_up."""

    transfer: TargetReference | None = None
    """The name of one of the line's transfers."""
    say: Text | None = None
    """A text that the bot says word for word."""
    hang_up: Switch = False
    """End the call when the key is pressed."""
