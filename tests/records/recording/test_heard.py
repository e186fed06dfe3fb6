import threading

from gateway.records.recording.heard import FRAME_COST, Heard


def add(heard: Heard, number: int) -> None:
    """Add a frame as a tap does: its size and its audio tell its number."""
    audio = bytes([number % 251]) * (1 + number % 7)
    heard.audio.extend(audio)
    heard.sizes.append(len(audio))
    heard.at.append(float(number))


def test_frames_are_taken_once_in_their_order() -> None:
    """With times, sizes and audio; and what they cost."""
    heard = Heard()
    for number in range(3):
        add(heard, number)
    frames = heard.take()
    assert (list(frames.at), list(frames.sizes), bytes(frames.audio)) == ([0.0, 1.0, 2.0], [1, 2, 3], b"\0\1\1\2\2\2")
    assert frames.cost == 6 + 3 * FRAME_COST
    assert heard.take().cost == 0
    add(heard, 3)
    assert bytes(heard.take().audio) == b"\3\3\3\3"


def test_a_frame_that_is_being_added_waits_until_it_is_whole() -> None:
    """Its time comes last."""
    heard = Heard()
    add(heard, 1)
    heard.audio.extend(b"\2\2\2")
    heard.sizes.append(3)
    assert bytes(heard.take().audio) == b"\1\1"
    heard.at.append(2.0)
    assert bytes(heard.take().audio) == b"\2\2\2"


def test_two_threads_need_no_lock() -> None:
    """One adds, the other one takes: no frame is lost, cut or taken twice."""
    heard, is_over = Heard(), threading.Event()

    def add_all() -> None:
        for number in range(50_000):
            add(heard, number)
        is_over.set()

    thread = threading.Thread(target=add_all)
    thread.start()
    number = 0
    while True:
        was_over = is_over.is_set()
        frames = heard.take()
        begin = 0
        for at, size in zip(frames.at, frames.sizes, strict=True):
            assert (at, size) == (number, 1 + number % 7)
            assert frames.audio[begin : begin + size] == bytes([number % 251]) * size
            begin, number = begin + size, number + 1
        assert begin == len(frames.audio)
        if was_over:
            break
    thread.join()
    assert number == 50_000
