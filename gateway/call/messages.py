"""The events that a conversation takes, and the commands that it returns, by who carries them out. Pure."""

from collections.abc import Iterable, Mapping
from typing import get_args

from msgspec import Struct

from gateway.call.ending import EndCall, Order, ShutDown
from gateway.call.errands import Errand, ErrandEvent
from gateway.call.notes import Note
from gateway.call.recovery.commands import LegCommand, LegEvent
from gateway.phone.commands import PhoneCommand
from gateway.phone.events import PhoneEvent
from gateway.voice.commands import VoiceCommand
from gateway.voice.events import VoiceEvent

Event = PhoneEvent | VoiceEvent | LegEvent | ErrandEvent | ShutDown | Order
Carried = PhoneCommand | VoiceCommand | LegCommand | Errand | Note
"""Commands to the legs, errands, and notes for the record."""
Command = Carried | EndCall


class Commands(Struct):
    """Commands of a conversation at one moment; each list is carried out in its order."""

    phone: list[PhoneCommand] = []
    voice: list[VoiceCommand] = []
    errands: list[Errand] = []
    notes: list[Note] = []
    end: EndCall | None = None
    """The end of the call; nothing is asked for after it."""
    legs: list[LegCommand] = []
    """Changes of the voice legs, which come before what is sent to them."""

    def add(self, commands: Iterable[Carried]) -> None:
        """Put each command at the end of its list."""
        for command in commands:
            getattr(self, LIST_OF[type(command)]).append(command)


NOTHING = Commands()
"""No commands; nothing is ever added to these."""


LIST_OF: Mapping[type, str] = {
    **dict.fromkeys(get_args(PhoneCommand), "phone"),
    **dict.fromkeys(get_args(VoiceCommand), "voice"),
    **dict.fromkeys(get_args(LegCommand), "legs"),
    **dict.fromkeys(get_args(Errand), "errands"),
    **dict.fromkeys(Note.__subclasses__(), "notes"),
}
"""The list of each command, by the type itself: ``isinstance`` is slow where classes have a metaclass."""
