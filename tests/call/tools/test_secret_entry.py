"""What is keyed in confidence, told as stories over the conversation."""

import json

import pytest

from gateway.call import notes
from gateway.call.errands import FunctionReturned, KeyedDigits, RunFunction
from gateway.call.settings import CallSettings, Digits, FunctionRule, Secret, Silence
from gateway.call.tools.secret_entry import SecretEntry
from gateway.call.tools.tools import NOTHING_KEYED, ONE_AT_A_TIME
from gateway.function import SecretDigits
from gateway.phone.commands import StopPlayback
from gateway.phone.events import CallerAudio, DigitPressed, PhoneClosed, PhoneEnd
from gateway.voice.commands import CreateResponse, ReturnToolOutput, SayText, SendAudio
from gateway.voice.events import CallerPaused, CallerSpoke, ResponseEnded, ResponseStarted, ResponseStatus, ToolCalled
from tests.story import SILENCE, Story

CARD = "4111111111111111"
PROMPT = SayText("Please key in your card number, then the hash key.")
CODE = Secret(SecretDigits("code", length=3), SayText("And the three digits on its back."))
SETTINGS = CallSettings(
    functions={
        "pay": FunctionRule(secrets=(Secret(SecretDigits("card"), PROMPT),)),
        "pay_safely": FunctionRule(secrets=(Secret(SecretDigits("card"), PROMPT), CODE)),
        "unprompted": FunctionRule(secrets=(Secret(SecretDigits("card", timeout_s=10)),)),
    },
    silence=Silence(5, SayText("Still there?"), 1),
)
SPEECH = CallerAudio(b"\x01" * 160)


def asked(story: Story) -> Story:
    """The model has called ``pay`` and the caller has heard what to do."""
    assert story.call("pay", '{"amount": 5}') == [PROMPT]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.2)
    return story


def press(story: Story, keys: str) -> list[object]:
    """Press keys one after the other."""
    return [command for key in keys for command in story.tell(DigitPressed(key))]


def test_the_digits_reach_the_function_alone() -> None:
    """>> digits and # << the function runs with them; the model's output says "entered"."""
    story = asked(Story(SETTINGS))
    (run,) = press(story, f"{CARD}#")
    assert run == RunFunction("call_1", "pay", '{"amount": 5}', {"card": KeyedDigits(CARD)})
    output, answer = story.tell(FunctionReturned("call_1", '{"state":"paid"}'))
    assert isinstance(output, ReturnToolOutput)
    assert json.loads(output.output) == {"card": "entered", "result": {"state": "paid"}}
    assert answer == CreateResponse()


def test_nothing_of_it_is_noted() -> None:
    """No key of the entry stands in the record, and no text of what is sent on shows the digits."""
    story = asked(Story(SETTINGS))
    (run,) = press(story, f"{CARD}#")
    assert CARD not in repr(run)
    assert story.noted(notes.DigitPressed) == []
    assert story.noted(notes.SecureEntryStarted) == [notes.SecureEntryStarted("pay", "card")]
    assert story.noted(notes.SecureEntryEnded) == [notes.SecureEntryEnded("pay", "card", "entered")]
    assert not any(digit in str(note.fields().get("digit", "")) for note in story.notes for digit in CARD)


def test_the_service_hears_silence_while_keys_are_pressed() -> None:
    """>> audio during the entry, and right behind it << silence as long; after that the caller again."""
    story = Story(SETTINGS)
    assert story.tell(SPEECH) == [SendAudio(SPEECH.audio)]
    asked(story)
    assert story.tell(SPEECH) == [SendAudio(SILENCE)]
    press(story, "41#")
    assert story.tell(SPEECH) == [SendAudio(SILENCE)]
    story.now += 0.6
    assert story.tell(SPEECH) == [SendAudio(SPEECH.audio)]


def test_a_key_silences_the_prompt() -> None:
    """>> the first digit while the bot still asks << silent."""
    story = Story(SETTINGS)
    story.call("pay")
    story.answer(response="r2", item="i2", request=story.requests[-1], seconds=4)
    story.listen(1)
    assert isinstance(press(story, "4")[0], StopPlayback)


def test_a_pause_ends_the_entry() -> None:
    """>> digits and no # << taken five seconds after the last."""
    story = asked(Story(SETTINGS))
    press(story, "4111")
    assert story.listen(4.8) == []
    assert story.listen(0.4) == [RunFunction("call_1", "pay", '{"amount": 5}', {"card": KeyedDigits("4111")})]


def test_each_digit_starts_the_pause_again() -> None:
    """>> a digit every four seconds << the entry goes on until five seconds behind the last."""
    story = asked(Story(SETTINGS))
    for digit in "4111":
        assert press(story, digit) == []
        assert story.listen(4) == []
    assert story.listen(0.8) == []
    assert story.listen(0.4) == [RunFunction("call_1", "pay", '{"amount": 5}', {"card": KeyedDigits("4111")})]


def test_several_secrets_are_keyed_one_after_the_other() -> None:
    """>> card #, then three digits << the second prompt between them; its length ends the second entry."""
    story = Story(SETTINGS)
    story.call("pay_safely")
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.2)
    assert press(story, "41#") == [CODE.prompt]
    story.answer(response="r3", item="i3", request=story.requests[-1])
    (run,) = [command for command in press(story, "123") if isinstance(command, RunFunction)]
    assert run.secrets == {"card": KeyedDigits("41"), "code": KeyedDigits("123")}


