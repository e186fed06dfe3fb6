"""The tokens of a response, as the service reports them."""

import pytest

from gateway.voice.events import Tokens
from gateway.voice.wire import tokens_of

REPORT = {
    "total_tokens": 161,
    "input_tokens": 96,
    "output_tokens": 65,
    "input_token_details": {
        "cached_tokens": 64,
        "cache_write_tokens": 0,
        "text_tokens": 67,
        "audio_tokens": 29,
        "image_tokens": 0,
        "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 8, "audio_tokens": 57, "reasoning_tokens": 0},
}


def test_tokens_are_read_by_their_kind() -> None:
    """Those from the cache are part of those of their kind."""
    expected = Tokens(input_text=67, input_audio=29, cached_text=60, cached_audio=4, output_text=8, output_audio=57)
    assert tokens_of(REPORT) == expected


def test_tokens_without_a_kind_are_text() -> None:
    """A model that takes text alone may leave the details out, or a kind that is new."""
    assert tokens_of({"input_tokens": 10, "output_tokens": 4}) == Tokens(input_text=10, output_text=4)
    details = {"audio_tokens": 3, "cached_tokens": 2, "text_tokens": None}
    counted = tokens_of({"input_tokens": 10, "output_tokens": 4, "input_token_details": details})
    assert counted == Tokens(input_text=7, input_audio=3, cached_text=2, output_text=4)


@pytest.mark.parametrize("usage", [None, {}, {"total_tokens": 0}, {"input_tokens": 0, "output_tokens": 0}])
def test_a_response_without_tokens(usage: object) -> None:
    """Nothing is reported, so there is nothing to count."""
    assert tokens_of(usage) is None


@pytest.mark.parametrize(
    "usage",
    [7, "many", [1], {"input_tokens": "9"}, {"input_tokens": -1}, {"input_tokens": True}, {"input_token_details": 3}],
)
def test_a_report_of_another_shape(usage: object) -> None:
    """It is refused: nobody guesses what a call has cost."""
    with pytest.raises(TypeError):
        tokens_of(usage)
