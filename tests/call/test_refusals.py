"""Requests that are refused, interrupted or wait, told as stories: each is carried out once, or not any more."""

import pytest

from gateway.call import notes
from gateway.call.settings import (
    Approval,
    CallSettings,
    Digits,
    FunctionRule,
    KeyAction,
    Secret,
    Target,
)
from gateway.call.speaking.responses import ALREADY_ACTIVE
from gateway.function import SecretDigits
from gateway.phone.commands import StopPlayback
from gateway.phone.events import DigitPressed
from gateway.voice.commands import (
    AddMessage,
    CancelResponse,
    CreateResponse,
    SayText,
    TruncateReply,
)
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSpoke,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    TurnCommitted,
)
from tests.story import SPEECH, Story

ASK = SayText("May I?")
CARD = Secret(SecretDigits("card", timeout_s=10), SayText("Your card number, please."))
DESK = Target("desk", "+14255550199", SayText("I am connecting you."))
WAIT = SayText("One moment.")
SETTINGS = CallSettings(
    functions={"pay": FunctionRule(secrets=(CARD,))},
    built_in=frozenset({"transfer_call"}),
    targets={"desk": DESK},
    approvals={"crm": Approval(ASK, key="1", words=("yes",), timeout_s=20)},
)
BOOK = ApprovalRequested("approval_1", "crm", "book")


def press(story: Story, keys: str) -> list[object]:
    """Press keys one after the other."""
    return [command for key in keys for command in story.tell(DigitPressed(key))]


def test_several_refusals_in_a_row() -> None:
    """>> a request refused, made again and refused, turn after turn << each turn has a second try of its own."""
    story = Story(CallSettings(barge_in=True))
    for turn in ("u1", "u2", "u3"):
        story.tell(CallerSpoke(turn))
        story.tell(CallerPaused(turn))
        story.tell(TurnCommitted(turn))
        assert story.listen(10.1) == [CreateResponse()]
        assert story.tell(ServiceError("server_error", "oops", story.requests[-1])) == []
        assert story.listen(5) == [], "the turn has had its second try"


def test_an_answer_renews_the_second_try() -> None:
    """>> a failed answer and its second try, which speaks; the next answer fails too << tried once more."""
    story = Story()
    for number in range(3):
        story.tell(ResponseStarted(f"r{number}"))
        assert story.tell(ResponseEnded(f"r{number}", ResponseStatus.FAILED)) == []
        assert story.listen(0.9) == []
        assert story.listen(0.2) == [CreateResponse()]
        story.answer(response=f"again{number}", item=f"i{number}", request=story.requests[-1])
        assert story.listen(2) == []


def test_a_text_that_was_interrupted_is_not_said_ten_seconds_later() -> None:
    """>> a greeting that is asked for, speech, no word of its response << it is not asked for again."""
    story = Story(CallSettings(greeting=SayText("Hello.")))
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.answer(response="r", item="i")
    story.goes_on()


def test_a_text_that_was_interrupted_and_refused_is_not_said_later() -> None:
    """>> the same, and the service refuses it, for whatever reason << not asked for again."""
    for code in ("conversation_already_has_active_response", "server_error"):
        story = Story(CallSettings(greeting=SayText("Hello.")))
        story.tell(CallerSpoke("u"))
        assert story.tell(ServiceError(code, "no", story.requests[-1])) == []
        story.tell(CallerPaused("u"))
        story.answer(response="r", item="i")
        story.goes_on()


def test_what_was_asked_for_behind_an_interruption_is_heard() -> None:
    """>> a greeting interrupted before it began, and a text that a key wants << the text is not dropped with it."""
    story = Story(CallSettings(greeting=SayText("Hello."), on_key={"9": KeyAction(say=WAIT)}))
    story.tell(CallerSpoke("u"))
    story.tell(ServiceError("server_error", "no", story.requests[-1]))
    story.tell(CallerPaused("u"))
    story.answer(response="r", item="i")
    story.listen(2)
    assert press(story, "9") == [WAIT]
    assert story.answer(response="t", item="it", request=story.requests[-1], seconds=2) == []
    assert story.listen(0.5) == []
    assert story.tell(CallerSpoke("v")) == [StopPlayback(), TruncateReply("it", 510)]


