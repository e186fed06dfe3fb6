"""The figures of the echo gate."""

from bench import echo


def test_echoes_and_callers_are_told_apart() -> None:
    """Over the recorded prompts: few echoes pass, and no caller waits for longer than two comparisons."""
    without, quiet, loud = echo.measure(30, (None, -20, -6))
    assert (without.missed, without.taken, without.taken_later) == (0, 0, 0)
    assert max(quiet.missed, loud.missed) <= 0.1
    assert max(quiet.taken_later, loud.taken_later, quiet.quiet_taken_later) <= 0.1


def test_the_figures_are_the_same_each_time() -> None:
    """The scenes are made by a seed."""
    assert echo.measure(5, (-12,)) == echo.measure(5, (-12,))


def test_the_table_has_a_row_for_each_level() -> None:
    """Shares in per cent; an echo that is not there cannot be missed."""
    rows = [echo.Row(None, 0, 0.01, 0, 0.02, 0), echo.Row(-6, 0.005, 0, 0, 0.1, 0.05)]
    assert echo.table(rows).splitlines()[2:] == [
        "| none | – | 1.0%, 0.0% | 2.0%, 0.0% |",
        "| -6 dB | 0.5% | 0.0%, 0.0% | 10.0%, 5.0% |",
    ]
