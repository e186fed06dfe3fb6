"""The phone's playout buffer."""

import pytest

from gateway.audio.formats import L16_16K, PCMA, PCMU
from gateway.sim.phone.playout import Heard, Playout

SPOKEN = b"\x11"


@pytest.fixture
def playout() -> Playout:
    """An idle buffer of µ-law."""
    return Playout(PCMU)


def test_an_idle_buffer_plays_silence(playout: Playout) -> None:
    """A whole frame of the format's silence, none of it the gateway's."""
    assert playout.tick() == Heard(b"\xff" * 160, 0)
    assert Playout(PCMA).tick().audio == b"\xd5" * 160
    assert Playout(L16_16K).tick().audio == bytes(640)


def test_audio_plays_in_order_whatever_sizes_it_came_in(playout: Playout) -> None:
    """Messages join without a gap; only the end of the queue is filled with silence."""
    playout.add(b"\x01" * 100)
    playout.add(b"\x02" * 150)
    assert playout.tick() == Heard(b"\x01" * 100 + b"\x02" * 60, 160)
    assert playout.tick() == Heard(b"\x02" * 90 + b"\xff" * 70, 90)
    assert playout.idle
    assert (playout.added_bytes, playout.played_bytes) == (250, 250)


def test_a_mark_returns_with_the_frame_that_plays_the_audio_before_it(playout: Playout) -> None:
    """Not earlier, and several in the order in which they were set."""
    playout.add(SPOKEN * 170)
    assert not playout.mark("first")
    playout.add(SPOKEN * 150)
    assert not playout.mark("second")
    assert not playout.mark("third")
    assert playout.tick().marks == ()
    assert playout.tick().marks == ("first", "second", "third")


def test_a_mark_on_an_idle_buffer_returns_at_once(playout: Playout) -> None:
    """There is nothing to wait for: before any audio and after all of it."""
    assert playout.mark("early")
    playout.add(SPOKEN * 160)
    playout.tick()
    assert playout.mark("late")
    assert playout.tick().marks == ()


def test_a_clear_empties_the_buffer_and_returns_every_mark(playout: Playout) -> None:
    """The caller hears no byte of what was cleared, and no mark returns twice."""
    playout.add(SPOKEN * 400)
    playout.mark("half")
    playout.add(SPOKEN * 400)
    playout.mark("whole")
    playout.tick()
    cleared = playout.clear()
    assert cleared.marks == ("half", "whole")
    assert (cleared.run_bytes, cleared.discarded_bytes, cleared.position) == (160, 640, 160)
    assert playout.tick() == Heard(b"\xff" * 160, 0)


def test_a_clear_tells_what_was_played_since_the_buffer_was_idle(playout: Playout) -> None:
    """A run ends when the buffer runs dry or is cleared; position goes on over all of them."""
    playout.add(SPOKEN * 320)
    playout.tick()
    playout.tick()
    playout.add(SPOKEN * 500)
    playout.tick()
    first = playout.clear()
    assert (first.run_bytes, first.discarded_bytes, first.position) == (160, 340, 480)
    playout.add(SPOKEN * 200)
    second = playout.clear()
    assert (second.run_bytes, second.discarded_bytes, second.position) == (0, 200, 820)


def test_a_clear_at_the_very_end_still_knows_the_run_that_was_played(playout: Playout) -> None:
    """All of it was heard and nothing was thrown away."""
    playout.add(SPOKEN * 320)
    playout.tick()
    playout.tick()
    cleared = playout.clear()
    assert (cleared.run_bytes, cleared.discarded_bytes, cleared.marks) == (320, 0, ())


def test_nothing_added_is_no_new_run(playout: Playout) -> None:
    """A message without audio leaves what was played before it countable."""
    playout.add(SPOKEN * 160)
    playout.tick()
    playout.add(b"")
    assert playout.clear().run_bytes == 160


def test_a_held_buffer_plays_silence_and_keeps_what_it_has(playout: Playout) -> None:
    """Until it goes on."""
    playout.add(SPOKEN * 160)
    playout.mark("m")
    playout.paused = True
    assert playout.tick() == Heard(b"\xff" * 160, 0)
    playout.paused = False
    assert playout.tick() == Heard(SPOKEN * 160, 160, ("m",))


def test_more_than_ten_minutes_are_not_taken() -> None:
    """What is already queued plays on; the message that would exceed the limit is left out whole."""
    playout = Playout(PCMU)
    assert playout.add(bytes(8_000 * 599))
    assert not playout.add(bytes(8_000 * 2))
    assert playout.add(bytes(8_000))
    assert playout.queued_bytes == 8_000 * 600


def test_silence_that_fills_a_pause_is_no_audio() -> None:
    """Where the gateway may not pause: it is dropped while nothing waits, and kept behind words."""
    playout = Playout(PCMU, drops_silence=True)
    assert playout.add(b"\xff" * 160)
    assert (playout.idle, playout.added_bytes) == (True, 0)
    playout.add(SPOKEN * 160)
    playout.add(b"\xff" * 160)
    assert playout.queued_bytes == 320
