"""What the caller's keys do, told as stories over the conversation."""

from gateway.call import notes
from gateway.call.caller_clock import AHEAD_LIMIT_S, KEY_S
from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import TransferCaller
from gateway.call.keypad import DIGITS_LIMIT
from gateway.call.settings import (
    Approval,
    CallSettings,
    Digits,
    FunctionRule,
    KeyAction,
    Recorded,
    Secret,
    Silence,
    Target,
)
from gateway.function import SecretDigits
from gateway.phone.commands import StopPlayback
from gateway.phone.events import DigitPressed
from gateway.voice.commands import AddMessage, AnswerApproval, CommitTurn, CreateResponse, SayText, TruncateReply
from gateway.voice.events import (
    ApprovalRequested,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
)
from tests.story import Story

HOURS = SayText("We are open from nine to five.")
DESK = Target("desk", "+14255550199", SayText("One moment."))
SETTINGS = CallSettings(
    digits=Digits(finish_on="#", pause_s=2),
    on_key={"0": KeyAction(transfer=DESK), "9": KeyAction(say=HOURS), "*": KeyAction()},
)


def press(story: Story, keys: str) -> list[object]:
    """Press keys one after the other."""
    return [command for key in keys for command in story.tell(DigitPressed(key))]


def entered(digits: str) -> AddMessage:
    """What the model is told of keys."""
    return AddMessage("user", f"(Keys pressed on the phone: {digits})")


def test_digits_are_given_to_the_model_when_the_last_key_comes() -> None:
    """>> 1 2 3 4 # << one user item and a response."""
    story = Story(SETTINGS)
    assert press(story, "1234") == []
    assert press(story, "#") == [entered("1234"), CreateResponse()]
    assert story.noted(notes.DigitsEntered) == [notes.DigitsEntered("1234")]


def test_digits_are_given_to_the_model_after_a_pause() -> None:
    """>> 1 2, two seconds << the same; each key starts the pause again."""
    story = Story(SETTINGS)
    press(story, "1")
    assert story.listen(1.8) == []
    press(story, "2")
    assert story.listen(1.8) == []
    assert story.listen(0.3) == [entered("12"), CreateResponse()]


def test_the_first_digit_silences_the_bot() -> None:
    """>> a key while the bot speaks << silent at once; the answer waits for the rest."""
    story = Story(SETTINGS)
    story.answer(seconds=5)
    story.listen(0.2)
    assert [type(command) for command in press(story, "1")] == [StopPlayback, TruncateReply]
    assert press(story, "2#") == [entered("12"), CreateResponse()]


def test_the_last_key_alone_means_nothing() -> None:
    """>> # with nothing before it << nothing, and the bot speaks on."""
    story = Story(SETTINGS)
    story.answer(seconds=5)
    assert press(story, "#") == []


def test_silence_is_not_minded_while_digits_are_keyed() -> None:
    """A caller who is looking for the next digit is not asked whether he is still there."""
    settings = CallSettings(digits=Digits(pause_s=12), silence=Silence(5, SayText("Still there?"), 1))
    story = Story(settings)
    press(story, "1")
    assert story.listen(11) == []


def test_digits_are_bounded() -> None:
    """Somebody who holds a key down fills one message and no more."""
    assert press(Story(SETTINGS), "1" * DIGITS_LIMIT)[0] == entered("1" * DIGITS_LIMIT)


def test_a_key_has_its_own_meaning_only_at_the_beginning() -> None:
    """>> 9 alone << its text; >> 1 9 # << both are digits."""
    assert press(Story(SETTINGS), "9") == [HOURS]
    assert press(Story(SETTINGS), "19#") == [entered("19"), CreateResponse()]


def test_a_key_transfers_without_the_model() -> None:
    """>> 0 << the announcement, then the transfer."""
    story = Story(SETTINGS)
    assert press(story, "0") == [DESK.announce]
    story.answer(request=story.requests[-1])
    assert story.listen(1.5) == [TransferCaller("desk", "+14255550199")]


def test_speech_calls_off_what_a_key_began() -> None:
    """>> 0, speech over the announcement << no transfer, which the record tells as the key's."""
    story = Story(SETTINGS)
    press(story, "0")
    story.answer(request=story.requests[-1], seconds=3)
    story.listen(1)
    story.tell(CallerSpoke("u"))
    assert story.noted(notes.HangUpCancelled) == [notes.HangUpCancelled("desk", "key")]
    assert story.listen(5) == []


def test_a_key_hangs_up() -> None:
    """>> * << the end, at once where the bot is silent."""
    assert press(Story(SETTINGS), "*") == [EndCall(EndReason.BOT_HUNG_UP, "bot")]


def test_keys_before_the_session_is_ready_are_noted() -> None:
    """>> a key while connecting << nothing but a note."""
    story = Story(SETTINGS, ready=False)
    assert press(story, "0") == []
    assert story.noted(notes.DigitPressed) == [notes.DigitPressed("0")]


