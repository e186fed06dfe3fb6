"""Events and commands of a conversation: each of them is handled by exactly one."""

from typing import get_args

from msgspec import Struct

from gateway.call.caller_audio import SignOfTheProvider, is_sign_of_life
from gateway.call.conversation import Conversation
from gateway.call.ending import EndCall
from gateway.call.messages import SESSION_EVENTS, Command, Event, is_errand, is_note, is_phone_command, is_voice_command
from gateway.call.notes import Note
from gateway.phone.events import CallerAudio
from gateway.voice.events import SessionReady, VoiceClosed, VoiceEvent


def instance(kind: type[Struct]) -> object:
    """An object of a type, whatever its fields."""
    return kind(*[None] * len(kind.__struct_fields__))


def test_every_event_has_a_reaction() -> None:
    """But for the caller's audio, which has a way of its own; and nothing else has one."""
    assert {*Conversation._REACTIONS, CallerAudio} == set(get_args(Event))


def test_what_means_nothing_before_the_session_is_the_session_s() -> None:
    """The rest of what the voice leg tells may come before: that it is ready, that it is closed, and bad messages."""
    early = set(get_args(VoiceEvent)) - SESSION_EVENTS
    assert {SessionReady, VoiceClosed} < early
    assert {kind.__name__ for kind in early - {SessionReady, VoiceClosed}} == {
        "MalformedEvent",
        "ServiceWarning",
        "UnknownEvent",
    }


def test_every_command_is_carried_out_by_one() -> None:
    """One of the legs, an errand beside them, the record, or the end of the call."""
    for kind in {*get_args(Command), *Note.__subclasses__()} - {Note}:
        command = instance(kind)
        takers = [take(command) for take in (is_phone_command, is_voice_command, is_errand, is_note)]
        assert sum(takers) + (kind is EndCall) == 1, kind


def test_what_says_that_the_provider_is_there() -> None:
    """Everything that comes from it but audio, which is counted by itself, and its own end."""
    assert all(is_sign_of_life(instance(kind)) for kind in get_args(SignOfTheProvider))
    assert not is_sign_of_life(instance(CallerAudio))
    assert not is_sign_of_life(instance(VoiceClosed))
