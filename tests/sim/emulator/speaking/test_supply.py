from gateway.sim.emulator.speaking.supply import Supply


def test_a_gap_of_more_than_a_second_is_told() -> None:
    """Jitter is not, and neither is a session that has sent nothing yet."""
    supply = Supply()
    assert supply.gap_s(100) is None
    supply.came(100, 0.25)
    assert supply.gap_s(101.25) is None
    assert supply.gap_s(101.5) == 1.25


def test_audio_sent_ahead_counts_as_played() -> None:
    """Five seconds at once last for five seconds and the limit."""
    supply = Supply()
    supply.came(10, 5)
    supply.came(10.5, 1)
    assert supply.gap_s(17) is None
    assert supply.gap_s(17.5) == 1.5


def test_after_a_gap_the_clock_begins_anew() -> None:
    """Late audio does not make up for what was missing."""
    supply = Supply()
    supply.came(0, 0.02)
    supply.came(60, 0.02)
    assert supply.gap_s(61) is None
