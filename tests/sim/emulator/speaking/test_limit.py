import pytest

from gateway.sim.emulator.script import Answer, Call
from gateway.sim.emulator.speaking.limit import within
from tests.sim.emulator.wire import answered, scripted

CALLS = [Call(name="a", arguments="x" * 40), Call(name="b", arguments="x" * 40)]


def test_an_answer_that_fits_is_left_as_it_is() -> None:
    """Twelve characters are three tokens, 300 ms of audio six."""
    answer = Answer(say="Hello there.")
    assert within(answer, 300, 9) == (answer, 1.0)


def test_words_are_cut_with_their_audio() -> None:
    """Five tokens are one word of the two, and 42 % of the audio."""
    limited, share = within(Answer(say="Hello there."), 300, 5)
    assert (limited.say, limited.ending) == ("Hello", "max_output_tokens")
    assert share == 5 / 12


def test_a_limit_below_the_first_word_leaves_nothing() -> None:
    """The response ends before its first output."""
    limited, share = within(Answer(say="Hello there."), 3000, 1)
    assert (limited.say, limited.silent, share) == ("", True, 0)


def test_a_call_that_does_not_fit_is_not_made() -> None:
    """The first of two calls of ten tokens each is left, or none."""
    limited, _ = within(Answer(calls=CALLS), 0, 15)
    assert [call.name for call in limited.all_calls] == ["a"]
    assert limited.ending == "max_output_tokens"
    nothing, _ = within(Answer(calls=CALLS), 0, 5)
    assert (nothing.all_calls, nothing.silent) == ([], True)


def test_words_before_a_call_that_does_not_fit_are_said() -> None:
    """They are whole, and so is their audio."""
    limited, share = within(Answer(say="Hello.", calls=CALLS), 100, 10)
    assert (limited.say, limited.all_calls, share) == ("Hello.", [], 1.0)


@pytest.mark.parametrize("modalities", [["text", "audio"], ["text"]])
async def test_a_limit_of_tokens_cuts_the_answer(modalities: list[str]) -> None:
    """Behind a whole word, with the audio of the words that are left; no more tokens than the limit are reported."""
    words = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen. " * 2
    response, _ = await answered(scripted({"say": words.strip()}), modalities=modalities, max_response_output_tokens=20)
    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    content = response["output"][0]["content"][0]
    said = content.get("transcript") or content["text"]
    assert said.split() == words.split()[: len(said.split())]
    assert 0 < response["usage"]["output_tokens"] <= 20
