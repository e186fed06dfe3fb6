"""The scale of bars."""

import pytest

from gateway.report.scale import scale_of


@pytest.mark.parametrize(
    ("times_ms", "ticks"),
    [
        ([], ("0", "50 ms", "100 ms")),
        ([80], ("0", "50 ms", "100 ms")),
        ([640, 1_160], ("0", "1 s", "2 s")),
        ([2_000], ("0", "1 s", "2 s")),
        ([2_001], ("0", "1.5 s", "3 s")),
        ([90_000], ("0", "30 s", "60 s")),
    ],
)
def test_a_scale_ends_at_a_round_time(times_ms: list[float], ticks: tuple[str, str, str]) -> None:
    """The next one that shows them all."""
    assert scale_of(times_ms).ticks == ticks


def test_one_time_that_is_far_out_does_not_squash_the_others() -> None:
    """Its bar is as long as the scale, and marked; the others are what they would be without it."""
    scale = scale_of([600, 700, 800, 45_000])
    assert scale.ticks[-1] == "5 s"
    assert (scale.share(45_000), scale.exceeded(45_000)) == (100, True)
    assert (scale.share(600), scale.exceeded(600)) == (12, False)
