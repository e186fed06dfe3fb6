"""Events and commands of a conversation: each command has one list."""

from typing import get_args

from msgspec import Struct

from gateway.call import notes
from gateway.call.caller_audio import SignOfTheProvider, is_sign_of_life
from gateway.call.ending import EndCall
from gateway.call.errands import Errand, TransferCaller
from gateway.call.messages import LIST_OF, Command, Commands
from gateway.call.notes import Note
from gateway.call.recovery.commands import LegCommand
from gateway.phone.commands import PhoneCommand, PlayAudio, SendMark
from gateway.phone.events import CallerAudio
from gateway.voice.commands import AddMessage, CreateResponse, VoiceCommand
from gateway.voice.events import VoiceClosed


def instance(kind: type[Struct]) -> object:
    """An object of a type, whatever its fields."""
    return kind(*[None] * len(kind.__struct_fields__))


def test_every_command_has_its_list() -> None:
    """One of the legs, the errands beside them, or the notes; only the end of the call has none."""
    kinds = {*get_args(Command), *Note.__subclasses__()} - {Note}
    assert kinds - set(LIST_OF) == {EndCall}
    assert set(LIST_OF) <= kinds
    for union, name in ((PhoneCommand, "phone"), (VoiceCommand, "voice"), (Errand, "errands"), (LegCommand, "legs")):
        assert {kind for kind, found in LIST_OF.items() if found == name} == set(get_args(union))
    assert {name for kind, name in LIST_OF.items() if issubclass(kind, Note)} == {"notes"}


def test_commands_keep_their_order_leg_by_leg() -> None:
    """Whatever comes between them."""
    play, mark, say, ask = PlayAudio(b"a"), SendMark("m"), AddMessage("system", "x"), CreateResponse()
    pressed, transfer = notes.DigitPressed("1"), TransferCaller("desk", "+1")
    commands = Commands()
    commands.add([say, play, pressed])
    commands.add([mark, ask, transfer, play])
    assert commands == Commands([play, mark, play], [say, ask], [transfer], [pressed])
    assert Commands() == Commands([], [], [], [], None)


def test_what_says_that_the_provider_is_there() -> None:
    """Everything that comes from it but audio, which is counted by itself, and its own end."""
    assert all(is_sign_of_life(instance(kind)) for kind in get_args(SignOfTheProvider))
    assert not is_sign_of_life(instance(CallerAudio))
    assert not is_sign_of_life(instance(VoiceClosed))
