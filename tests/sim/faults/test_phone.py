"""The faults of a media stream, frame by frame."""

from typing import Any

from gateway.sim.faults import FaultPlan, drawn
from gateway.sim.faults.phone import FRAME_S, PhoneFaults


def faults(*phone: dict[str, Any], seed: int = 1) -> PhoneFaults:
    """The faults of a stream."""
    return drawn(FaultPlan.model_validate({"phone": list(phone)}), seed).phone


def arrivals(held: PhoneFaults, frames: int) -> list[list[int]]:
    """What reaches the gateway with each frame, by the numbers of the frames that were sent."""
    found = []
    for number in range(frames):
        held.tick(number * FRAME_S, number * FRAME_S, audible=False)
        sent = [] if held.loses() else [str(number)]
        found.append([int(message) for message in held.pass_on(sent)])
    return found


def test_without_a_fault_all_arrives_at_once() -> None:
    """Frame by frame."""
    assert arrivals(faults(), 5) == [[0], [1], [2], [3], [4]]


def test_loss_takes_its_share_while_it_lasts() -> None:
    """Not before, and not after."""
    came = arrivals(faults({"kind": "loss", "share": 0.5, "when": {"s": 2}, "for_s": 10}), 1000)
    assert came[:100] == [[number] for number in range(100)]
    assert 200 < came[100:600].count([]) < 300
    assert came[600:] == [[number] for number in range(600, 1000)]


def test_the_same_seed_loses_the_same_frames() -> None:
    """And another one others."""
    loss = {"kind": "loss", "share": 0.5}
    assert arrivals(faults(loss), 100) == arrivals(faults(loss), 100)
    assert arrivals(faults(loss), 100) != arrivals(faults(loss, seed=2), 100)


def test_jitter_delays_and_keeps_the_order() -> None:
    """No frame is lost, none overtakes another, none is later than it may be."""
    came = arrivals(faults({"kind": "jitter", "max_ms": 200}), 300)
    order = [number for frame in came for number in frame]
    assert order == list(range(len(order)))
    assert all(frame - number <= 10 for frame, numbers in enumerate(came) for number in numbers)
    assert any(len(numbers) > 1 for numbers in came)


def test_a_burst_comes_at_once() -> None:
    """What was held comes with the first frame afterwards."""
    came = arrivals(faults({"kind": "burst", "when": {"s": 0.2}, "for_s": 0.1}), 20)
    assert came[10:16] == [[], [], [], [], [], [10, 11, 12, 13, 14, 15]]
    assert came[16:] == [[16], [17], [18], [19]]


def test_a_stalled_reader_reads_again() -> None:
    """After its time, or never."""
    for for_s, reads in ((0.1, [True] * 5 + [False] * 5 + [True] * 5), (None, [True] * 5 + [False] * 10)):
        held = faults({"kind": "stalled_reader", "when": {"s": 0.1}, "for_s": for_s})
        found = []
        for number in range(15):
            held.tick(number * FRAME_S, 0.0, audible=False)
            found.append(held.reads)
        assert found == reads


def test_gone_while_a_reply_is_heard() -> None:
    """So many seconds into the nth time that the bot is audible."""
    held = faults({"kind": "vanish", "when": {"reply": 2, "heard_s": 0.1}})
    audible = [False] * 3 + [True] * 20 + [False] * 3 + [True] * 20
    gone = []
    for number, heard in enumerate(audible):
        held.tick(number * FRAME_S, 0.0, audible=heard)
        gone.append(held.gone is not None)
    assert gone.index(True) == 3 + 20 + 3 + 5
    assert not held.reads


def test_a_reply_that_was_too_short_is_not_waited_for() -> None:
    """The fault strikes at the latest with the next one."""
    held = faults({"kind": "reset", "when": {"reply": 1, "heard_s": 9}})
    for number, heard in enumerate([True, True, False, True]):
        held.tick(number * FRAME_S, 0.0, audible=heard)
    assert held.gone is not None
