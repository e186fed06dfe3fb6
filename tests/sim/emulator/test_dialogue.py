from typing import Any

import pytest

from gateway.sim.emulator.dialogue import Dialogue, exact_words
from gateway.sim.emulator.script import Script

TOOLS = [
    {
        "type": "function",
        "name": "book",
        "parameters": {
            "type": "object",
            "properties": {"day": {"type": "string", "enum": ["Friday"]}, "people": {"type": "integer"}},
            "required": ["day", "people"],
        },
    }
]


def dialogue(*turns: dict[str, Any], **keys: Any) -> Dialogue:
    """A dialogue over these turns."""
    return Dialogue(Script.model_validate({"turns": list(turns), "greeting": "Hello.", **keys}))


def test_greeting_then_turns_then_unprompted() -> None:
    """A bare create greets once, each turn is answered once, and a create out of the blue asks back."""
    talk = dialogue({"heard": "a", "say": "A"}, unprompted="Still there?")
    assert talk.answer("auto", []).say == "Hello."
    assert talk.turn_taken(900) == "a"
    assert talk.answer("auto", []).say == "A"
    assert talk.answer("auto", []).say == "Still there?"


def test_instructions_of_a_response_are_not_taken_for_nothing() -> None:
    """They are no reason to ask back while no turn waits; the greeting and a turn's answer come all the same."""
    talk = dialogue({"heard": "a", "say": "A"}, unprompted="Still there?", instructed="A moment.")
    assert talk.answer("auto", [], "Say exactly: Good day.").say == "Hello."
    talk.turn_taken(900)
    assert talk.answer("auto", [], "Say exactly: One moment.").say == "One moment."
    assert talk.answer("auto", [], "Be kind.").say == "A"
    assert talk.answer("auto", [], "Say goodbye.").say == "A moment."


@pytest.mark.parametrize(
    ("instructions", "words"),
    [
        ("Say exactly this to the caller, word for word, and nothing else:\nHello.\nBye: now.", "Hello.\nBye: now."),
        ("Repeat VERBATIM: Hello.", "Hello."),
        ("Tell the caller in one short sentence: we are closed.", None),
        ("Be brief.\nSay exactly: nothing.", None),
        ("Say exactly:", None),
        ("Answer word for word.", None),
        ("", None),
        (None, None),
    ],
)
def test_words_that_are_to_be_said_exactly(instructions: str | None, words: str | None) -> None:
    """Behind a colon in the first line; nothing else is followed."""
    assert exact_words(instructions) == words


def test_a_turn_without_words_tells_its_length() -> None:
    """What the script does not know was heard is told as a duration."""
    assert dialogue({"say": "A"}).turn_taken(2449) == "(2.4 s of speech)"


def test_a_turn_may_have_a_transcript_of_its_own_kind() -> None:
    """What the script says of all turns holds where the turn says nothing."""
    talk = dialogue(
        {"say": "A", "transcription": "failed"},
        {"say": "B"},
        {"say": "C", "transcription": "empty"},
        transcription="never",
    )
    told = []
    for _ in range(3):
        talk.turn_taken(0)
        told.append(talk.transcription)
    assert told == ["failed", "never", "empty"]


def test_the_end_repeats_all_or_the_last() -> None:
    """Behind the last turn the script goes round, or stays."""
    turns = ({"heard": "a", "say": "A"}, {"heard": "b", "say": "B"})
    again, last = dialogue(*turns, at_the_end="repeat"), dialogue(*turns, at_the_end="last")
    assert [again.turn_taken(0) for _ in range(5)] == ["a", "b", "a", "b", "a"]
    assert [last.turn_taken(0) for _ in range(4)] == ["a", "b", "b", "b"]


def test_a_call_is_followed_by_what_the_script_says_after_it() -> None:
    """The output of a function leads on, also to a second call."""
    talk = dialogue(
        {"call": {"name": "one"}, "after_call": {"call": {"name": "two"}, "after_call": "Done."}},
    )
    talk.turn_taken(0)
    assert talk.answer("auto", []).all_calls[0].name == "one"
    talk.output_came()
    assert talk.answer("auto", []).all_calls[0].name == "two"
    talk.output_came()
    assert talk.answer("auto", []).say == "Done."


def test_a_forced_tool_is_called_with_arguments_that_its_schema_admits() -> None:
    """``tool_choice`` of a function makes a call where the script has none, and its output is answered in words."""
    talk = dialogue({"say": "A"})
    call = talk.answer({"type": "function", "name": "book"}, TOOLS).all_calls[0]
    assert (call.name, call.arguments) == ("book", {"day": "Friday", "people": 1})
    talk.output_came()
    assert talk.answer("required", TOOLS).say == Script.default().default_after_call


def test_a_forced_tool_is_called_in_place_of_another() -> None:
    """The script's call of the function that is named stands; one of another function does not."""
    talk = dialogue({"call": {"name": "one"}}, {"call": {"name": "book", "arguments": {"day": "Monday"}}})
    talk.turn_taken(0)
    assert talk.answer({"type": "function", "name": "book"}, TOOLS).all_calls[0].arguments == {
        "day": "Friday",
        "people": 1,
    }
    talk.turn_taken(0)
    assert talk.answer({"type": "function", "name": "book"}, TOOLS).all_calls[0].arguments == {"day": "Monday"}


def test_an_answer_of_which_nothing_was_said_is_still_to_come() -> None:
    """Unless a turn or an output has come since: that one has an answer of its own."""
    talk = dialogue({"say": "A"}, {"say": "B"})
    talk.unsaid(talk.answer("auto", []))
    assert talk.answer("auto", []).say == "Hello."
    talk.turn_taken(0)
    first = talk.answer("auto", [])
    talk.turn_taken(0)
    talk.unsaid(first)
    assert talk.answer("auto", []).say == "B"
    assert talk.answer("auto", []).say == Script.default().unprompted


def test_tool_choice_none_forbids_the_scripts_calls() -> None:
    """With ``none`` only the words of an answer are left."""
    talk = dialogue({"say": "A", "call": {"name": "one"}})
    talk.turn_taken(0)
    answer = talk.answer("none", TOOLS)
    assert (answer.say, answer.all_calls) == ("A", [])


def test_what_follows_a_call_waits_until_the_caller_was_answered() -> None:
    """A turn of the caller between a call and its output does not take the words about the result away."""
    talk = dialogue({"call": {"name": "one"}, "after_call": "It is there."}, {"say": "One moment."})
    talk.turn_taken(0)
    talk.answer("auto", [])
    talk.turn_taken(0)
    assert talk.answer("auto", []).say == "One moment."
    talk.output_came()
    assert talk.answer("auto", []).say == "It is there."


def test_a_denial_is_answered_in_its_own_words() -> None:
    """By the script's ``after_denial``, else by its default; then the call is forgotten."""
    call = {"server_label": "crm", "name": "get", "output": "{}"}
    talk = dialogue({"mcp": call, "after_denial": "Then not."}, {"mcp": call})
    for words in ("Then not.", Script.default().default_after_denial):
        talk.turn_taken(0)
        assert talk.answer("auto", []).all_mcp[0].name == "get"
        talk.denied()
        assert talk.answer("auto", []).say == words
    talk.output_came()
    assert talk.answer("auto", []).say == Script.default().default_after_call
