"""What the caller said: told once, whatever the service repeats, and the end of a turn in any case."""

import pytest

from gateway.call import notes
from gateway.call.leaving import Leaving
from gateway.call.settings import CallSettings
from gateway.call.speaking.responses import ANSWER, Responses
from gateway.call.tools.tools import Tools
from gateway.call.transcripts import Transcripts
from gateway.voice.commands import CreateResponse
from gateway.voice.events import CallerSaid, TranscriptionFailed


def speaking(item_id: str = "u") -> tuple[Responses, Transcripts]:
    """The caller is in the middle of a turn, and something waits for its end."""
    responses = Responses()
    responses.caller_spoke(item_id, 0.0)
    assert responses.want(ANSWER, 0.0) == []
    settings = CallSettings()
    return responses, Transcripts(responses, Tools(settings, Leaving(settings, responses)))


def test_words_are_told_once() -> None:
    """>> the words of a turn twice << one note; the turn is over with the first."""
    responses, transcripts = speaking()
    note, request = transcripts.said(CallerSaid("u", "Hello."), 1.0)
    assert note == notes.CallerSaid("u", "Hello.")
    assert isinstance(request, CreateResponse)
    assert not responses.caller_speaks
    assert transcripts.said(CallerSaid("u", "Hello."), 2.0) == []


@pytest.mark.parametrize("text", ["", " \n"])
def test_no_words_are_no_note(text: str) -> None:
    """>> a transcript of a cough << nothing is noted, and the turn is over."""
    responses, transcripts = speaking()
    (request,) = transcripts.said(CallerSaid("u", text), 1.0)
    assert isinstance(request, CreateResponse)
    assert not responses.caller_speaks


def test_a_failed_transcript_is_noted() -> None:
    """>> the service could not make the words out << a note with its reason, and the turn is over."""
    responses, transcripts = speaking()
    note, _ = transcripts.failed(TranscriptionFailed("u", "busy", "try again"), 1.0)
    assert note == notes.TranscriptionFailed("u", "busy", "try again")
    assert not responses.caller_speaks


def test_words_behind_an_empty_transcript_are_told() -> None:
    """>> a transcript without a word, then the words of the same turn << they are noted, once."""
    _, transcripts = speaking()
    transcripts.said(CallerSaid("u", ""), 1.0)
    told = notes.CallerSaid("u", "Hello.")
    assert transcripts.said(CallerSaid("u", "Hello."), 2.0) == [told]
    assert transcripts.said(CallerSaid("u", ""), 3.0) == transcripts.said(CallerSaid("u", "Hello."), 3.0) == []
