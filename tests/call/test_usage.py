"""The use of a call: the tokens of its responses, the time of its sessions, the caller's audio."""

from gateway.call import notes
from gateway.call.recovery.commands import VoiceOpened
from gateway.phone.events import CallerAudio
from gateway.voice.events import ResponseEnded, ResponseStarted, ResponseStatus, SessionReady, Tokens
from tests.call.recovery.lost import LINE, LOST
from tests.story import SPEECH, Story

TOKENS = Tokens(input_text=67, input_audio=29, cached_text=60, cached_audio=4, output_text=8, output_audio=57)
USED = notes.TokensUsed("r", "gpt-realtime", "", 67, 29, 0, 60, 4, 0, 8, 57)


def test_the_tokens_of_a_response_are_noted_with_the_model() -> None:
    """Once, when it ends, also where the service had cancelled it."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ResponseEnded("r", ResponseStatus.CANCELLED, "turn_detected", TOKENS))
    assert story.noted(notes.TokensUsed) == [USED]
    story.goes_on()
    assert story.noted(notes.TokensUsed) == [USED]


def test_a_response_that_nobody_follows_any_more_has_cost_all_the_same() -> None:
    """>> the end of an unknown response << its tokens, and nothing else."""
    story = Story()
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED, "", TOKENS)) == []
    assert story.noted(notes.TokensUsed) == [USED]


def test_the_time_of_all_sessions_is_added_up() -> None:
    """Without that in which there was none; the tokens are those of the model that is there now."""
    story = Story(LINE, ready=False)
    story.wait(2.0)
    assert story.conversation.session_s(story.now) == 0.0
    story.tell(SessionReady("sess_1", "gpt-realtime"))
    story.wait(5.0)
    assert round(story.conversation.session_s(story.now), 3) == 5.0
    story.tell(LOST)
    story.wait(0.5)
    assert round(story.conversation.session_s(story.now), 3) == 5.0
    story.tell(VoiceOpened(2, SessionReady("sess_2", "gpt-4.1", voice="azure-standard")))
    story.wait(3.0)
    assert round(story.conversation.session_s(story.now), 3) == 8.0
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED, "", TOKENS))
    (used,) = story.noted(notes.TokensUsed)
    assert (used.model, used.voice) == ("gpt-4.1", "azure-standard")


def test_the_audio_of_the_caller_is_what_the_phone_sent() -> None:
    """A pause that was filled with silence is none."""
    story = Story()
    for _ in range(50):
        story.tell(CallerAudio(SPEECH))
        story.wait(0.02)
    story.wait(3.0)
    assert story.conversation.caller_audio_s == 1.0