def test_a_greeting_that_must_be_heard_is_heard_before_the_key_acts() -> None:
    """>> 0 over a protected greeting << it is heard to its end, then announced."""
    settings = CallSettings(greeting=Recorded(b"\x10" * 16000), interruptible=False, on_key=SETTINGS.on_key)
    story = Story(settings)
    assert press(story, "0") == [DESK.announce]
    story.answer(request=story.requests[-1])
    assert story.listen(2.8) == [AddMessage("assistant", "(A recorded greeting was played to the caller.)")]
    assert story.listen(0.5) == [TransferCaller("desk", "+14255550199")]


def test_keys_that_mean_nothing_are_noted() -> None:
    """A line without rules for keys notes them."""
    story = Story()
    assert press(story, "5") == []
    assert story.noted(notes.DigitPressed) == [notes.DigitPressed("5")]


def test_sixty_four_keys_are_one_message() -> None:
    """>> one key more << it begins the next."""
    story = Story(SETTINGS)
    assert press(story, "1" * 63) == []
    assert press(story, "1") == [entered("1" * 64), CreateResponse()]
    assert press(story, "2#") == [entered("2")]


def test_a_late_secret_key_silences_nobody() -> None:
    """>> a digit behind an entry, while the bot speaks << the bot speaks on."""
    story = Story(
        CallSettings(functions={"pay": FunctionRule(secrets=(Secret(SecretDigits("pin", length=2)),))}, digits=Digits())
    )
    story.call("pay")
    press(story, "12")
    story.answer(response="r2", item="i2", seconds=3)
    assert press(story, "3#") == []
    assert story.noted(notes.BargeIn) == []


def test_a_key_that_answers_silences_the_question() -> None:
    """>> the key that allows, while the question is being said << silent, noted, and allowed."""
    ask = SayText("May I?")
    story = Story(CallSettings(approvals={"crm": Approval(ask, key="1")}))
    story.tell(ApprovalRequested("a", "crm", "book"))
    story.answer(response="q", item="iq", request=story.requests[-1], seconds=3)
    story.listen(0.2)
    told = press(story, "1")
    assert [type(command) for command in told] == [StopPlayback, TruncateReply, AnswerApproval]
    assert story.noted(notes.DigitPressed) == [notes.DigitPressed("1")]


def test_the_last_key_silences_the_bot() -> None:
    """>> a digit, an answer that begins, the last key << silent, and the digits are given to the model."""
    story = Story(SETTINGS)
    press(story, "1")
    story.answer(seconds=3)
    story.listen(0.2)
    told = press(story, "#")
    assert [type(command) for command in told] == [StopPlayback, TruncateReply, AddMessage, CreateResponse]


def test_a_key_that_commits_is_no_digit() -> None:
    """>> digits, the key that commits, the last key << committed once; the key is not among the digits."""
    story = Story(CallSettings(commit_on="*", digits=Digits()))
    assert press(story, "1*") == [CommitTurn()]
    assert press(story, "2#") == [entered("12"), CreateResponse()]


def test_more_keys_than_anybody_can_press_end_the_call() -> None:
    """Ten seconds' worth of keys at one moment are taken; the next one ends the call then and there."""
    story = Story(CallSettings())
    most = round(AHEAD_LIMIT_S / KEY_S)
    for _ in range(most):
        assert not any(isinstance(command, EndCall) for command in story.tell(DigitPressed("1")))
    (end,) = (command for command in story.tell(DigitPressed("1")) if isinstance(command, EndCall))
    assert (end.reason, end.by) == (EndReason.STREAM_BROKEN, "provider")
    assert "keys" in end.detail
    assert story.tell(DigitPressed("1")) == []


def test_the_last_key_counts() -> None:
    """>> two keys for two targets during a greeting that must be heard << the second target, after the greeting."""
    other = Target("hotel", "+14255550177", SayText("The hotel."))
    keys = {"1": KeyAction(transfer=DESK), "2": KeyAction(transfer=other)}
    story = Story(CallSettings(greeting=SayText("Calls are recorded."), interruptible=False, on_key=keys))
    story.tell(ResponseStarted("r", story.requests[-1]))
    story.tell(ReplyAudio("r", "i", b"\x10" * 16000))
    assert press(story, "12") == []
    story.tell(ReplyComplete("r", "i"))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [DESK.announce]
    assert story.answer(response="r2", item="i2", request=story.requests[-1]) == [other.announce]
    story.answer(response="r3", item="i3", request=story.requests[-1])
    assert story.listen(5.0) == [TransferCaller("hotel", "+14255550177")]


def test_a_key_that_answers_a_question_means_something() -> None:
    """>> the key that allows a tool << no note of a key without a meaning; one that nothing asks for << the note."""
    settings = CallSettings(approvals={"crm": Approval(SayText("May I?"), key="1")})
    story = Story(settings)
    press(story, "1")
    assert story.noted(notes.DigitIgnored) == [notes.DigitIgnored("1")]
    story.tell(ResponseStarted("r"))
    story.tell(ApprovalRequested("a", "crm", "book"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.answer(response="q", item="i", request=story.requests[-1])
    story.listen(1.2)
    assert press(story, "1")[0] == AnswerApproval("a", approved=True)
    assert story.noted(notes.DigitIgnored) == [notes.DigitIgnored("1")]
