"""A call as plain text."""

from gateway.report.actions import Happening
from gateway.report.transcript import transcript
from gateway.report.turns import Turn


def test_each_thing_is_a_line_in_the_order_of_time() -> None:
    """Words, or what is known in their place; unheard words in brackets."""
    turns = [
        Turn("bot", 61_230, 62_000, "One two", unheard="three four", interrupted=True),
        Turn("caller", 300, 900, recording="question.wav"),
        Turn("bot", 1_000, 2_500),
    ]
    assert transcript(turns, [Happening(940, "key", "12"), Happening(960, "tool", "status: ok")]).splitlines() == [
        "0:00.3  Caller: question.wav",
        "0:00.9  Keys: 12",
        "0:01.0  Tool: status: ok",
        "0:01.0  Bot: spoke for 1.50 s",
        "1:01.2  Bot: One two [not heard: three four]",
    ]
