"""The bot's side of a call: responses, playback and the greeting together."""

import pytest

from gateway.audio.formats import PCMU
from gateway.call import notes
from gateway.call.settings import CallSettings, Recorded
from gateway.call.speaking.bot import Bot
from gateway.call.speaking.responses import ANSWER_LIMIT_S
from gateway.phone.commands import PlayAudio, StopPlayback
from gateway.phone.events import Playout
from gateway.voice.commands import AddMessage, CancelResponse, CreateResponse, SayText, TruncateReply
from gateway.voice.events import ReplyAudio, ReplySaid, ReplyText, ResponseEnded, ResponseStarted, ResponseStatus

SECOND = b"\x10" * 8000


def speaking(settings: CallSettings | None = None) -> Bot:
    """A response runs and has brought three seconds; half a second of it was heard, on a phone without marks."""
    bot = Bot(settings or CallSettings(), PCMU, Playout(returns_marks=False))
    bot.connected()
    assert bot.response_started(ResponseStarted("r"), 1.0) == []
    bot.reply_audio(ReplyAudio("r", "i", SECOND * 3), 1.0)
    for step in (1.2, 1.4):
        bot.play_on(step)
    return bot


def test_an_interruption_stops_all_of_it() -> None:
    """The phone, the response, and the reply at what was heard."""
    bot = speaking()
    heard = [notes.ReplyHeard("i", 500, 3000), notes.BargeIn([notes.CutReply("i", 500, 3000)], response_cancelled=True)]
    commands = bot.interrupt(1.5, by_speech=True)
    played = notes.ReplyPlayed("i", 0, 0, 0)
    assert commands == [StopPlayback(), heard[0], played, CancelResponse("r"), TruncateReply("i", 500), heard[1]]
    assert bot.is_silent
    assert not bot.is_current("r")
    assert bot.runs("r")


@pytest.mark.parametrize("by_speech", [True, False])
def test_the_time_to_the_stop_is_noted_for_speech(by_speech: bool) -> None:
    """From the service's report on, in milliseconds, and once; a key has no such time."""
    bot = speaking()
    bot.interrupt(1.5, by_speech=by_speech)
    assert bot.playback_stopped(1.5004) == ([notes.PlaybackStopped(0.4)] if by_speech else [])
    assert bot.playback_stopped(1.6) == []


def test_a_stop_by_key_is_not_measured_from_the_speech_before() -> None:
    """Speech that stopped nothing leaves no time behind."""
    bot = Bot(CallSettings(), PCMU, Playout())
    bot.interrupt(1.0, by_speech=True)
    bot.interrupt(9.0, by_speech=False)
    assert bot.playback_stopped(9.001) == []


def test_a_response_that_is_given_up_ends_its_reply() -> None:
    """Play the audio that came of it to its end, and note that it was cut short."""
    bot = speaking()
    assert bot.give_up(2.0, tool_at_work=False) == []
    assert bot.give_up(1.0 + ANSWER_LIMIT_S, tool_at_work=True) == []
    gave_up = bot.give_up(1.0 + 2 * ANSWER_LIMIT_S, tool_at_work=False)
    assert [command for command in gave_up if not isinstance(command, PlayAudio)] == [
        notes.ResponseCutShort("given_up", "nothing more came of it"),
        CancelResponse("r"),
    ]


def test_what_was_played_before_the_session_is_told_when_it_is_there() -> None:
    """A recorded greeting is part of the conversation."""
    bot = Bot(CallSettings(greeting=Recorded(SECOND, "Good day.")), PCMU, Playout(returns_marks=False))
    assert bot.recorded_s == 1.0
    bot.begin(0.0)
    for step in range(10):
        bot.play_on(step / 5)
    assert [type(note) for note in bot.heard(2.0)] == [notes.ReplyHeard, notes.ReplyPlayed]
    assert bot.connected() == [AddMessage("assistant", "Good day.")]


def test_playback_and_responses_have_deadlines_of_their_own() -> None:
    """The one comes several times a second and leaves the other as it was."""
    bot = Bot(CallSettings(), PCMU, Playout(returns_marks=False))
    assert bot.next_deadline() is None
    assert bot.plays_on_at() is None
    bot.want(CreateResponse(), 1.0)
    assert bot.next_deadline() == 1.0 + ANSWER_LIMIT_S
    assert bot.plays_on_at() is None
    bot.response_started(ResponseStarted("r", "request-1"), 1.0)
    bot.reply_audio(ReplyAudio("r", "i", SECOND), 1.0)
    assert bot.plays_on_at() == pytest.approx(1.2)
    assert bot.next_deadline() == 1.0 + ANSWER_LIMIT_S
    bot.response_ended(ResponseEnded("r", ResponseStatus.COMPLETED), 1.1)
    bot.play_on(1.2)
    assert bot.plays_on_at() == pytest.approx(1.4)
    assert bot.next_deadline() is None


def test_a_turn_that_a_key_ended_is_answered_on_request() -> None:
    """The service answers any other by itself."""
    assert Bot(CallSettings(), PCMU, Playout()).turn_over("u", 1.0) == []
    (request,) = Bot(CallSettings(commit_on="#"), PCMU, Playout()).turn_over("u", 1.0)
    assert request == CreateResponse("", "request-1")
    assert Bot(CallSettings(greeting=SayText("Hello.")), PCMU, Playout()).greeting.request == SayText("Hello.")


def test_words_of_a_response_that_nobody_wants_any_more_are_not_taken() -> None:
    """Neither pieces nor the whole text of one that was given up, whose audio so far is played to its end."""
    bot = speaking()
    bot.words(ReplyText("r", "i", "We are open from nine to five, and on Sundays we are closed all day."))
    bot.give_up(1.0 + ANSWER_LIMIT_S, tool_at_work=False)
    for event in (ReplyText("r", "i", " And so on."), ReplySaid("r", "i", "All of it."), ReplyText("r", "j", "More.")):
        bot.words(event)
    bot.reply_complete("i", 11.1)
    (heard,) = bot.being_said()
    assert (heard.text, heard.unheard) == ("We are open from nine to five, and on Sundays", "we are closed all day.")


def test_words_without_audio_are_forgotten_with_their_response() -> None:
    """Nobody has heard them, and nobody will."""
    bot = speaking()
    bot.words(ReplyText("r", "i", "We are open."))
    bot.words(ReplyText("r", "silent", "Not a sound."))
    bot.response_ended(ResponseEnded("r", ResponseStatus.COMPLETED), 2.0)
    assert [*bot._words._texts] == ["i"]
