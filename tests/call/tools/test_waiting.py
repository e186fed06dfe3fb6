"""Words that cover the wait for a tool."""

import pytest

from gateway.call.settings import Waiting
from gateway.call.tools.waiting import Wait
from gateway.voice.commands import SayText

WORDS = SayText("One moment.")


def test_words_come_once_and_at_their_time() -> None:
    """To the moment, into silence; then never again."""
    wait = Wait(Waiting(WORDS, 1.5), 10.0)
    assert (wait.at, wait.words(11.49, quiet=True)) == (11.5, None)
    assert (wait.words(11.5, quiet=True), wait.at) == (WORDS, None)
    assert wait.words(20.0, quiet=True) is None


@pytest.mark.parametrize(("after_s", "again_s"), [(1.5, 1.5), (0.5, 0.5), (0.2, 0.2), (0.1, 0.2), (0.0, 0.2)])
def test_words_that_nobody_would_hear_are_put_off(after_s: float, again_s: float) -> None:
    """While somebody speaks, as long again; no less than a fifth of a second, so that nothing spins."""
    wait = Wait(Waiting(WORDS, after_s), 10.0)
    assert wait.words(15.0, quiet=False) is None
    assert wait.at == 15.0 + again_s
    assert wait.words(15.0 + again_s, quiet=True) == WORDS


def test_a_tool_without_words_is_not_waited_for() -> None:
    """It has no time."""
    wait = Wait(None, 10.0)
    assert wait.at is None
    assert wait.words(99.0, quiet=True) is None
