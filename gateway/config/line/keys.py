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
    """Digits that the caller keys are collected and given to the model as something the caller said."""

    finish_on: FinishKey = "#"
    """The key that ends an entry, in quotes; none: a pause alone does."""
    pause_s: Pause = 2
    """Seconds after the last digit that end an entry too."""


class KeyAction(Section):
    """What one key does, without the model: one of transfer, say and hang_up."""

    transfer: TargetReference | None = None
    """The name of one of the line's transfers."""
    say: Text | None = None
    """What the bot says, word for word."""
    hang_up: Switch = False
    """true: the call ends."""
