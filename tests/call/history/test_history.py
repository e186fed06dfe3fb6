"""The history of a call, told as stories: what a new session would be given."""

import pytest

from gateway.call import notes
from gateway.call.errands import FunctionReturned, TransferEnded
from gateway.call.history.history import MOST_CHARS, MOST_ENTRIES, MOST_IN_ONE, History
from gateway.call.history.seed import GOES_ON
from gateway.call.messages import Commands
from gateway.call.settings import (
    Approval,
    CallSettings,
    Digits,
    FunctionRule,
    KeyAction,
    Recorded,
    Secret,
    Target,
    Trouble,
)
from gateway.function import SecretDigits
from gateway.phone.events import DigitPressed
from gateway.voice.commands import AddMessage, ReturnToolOutput, SayText, SeedCall, SeedItem, SeedMessage, SeedOutput
from gateway.voice.events import (
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
    TranscriptionFailed,
    TurnCommitted,
    VoiceClosed,
    VoiceEnd,
    WordSpoken,
)
from tests.story import Story

TEXT = "We are open from nine to five."
SECOND = b"\x10" * 8000


def note(story: Story) -> str:
    """Return the note with which a new session would begin."""
    first = story.seed(10_000)[0]
    assert isinstance(first, SeedMessage)
    return first.text


def items(story: Story) -> list[SeedItem]:
    """Return what would follow it."""
    return story.seed(10_000)[1:]


def turn(story: Story, item_id: str, words: str | None) -> None:
    """Let the caller take a turn; its transcript comes if there are ``words``."""
    story.tell(CallerSpoke(item_id))
    story.tell(CallerPaused(item_id))
    story.tell(TurnCommitted(item_id))
    if words is not None:
        story.tell(CallerSaid(item_id, words))


def speak(story: Story, text: str, *, timed: bool = False) -> None:
    """Let the service deliver a whole reply of two seconds."""
    response, item = "r", "i"
    story.tell(ResponseStarted(response))
    story.tell(ReplyText(response, item, text[:10]))
    story.tell(ReplyAudio(response, item, SECOND * 2))
    if timed:
        for index, word in enumerate(text.split()):
            story.tell(WordSpoken(response, item, word, (index + 1) * 200))
    story.tell(ReplyText(response, item, text[10:]))
    story.tell(ReplyComplete(response, item))
    story.tell(ReplySaid(response, item, text))
    story.tell(ResponseEnded(response, ResponseStatus.COMPLETED))


def test_both_sides_in_the_order_in_which_they_spoke() -> None:
    """>> a turn whose transcript comes after the reply to it << it stands before the reply all the same."""
    story = Story()
    turn(story, "u1", None)
    speak(story, TEXT)
    story.listen(2.5)
    story.tell(CallerSaid("u1", "When are you open?"))
    assert items(story) == [SeedMessage("user", "When are you open?"), SeedMessage("assistant", TEXT)]
    assert note(story) == GOES_ON


@pytest.mark.parametrize(("timed", "heard"), [(False, "We are open"), (True, "We are open from")])
def test_a_reply_is_known_as_it_was_heard(timed: bool, heard: str) -> None:
    """>> speech after 0.9 s of 2 << the words up to there, exact where their times are known; the note has the rest."""
    story = Story()
    speak(story, TEXT, timed=timed)
    story.listen(0.9)
    turn(story, "u1", "Stop.")
    assert items(story) == [SeedMessage("assistant", heard), SeedMessage("user", "Stop.")]
    assert f'did not hear this of it: "{TEXT.removeprefix(heard).strip()}"' in note(story)


