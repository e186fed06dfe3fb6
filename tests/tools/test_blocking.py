"""Functions that keep the event loop are named."""

from structlog.testing import capture_logs

from gateway.tools.blocking import Blocking


async def slow() -> None:
    """A function of the operator's."""


async def other() -> None:
    """Another one."""


def test_a_function_is_named_from_the_second_time_on_and_once_a_minute() -> None:
    """With the file and the line where it stands; each on its own."""
    blocking = Blocking()
    with capture_logs() as logs:
        for now_s in (0.0, 1.0, 2.0, 60.9, 61.0):
            blocking.note("slow", slow, 0.2, now_s)
        blocking.note("slow", slow, 0.05, 200.0)
        blocking.note("other", other, 3.0, 200.0)
    line = slow.__code__.co_firstlineno
    assert [(log["event"], log["tool"], log["times"], log["line"]) for log in logs] == [
        ("function_blocks", "slow", 2, line),
        ("function_blocks", "slow", 5, line),
    ]
    assert logs[0]["file"] == __file__


def test_more_than_the_twentieth_part_of_a_second_is_a_block() -> None:
    """A phone hears it: fifty milliseconds are let be, one more is told."""
    for blocked_s, is_told in ((0.05, False), (0.051, True)):
        with capture_logs() as logs:
            blocking = Blocking()
            for now_s in (0.0, 1.0):
                blocking.note("slow", slow, blocked_s, now_s)
        assert bool(logs) is is_told


def test_what_has_no_code_is_named_all_the_same() -> None:
    """A built-in has no line."""
    blocking = Blocking()
    with capture_logs() as logs:
        for _ in range(2):
            blocking.note("print", print, 1.0, 0.0)
    assert [(log["file"], log["line"]) for log in logs] == [("", 0)]
