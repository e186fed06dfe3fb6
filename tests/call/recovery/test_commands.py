"""The commands about legs and their events, told apart from those of the leg in use."""

from typing import get_args

from gateway.call.recovery.commands import FIRST, LegCommand, LegEvent
from gateway.call.recovery.legs import NONE
from gateway.voice.commands import VoiceCommand
from gateway.voice.events import VoiceEvent


def test_a_leg_s_number_is_that_of_no_other_leg() -> None:
    """The first has one, and none is not the first."""
    assert FIRST != NONE


def test_none_is_a_command_or_an_event_of_a_leg() -> None:
    """Commands to a leg and events from it carry no number."""
    assert not {*get_args(LegCommand), *get_args(LegEvent)} & {*get_args(VoiceCommand), *get_args(VoiceEvent)}
