"""The delays that callers feel, and the paces at which replies come."""

import pytest

from bench.conditions import REPLY_MS, Delivery
from bench.latency import answers, jitter
from bench.reply import Reply


def reply(*arrivals: tuple[float, float]) -> Reply:
    """A reply of which audio came at these times, from these positions in seconds."""
    return Reply(0, arrivals=[(at, round(position_s * 8000)) for at, position_s in arrivals])


def test_jitter_is_the_deviation_of_gaps_from_the_audio_between_them() -> None:
    """After the first second, which fills the phone's buffer; and only of replies that are sent at the pace of time."""
    assert jitter([reply((0, 0), (0.1, 1.0), (0.3, 1.2), (0.53, 1.4))]) == pytest.approx([0.0, 0.03])
    assert jitter([reply((0, 0), (0.1, 1.0), (0.11, 1.5), (0.12, 2.0))]) == []
    assert jitter([reply()]) == []


def test_an_answer_is_timed_from_the_end_of_the_callers_turn() -> None:
    """A greeting answers no turn, and what was not heard is none."""
    heard = Reply(0, heard_from=10.75, turn_over_at=10.0)
    assert answers([heard, Reply(0, heard_from=3.0), Reply(0, turn_over_at=3.0)]) == [0.75]


@pytest.mark.parametrize("delivery", list(Delivery))
def test_a_reply_is_as_long_at_each_pace(delivery: Delivery) -> None:
    """Its deltas add up to it, and what is heard after the last one is what is left."""
    pace, sent_ms, at_s = delivery.pace, 0, 0.0
    for size_ms in pace.deltas_ms:
        sent_ms += size_ms
        at_s += pace.wait_s(sent_ms, size_ms)
        if delivery is Delivery.REALTIME:
            assert sent_ms / 1000 - at_s + 1e-9 >= min(0.3, sent_ms / 1000), "the phone never runs dry"
    assert sent_ms == REPLY_MS
    assert at_s + pace.plays_on_s == pytest.approx(REPLY_MS / 1000)