def test_what_waits_to_be_played_counts_as_heard() -> None:
    """>> a session that is lost in mid-reply << the words whose audio is here; those behind were never spoken."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyText("r", "i", TEXT))
    story.tell(ReplyAudio("r", "i", SECOND))
    for index, word in enumerate(TEXT.split()[:3]):
        story.tell(WordSpoken("r", "i", word, (index + 1) * 300))
    assert items(story) == [SeedMessage("assistant", "We are open")]
    assert '"from nine to five."' in note(story)


def test_a_reply_that_its_session_did_not_finish() -> None:
    """>> a session lost in mid-reply, what is here is heard to its end << not the text that was ahead of it."""
    story = Story(CallSettings(trouble=Trouble(tries=3)))
    story.tell(ResponseStarted("r"))
    story.tell(ReplyText("r", "i", TEXT))
    story.tell(ReplyAudio("r", "i", SECOND))
    story.tell(VoiceClosed(VoiceEnd.LOST))
    story.listen(1.3)
    assert story.noted(notes.ReplyHeard) == [notes.ReplyHeard("i", 1000, 1000, "We are open from", "nine to five.")]


def test_turns_without_words() -> None:
    """No transcript, a failed one, and a noise, which was no turn."""
    story = Story()
    for item_id, words in (("u1", None), ("u2", None), ("u3", " ")):
        turn(story, item_id, words)
    story.tell(TranscriptionFailed("u2", "x"))
    unknown = SeedMessage("user", "(The caller said something that was not transcribed.)")
    assert items(story) == [unknown, unknown]


def test_calls_with_their_results() -> None:
    """One that is done, one that runs, one that was refused because its response was cancelled."""
    story = Story(CallSettings(functions={"status": FunctionRule()}))
    story.call("status", '{"order":17}', call_id="c1")
    story.tell(FunctionReturned("c1", '{"state":"sent"}'))
    story.call("status", '{"order":18}', call_id="c2", response="r2")
    story.tell(ToolCalled("gone", "c3", "status", "{}"))
    called = [SeedCall("c1", "status", '{"order":17}'), SeedOutput("c1", '{"state":"sent"}')]
    refused = SeedOutput("c3", '{"error":"not carried out: the caller interrupted"}')
    assert items(story) == [*called, SeedCall("c2", "status", '{"order":18}'), SeedCall("c3", "status", "{}"), refused]
    story.tell(FunctionReturned("c2", "{}"))
    assert items(story)[3] == SeedOutput("c2", "{}")


def test_secret_digits_stay_secret() -> None:
    """The model got ``entered`` for them, and so does the next session."""
    secret = FunctionRule(secrets=(Secret(SecretDigits("card", timeout_s=10, pause_s=5)),))
    story = Story(CallSettings(functions={"pay": secret}, digits=Digits()))
    story.call("pay", call_id="c1")
    for digit in "4111#":
        story.tell(DigitPressed(digit))
    story.tell(FunctionReturned("c1", '"paid"'))
    assert items(story) == [SeedCall("c1", "pay", "{}"), SeedOutput("c1", '{"card":"entered","result":"paid"}')]


def test_keys_stand_once() -> None:
    """As they were pressed, whether the model was given them or a key acted by itself."""
    settings = CallSettings(digits=Digits(), on_key={"9": KeyAction(say=SayText("From nine to five."))})
    story = Story(settings)
    for digit in "912#":
        story.tell(DigitPressed(digit))
    assert items(story) == [SeedMessage("user", "(Keys pressed on the phone: 912#)")]
    turn(story, "u1", "So?")
    story.tell(DigitPressed("3"))
    story.listen(2.5)
    assert items(story)[1:] == [SeedMessage("user", "So?"), SeedMessage("user", "(Keys pressed on the phone: 3)")]


def test_what_the_gateway_told_the_model() -> None:
    """A recorded greeting by its words, and a transfer that failed."""
    target = Target("desk", "+14255550199", SayText("One moment."))
    settings = CallSettings(
        greeting=Recorded(SECOND, "Good day."), built_in=frozenset({"transfer_call"}), targets={"desk": target}
    )
    story = Story(settings)
    story.listen(1.5)
    story.call("transfer_call", '{"target":"desk"}', call_id="c1")
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.5)
    story.tell(TransferEnded("busy"))
    greeting, call, output, announced, failed = items(story)
    assert greeting == SeedMessage("assistant", "Good day.")
    assert call == SeedCall("c1", "transfer_call", '{"target":"desk"}')
    assert isinstance(output, SeedOutput)
    assert announced == SeedMessage("assistant", "(Something was said to the caller; its words are not known.)")
    assert isinstance(failed, SeedMessage)
    assert failed.role == "system"
    assert "could not be connected with desk" in failed.text


def test_a_tool_of_a_server_by_what_is_known_of_it() -> None:
    """The service ran it, and told nobody its result."""
    story = Story(CallSettings(approvals={"crm": Approval(SayText("May I?"), key="1")}))
    story.tell(ResponseStarted("r"))
    story.tell(McpCalled("m", "crm", "look"))
    story.tell(McpReturned("m"))
    assert items(story) == [SeedMessage("system", "(The tool look of crm was run: ok.)")]


def test_words_that_come_when_the_reply_is_over() -> None:
    """>> heard in part, its text after that << in proportion."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SECOND * 2))
    story.tell(ReplyComplete("r", "i"))
    story.listen(1)
    story.tell(CallerSpoke("u"))
    story.tell(ReplySaid("r", "i", TEXT))
    assert items(story) == [SeedMessage("assistant", "We are open from")]


def test_a_call_of_hours_keeps_the_newest() -> None:
    """Entries and characters are bounded, each text is; what is dropped is counted, but for a call that runs."""
    history = History()
    history.called(ToolCalled("r", "running", "slow", "{}"))
    for number in range(2 * MOST_ENTRIES):
        history.caller_said(f"u{number}", f"turn {number}")
    assert len(history) == MOST_ENTRIES
    assert history.dropped == MOST_ENTRIES + 1
    first, running, *_, last = history.seed(100_000)
    assert isinstance(first, SeedMessage)
    assert running == SeedCall("running", "slow", "{}")
    assert last == SeedMessage("user", f"turn {2 * MOST_ENTRIES - 1}")
    for number in range(100):
        history.follow(Commands(voice=[AddMessage("system", f"{number}" + "x" * 2 * MOST_IN_ONE)]))
    assert len(history) == 1 + MOST_CHARS // (MOST_IN_ONE + 1)
    assert isinstance(last := history.seed(MOST_CHARS)[-1], SeedMessage)
    assert len(last.text) == MOST_IN_ONE + 1


def test_what_becomes_of_things_that_it_does_not_have_is_let_go() -> None:
    """An output or a reply whose entry was dropped, or never made, adds nothing."""
    history = History()
    history.follow(
        Commands(
            voice=[ReturnToolOutput("call_9", "{}")],
            notes=[notes.ReplyHeard("i9", 1000, 1000, "Hello"), notes.ReplySaid("i9", "Hello there")],
        )
    )
    assert len(history) == 0
    assert history.dropped == 0


def test_calls_that_still_run_are_kept_however_many() -> None:
    """Their outputs are to come: a session that takes over must have both."""
    history = History()
    for number in range(MOST_ENTRIES + 5):
        history.called(ToolCalled("r", f"call_{number}", "look_up", "{}"))
    assert len(history) == MOST_ENTRIES + 5
    history.follow(Commands(voice=[ReturnToolOutput(f"call_{number}", "{}") for number in range(10)]))
    assert len(history) == MOST_ENTRIES
