"""When a process has had enough, and when it takes calls again."""

import pytest

from gateway.routes.admitting.saturation import (
    ARRIVING_S,
    BUSY_RESUME,
    BUSY_STOP,
    EXPECTED_COST,
    LAG_RESUME_S,
    LAG_STOP_S,
    LAG_WINDOW,
    LATE_STOP,
    PERIOD_S,
    RESUME_S,
    Saturation,
)


class Load:
    """A saturation, and the clock of its samples."""

    def __init__(self) -> None:
        self.saturation = Saturation()
        self.now = 1000.0

    def sample(self, busy: float = 0.0, lag_s: float = 0.0, late_frames: int = 0, calls: int = 0) -> bool:
        """One period later."""
        self.now += PERIOD_S
        return self.saturation.sample(self.now, busy=busy, lag_s=lag_s, late_frames=late_frames, calls=calls)

    def has_room(self) -> bool:
        """Now."""
        return self.saturation.has_room(self.now)


def test_a_busy_thread_takes_no_more_calls() -> None:
    """From the first sample over the threshold on, with the reason in words; the change is returned once."""
    load = Load()
    assert not load.sample(busy=BUSY_STOP - 0.01)
    assert load.sample(busy=0.8)
    assert not load.sample(busy=0.9)
    assert not load.has_room()
    assert load.saturation.reason == "the event loop's thread uses 90% of a core"


def test_the_threshold_itself_is_too_much() -> None:
    """As docs/operating.md says: no more calls from 75 % on."""
    load = Load()
    assert not load.sample(busy=0.7499)
    assert load.sample(busy=0.75)


def test_one_hiccup_is_none_and_two_are() -> None:
    """A collection of garbage delays one timer; what delays two within a few samples delays the audio of calls."""
    load = Load()
    assert not load.sample(lag_s=1.0)
    for _ in range(LAG_WINDOW - 1):
        assert not load.sample()
    assert not load.sample(lag_s=LAG_STOP_S), "the first has left the window"
    assert load.sample(lag_s=LAG_STOP_S)
    assert load.saturation.reason == "the event loop lags by 20 ms"


def test_late_frames_are_too_much() -> None:
    """What callers hear counts, though thread and timers are well."""
    load = Load()
    assert not load.sample(late_frames=LATE_STOP - 1)
    assert load.sample(late_frames=LATE_STOP)
    assert load.saturation.reason == "5 frames were sent late"


@pytest.mark.parametrize(
    "again", [{"busy": BUSY_RESUME + 0.01}, {"lag_s": LAG_RESUME_S * 1.1}, {"late_frames": 1}, {"busy": BUSY_STOP}]
)
def test_calls_are_taken_again_once_all_is_well_for_a_while(again: dict[str, float]) -> None:
    """Anything over its second threshold begins that time anew; the change is returned once."""
    load = Load()
    assert load.sample(busy=1.0)
    for _ in range(int(RESUME_S / PERIOD_S)):
        assert not load.sample(busy=BUSY_RESUME)
    assert not load.sample(**again)  # type: ignore[arg-type]  # numbers of both kinds
    until_well = 0
    while not load.sample(busy=BUSY_RESUME):
        until_well += 1
        assert not load.has_room()
        assert until_well < 100
    assert until_well * PERIOD_S >= RESUME_S
    assert load.has_room()
    assert load.saturation.reason == ""
    assert not load.sample(busy=BUSY_RESUME)


def test_calls_that_cost_nothing_yet_are_counted_with_what_the_others_cost() -> None:
    """A burst of calls between two samples is not taken whole; a moment later they are part of the sample."""
    load = Load()
    load.sample(busy=0.5, calls=100)  # 0.005 of a core each
    taken = 0
    while load.has_room():
        load.saturation.took(load.now)
        taken += 1
    assert taken == 50
    load.now += ARRIVING_S
    assert load.has_room()


def test_few_calls_say_nothing_about_their_cost() -> None:
    """Starting costs more than calling: of a quiet process a first burst is bounded by what a call usually costs."""
    load = Load()
    load.sample(busy=0.5, calls=1)
    taken = 0
    while load.has_room():
        load.saturation.took(load.now)
        taken += 1
    assert taken == int((BUSY_STOP - 0.5) / EXPECTED_COST)
