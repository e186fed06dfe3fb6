"""The sounds for a caller whose service brings nothing, before its session counts as lost."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from gateway.audio.formats import PCMU
from gateway.call import notes
from gateway.call.settings import CallSettings, Trouble
from gateway.call.speaking.comfort import OVERDUE_S, tone
from gateway.call.state import State
from gateway.phone.commands import PlayAudio, StopPlayback
from gateway.voice.commands import TruncateReply
from gateway.voice.events import (
    CallerSpoke,
    McpCalled,
    ReplyAudio,
    ReplyComplete,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
)
from tests.call.recovery.lost import LINE, PHRASE, spoken, state_of
from tests.story import SPEECH, Story

TONE = tone(PCMU)
WORDS = b"\x30" * 80 + PHRASE
COVERED = replace(LINE, trouble=replace(LINE.trouble, phrase=lambda: WORDS))


class Ear:
    """The pieces that a caller hears: the seconds since the beginning, and ``tone``, ``words`` or ``bot``."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._begun = story.now
        self.heard: list[tuple[float, str]] = []
        self._left = b""

    def listen(self, seconds: float) -> list[tuple[float, str]]:
        """Let time pass with a phone that returns its marks, and return all that was heard so far."""
        until = self._story.now + seconds
        while self._story.now < until - 1e-9:
            for command in [*self._story.wait(0.1), *self._story.return_marks()]:
                if isinstance(command, PlayAudio):
                    self._add(command.audio)
        return self.heard

    def _add(self, audio: bytes) -> None:
        for name, sound in (("tone", TONE), ("words", WORDS)):
            if audio[:80] == sound[:80]:
                self.heard.append((round(self._story.now - self._begun, 1), name))


def test_a_caller_who_waits_hears_a_tone_and_then_words() -> None:
    """A soft tone after five seconds, the words once the first try was given up, and never again, the loss included."""
    story = Story(COVERED)
    spoken(story)
    ear = Ear(story)
    heard = ear.listen(25.0)
    kinds = [name for _, name in heard]
    assert heard[0][0] == pytest.approx(OVERDUE_S, abs=0.11)
    (words_at,) = [at for at, name in heard if name == "words"]
    assert 10.0 <= words_at <= 12.1
    assert set(kinds[: kinds.index("words")]) == {"tone"}
    assert [later - sooner for (sooner, _), (later, _) in pairwise(heard)] == pytest.approx(
        [2.0] * (kinds.index("words")) + [1.0] + [2.0] * (len(kinds) - kinds.index("words") - 2), abs=0.31
    )
    assert [note.waited_ms for note in story.noted(notes.AnswerOverdue)] == [5000]
    assert [note.cause for note in story.noted(notes.SessionLost)] == ["mute"]
    assert state_of(story) is State.RECOVERING


def test_a_service_that_only_begins_responses_is_covered_too() -> None:
    """``response.created`` is no sound."""
    story = Story(COVERED)
    spoken(story)
    story.wait(1.0)
    story.tell(ResponseStarted("r"))
    ((at, name),) = Ear(story).listen(5.0)
    assert name == "tone"
    assert at == pytest.approx(OVERDUE_S - 1.0, abs=0.11)


def test_a_slow_model_is_not_covered_and_a_slower_one_only_until_it_speaks() -> None:
    """The tone gives way to the reply at once; the next wait is counted anew."""
    story = Story(COVERED)
    for answered_after, tones in ((4.8, 0), (6.5, 1), (4.8, 0)):
        spoken(story)
        ear = Ear(story)
        assert len(ear.listen(answered_after)) == tones
        story.tell(ResponseStarted("r"))
        commands = story.tell(ReplyAudio("r", f"i{answered_after}", SPEECH))
        assert any(isinstance(command, StopPlayback) for command in commands) == bool(tones)
        assert any(isinstance(command, PlayAudio) for command in commands)
        story.tell(ReplyComplete("r", f"i{answered_after}"))
        story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
        assert [name for _, name in ear.listen(10.0)] == ["tone"] * tones
    assert len(story.noted(notes.AnswerOverdue)) == 1
    assert story.noted(notes.SessionLost) == []


def test_a_caller_who_speaks_is_not_covered_and_truncates_no_tone() -> None:
    """The service knows of no such item."""
    story = Story(COVERED)
    spoken(story)
    assert len(Ear(story).listen(5.5)) == 1
    commands = story.tell(CallerSpoke("u2"))
    assert any(isinstance(command, StopPlayback) for command in commands)
    assert not any(isinstance(command, TruncateReply) for command in commands)
    assert [note for note in story.noted(notes.BargeIn) if note.replies] == []
    assert Ear(story).listen(8.0) == []


def test_the_wait_begins_when_what_is_said_was_heard() -> None:
    """A reply of four seconds is played while the next one is already owed."""
    story = Story(replace(COVERED, barge_in=False))
    spoken(story)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 200))
    story.tell(ReplyComplete("r", "i"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    spoken(story)
    ((at, name),) = Ear(story).listen(9.5)
    assert name == "tone"
    assert at == pytest.approx(4.0 + OVERDUE_S, abs=0.11)


@pytest.mark.parametrize(
    "settings",
    [replace(COVERED, trouble=Trouble(tries=0, phrase=lambda: WORDS)), replace(COVERED, closed=True)],
    ids=["tries: 0", "a closed line"],
)
def test_what_ends_with_its_session_is_not_covered(settings: CallSettings) -> None:
    """As it always was: nothing follows that the caller would have to wait for."""
    story = Story(settings)
    spoken(story)
    assert Ear(story).listen(9.0) == []
    assert story.noted(notes.AnswerOverdue) == []


def test_a_tool_at_work_has_words_of_its_own() -> None:
    """Neither a function that takes long nor one of an MCP server is the service's fault."""
    for called in (ToolCalled("r", "c", "look", "{}"), McpCalled("m", "shop", "find")):
        story = Story(COVERED)
        spoken(story)
        story.tell(ResponseStarted("r"))
        story.tell(called)
        if isinstance(called, ToolCalled):
            story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
        assert Ear(story).listen(9.0) == []


def test_last_words_that_do_not_come_are_not_covered() -> None:
    """A call that is about to be left does not wait for them any longer than it would."""
    story = Story(COVERED)
    spoken(story)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "c", "end_call", "{}"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert state_of(story) is State.LEAVING
    assert Ear(story).listen(9.0) == []