def test_a_caller_who_keys_nothing_in() -> None:
    """>> no key in time << the model is told; the time does not run while the bot still asks."""
    story = Story(SETTINGS)
    assert story.call("unprompted") == []
    assert story.listen(9.8) == []
    assert story.listen(0.4) == [ReturnToolOutput("call_1", NOTHING_KEYED), CreateResponse()]
    assert story.noted(notes.SecureEntryEnded)[0].outcome == "nothing"


def test_silence_is_not_minded_during_the_entry() -> None:
    """A caller who looks for the card is not asked whether he is still there."""
    story = asked(Story(SETTINGS))
    assert story.listen(25) == []


def test_one_entry_at_a_time() -> None:
    """>> a second function that wants keys << told to wait."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "pay", "{}"))
    assert story.tell(ToolCalled("r", "b", "unprompted", "{}")) == [ReturnToolOutput("b", ONE_AT_A_TIME)]
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [PROMPT]


def test_a_hang_up_forgets_what_was_keyed() -> None:
    """>> hang-up in the middle << noted as abandoned; nothing runs."""
    story = asked(Story(SETTINGS))
    press(story, "4111")
    assert not any(isinstance(c, RunFunction) for c in story.tell(PhoneClosed(PhoneEnd.HUNG_UP)))
    assert story.noted(notes.SecureEntryEnded) == [notes.SecureEntryEnded("pay", "card", "abandoned")]


def test_keys_behind_the_entry_stay_private() -> None:
    """>> the hash key behind the length, a digit too many << nobody learns of it; much later a key is one again."""
    settings = CallSettings(functions={"pay": FunctionRule(secrets=(CODE,))}, digits=Digits())
    story = Story(settings)
    story.call("pay")
    press(story, "1234#")
    assert story.noted(notes.DigitPressed) == []
    story.listen(3.5)
    press(story, "9")
    assert story.noted(notes.DigitPressed) == [notes.DigitPressed("9")]


def test_a_caller_who_is_slow_keeps_the_secret() -> None:
    """>> half of it, a pause that ends the entry, the other half << the other half reaches nobody."""
    settings = CallSettings(functions=SETTINGS.functions, digits=Digits())
    story = Story(settings)
    story.call("unprompted")
    press(story, "41111111")
    assert [type(command) for command in story.listen(5.2)] == [RunFunction]
    story.listen(5)
    press(story, "22223333")
    assert story.listen(10) == []
    assert story.noted(notes.DigitPressed) == []
    assert story.noted(notes.DigitsEntered) == []


def test_a_caller_who_begins_too_late_keeps_the_secret() -> None:
    """>> nothing in time, then digits << they reach nobody either."""
    settings = CallSettings(functions=SETTINGS.functions, digits=Digits())
    story = Story(settings)
    story.call("unprompted")
    story.listen(10.2)
    assert press(story, "4111") == []
    assert story.noted(notes.DigitPressed) == []


def test_a_key_that_does_not_count_silences_nothing() -> None:
    """>> # behind the length of the first secret, while the second is being asked for << the prompt is heard."""
    card = Secret(SecretDigits("card", length=4), PROMPT)
    story = Story(CallSettings(functions={"pay": FunctionRule(secrets=(card, CODE))}))
    story.call("pay")
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.2)
    assert press(story, "4111") == [CODE.prompt]
    story.tell(ResponseStarted("r3", story.requests[-1]))
    assert press(story, "#") == []


def test_a_prompt_that_was_interrupted_is_said_again() -> None:
    """>> speech that was under way when the entry began << asked once more behind it."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "call_1", "pay", "{}"))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [PROMPT]
    story.tell(CallerSpoke("u"))
    story.tell(ResponseStarted("r2", story.requests[-1]))
    story.tell(ResponseEnded("r2", ResponseStatus.CANCELLED))
    story.tell(CallerPaused("u"))
    story.answer(response="r3", item="i3")
    assert story.listen(1.5) == [PROMPT]


@pytest.mark.parametrize(("before", "counting"), [("", "0123456789"), ("4", "0123456789#")])
def test_the_keys_that_count(before: str, counting: str) -> None:
    """Digits, and the last key behind one; a star never."""
    entry = SecretEntry(ToolCalled("r", "c", "pay", "{}"), (Secret(SecretDigits("card")),), 0.0)
    for key in before:
        entry.press(key, 0.0)
    assert [key for key in "0123456789*#" if entry.counts(key)] == list(counting)


def test_the_time_to_begin_does_not_run_while_the_bot_asks() -> None:
    """>> a prompt that takes longer than the entry's time << the time begins again, and a digit behind it counts."""
    story = Story(
        CallSettings(functions={"pay": FunctionRule(secrets=(Secret(SecretDigits("card", timeout_s=10), PROMPT),))})
    )
    assert story.call("pay") == [PROMPT]
    story.answer(response="r2", item="i2", request=story.requests[-1], seconds=15)
    assert story.listen(15.2) == []
    assert story.listen(4) == []
    (run,) = press(story, "41#")
    assert isinstance(run, RunFunction)
    assert story.noted(notes.SecureEntryEnded) == [notes.SecureEntryEnded("pay", "card", "entered")]


def test_an_entry_is_bounded() -> None:
    """>> a key that is held down << the entry ends with sixty-four digits."""
    story = asked(Story(SETTINGS))
    assert not any(isinstance(command, RunFunction) for command in press(story, "1" * 63))
    (run,) = press(story, "1")
    assert isinstance(run, RunFunction)
    assert run.secrets == {"card": KeyedDigits("1" * 64)}