def test_texts_that_wait_are_not_said_after_an_interruption() -> None:
    """>> two texts by key, speech over the first << the second is not said either."""
    story = Story(CallSettings(on_key={"9": KeyAction(say=WAIT), "8": KeyAction(say=ASK)}))
    assert press(story, "9") == [WAIT]
    story.tell(ResponseStarted("t", story.requests[-1]))
    story.conversation._bot.responses.want(ASK, story.now)  # as a rule of the line does while the text is said
    story.tell(ReplyAudio("t", "it", SPEECH * 100))
    assert story.tell(CallerSpoke("u"))[0] == StopPlayback()
    story.tell(ResponseEnded("t", ResponseStatus.CANCELLED))
    story.tell(CallerPaused("u"))
    story.answer(response="r", item="i")
    story.goes_on()


def test_an_answer_that_was_wanted_survives_an_interruption() -> None:
    """>> digits while the bot speaks, speech before their answer << they are answered with the turn, and only once."""
    story = Story(CallSettings(digits=Digits()))
    story.tell(ResponseStarted("r"))
    told = press(story, "12#")
    assert told[0] == CancelResponse("r")
    story.tell(CallerSpoke("u"))
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == []
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    story.goes_on()
    story = Story(CallSettings(digits=Digits()))
    story.tell(ResponseStarted("r"))
    press(story, "12#")
    story.tell(CallerSpoke("u"))
    story.tell(ResponseEnded("r", ResponseStatus.CANCELLED))
    assert story.listen(31) == [CreateResponse()], "a cough, and the digits are still to be answered"


def test_digits_while_the_caller_speaks_are_answered_with_the_turn() -> None:
    """>> keys within a turn << given to the model at once, and answered by the one answer to the turn."""
    story = Story(CallSettings(digits=Digits()))
    story.tell(CallerSpoke("u"))
    assert press(story, "12#") == [AddMessage("user", "(Keys pressed on the phone: 12)")]
    story.tell(CallerPaused("u"))
    assert story.tell(TurnCommitted("u")) == []
    story.answer(response="r", item="i")
    story.goes_on()
    assert press(story, "34#") == [AddMessage("user", "(Keys pressed on the phone: 34)"), CreateResponse()]


def test_speech_over_a_late_reply_during_a_transfer_interrupts_nothing() -> None:
    """>> a response that the service began by itself, speech over it << the transfer goes on; nothing is cancelled."""
    story = Story(SETTINGS)
    story.call("transfer_call", '{"target":"desk"}')
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.5)
    story.tell(ResponseStarted("late"))
    story.tell(ReplyAudio("late", "il", SPEECH * 50))
    assert story.tell(CallerSpoke("u")) == []
    assert story.noted(notes.BargeIn) == []
    assert story.conversation.state.name == "TRANSFERRING"


@pytest.mark.parametrize("code", [ALREADY_ACTIVE, "server_error"])
def test_a_question_whose_request_was_interrupted_and_refused_is_asked(code: str) -> None:
    """>> speech before the question has begun, and the service refuses it << put behind the answer; so is a prompt."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(BOOK)
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [ASK]
    story.tell(CallerSpoke("u"))
    assert story.tell(ServiceError(code, "no", story.requests[-1])) == []
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    assert story.listen(1.5) == [ASK]
    story = Story(SETTINGS)
    assert story.call("pay") == [CARD.prompt]
    story.tell(CallerSpoke("u"))
    assert story.tell(ServiceError(code, "no", story.requests[-1])) == []
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    assert story.listen(1.5) == [CARD.prompt]
