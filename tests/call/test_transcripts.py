"""Transcripts of the caller: passed on once, whatever the service repeats."""

import pytest

from gateway.call import notes
from gateway.call.transcripts import Transcripts
from gateway.voice.events import CallerPartlySaid, CallerSaid, CallerSpoke, TranscriptionFailed
from tests.story import Story


def test_words_are_passed_on_once() -> None:
    """>> the words of a turn twice << once."""
    transcripts = Transcripts()
    assert transcripts.words(CallerSaid("u", "Hello.")) == "Hello."
    assert transcripts.words(CallerSaid("u", "Hello.")) is None
    assert transcripts.words(CallerSaid("v", "Hello.")) == "Hello."


@pytest.mark.parametrize("text", ["", " \n"])
def test_words_after_an_empty_transcript_are_passed_on(text: str) -> None:
    """>> a transcript without a word, then the words of the same turn << they come, once."""
    transcripts = Transcripts()
    assert transcripts.words(CallerSaid("u", text)) == ""
    assert transcripts.words(CallerSaid("u", "Hello.")) == "Hello."
    assert transcripts.words(CallerSaid("u", text)) is transcripts.words(CallerSaid("u", "Hello.")) is None


UNHEARD = TranscriptionFailed("v", "busy", "try again")


@pytest.mark.parametrize("transcript", [CallerSaid("v", "Hello."), CallerSaid("v", ""), UNHEARD])
def test_a_turn_is_over_with_its_transcript(transcript: CallerSaid | TranscriptionFailed) -> None:
    """>> its words, an empty text or a failure, and no pause << the next turn may be answered."""
    story = Story()
    story.tell(CallerSpoke("v"))
    story.tell(transcript)
    assert not story.conversation._bot.responses.caller_speaks


def test_a_transcript_and_its_failure_are_noted() -> None:
    """The words once, a text without words not at all, and a failure with its reason."""
    story = Story()
    for said in (CallerSaid("u", " "), CallerSaid("u", "Hello."), CallerSaid("u", "Hello."), UNHEARD):
        story.tell(said)
    assert story.noted(notes.CallerSaid) == [notes.CallerSaid("u", "Hello.")]
    assert story.noted(notes.TranscriptionFailed) == [notes.TranscriptionFailed("v", "busy", "try again")]


def test_pieces_of_a_transcript_are_noted_and_change_nothing() -> None:
    """>> words so far << a note for each, and no turn is over by them; the whole transcript comes behind."""
    story = Story()
    story.tell(CallerSpoke("v"))
    assert story.tell(CallerPartlySaid("v", "Hel")) == story.tell(CallerPartlySaid("v", "lo.")) == []
    assert story.noted(notes.CallerPartlySaid) == [
        notes.CallerPartlySaid("v", "Hel"),
        notes.CallerPartlySaid("v", "lo."),
    ]
    assert story.conversation._bot.responses.caller_speaks
    story.tell(CallerSaid("v", "Hello."))
    assert story.noted(notes.CallerSaid) == [notes.CallerSaid("v", "Hello.")]
