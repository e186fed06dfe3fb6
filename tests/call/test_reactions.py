"""Reactions to events: one for each, and a subclass has its own in its table."""

from typing import get_args

from gateway.call import notes
from gateway.call.barge_in.listening import ListeningReactions
from gateway.call.messages import Event
from gateway.call.parts import Parts
from gateway.call.reactions import Reactions
from gateway.call.recovery.sessions import Sessions
from gateway.call.settings import CallSettings
from gateway.phone.events import CallerAudio, MarkReturned
from gateway.voice.events import CallerSaid, CallerSpoke, ToolCalled
from tests.story import STARTED


def parts_of_a_call(settings: CallSettings) -> tuple[Parts, Reactions]:
    """The parts of a call before its first event, and what hands events to them."""
    parts = Parts(STARTED, settings, 0.0)
    return parts, Reactions(parts, Sessions(parts, settings, STARTED.audio_format, 0.0), settings)


def test_every_event_has_a_reaction() -> None:
    """But for the caller's audio and returned marks, which have ways of their own; and nothing else has one."""
    assert {*Reactions.TABLE, CallerAudio, MarkReturned} == set(get_args(Event))


def test_a_subclass_has_its_own_reactions_in_its_table() -> None:
    """One table for both would pass the echo gate by."""
    assert set(ListeningReactions.TABLE) == set(Reactions.TABLE)
    own = {kind for kind, react in ListeningReactions.TABLE.items() if react is not Reactions.TABLE[kind]}
    assert {CallerSpoke, CallerSaid} <= own
    assert ToolCalled not in own


def test_speech_is_noted_and_goes_to_the_parts() -> None:
    """Each of them learns of it before anything else is decided."""
    parts, reactions = parts_of_a_call(CallSettings())
    reactions.react(CallerSpoke("item_1"), 1.0)
    assert parts.bot.caller_speaks
    assert parts.hand_over().notes == [notes.CallerSpoke("item_1", over_reply=False)]


def test_words_are_noted_and_kept_for_a_session_that_takes_over() -> None:
    """An empty transcript is nothing that the caller said."""
    parts, reactions = parts_of_a_call(CallSettings())
    reactions.react(CallerSaid("item_1", "Good evening"), 1.0)
    reactions.react(CallerSaid("item_2", ""), 2.0)
    assert parts.hand_over().notes == [notes.CallerSaid("item_1", "Good evening")]
    assert "Good evening" in str(parts.seed(1000))
