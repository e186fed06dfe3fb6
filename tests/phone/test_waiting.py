"""The wait of a call for which there is no room."""

from gateway.phone.waiting import PAUSE_S, Wait


def test_a_wait_in_silence_is_short_enough_to_be_asked_again_soon() -> None:
    """Without music there is nothing else to wait for."""
    assert Wait("https://h/answer").music == ""
    assert 1 <= PAUSE_S <= 10
