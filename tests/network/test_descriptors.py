"""The limit of open files."""

import os

import pytest

from gateway.network import descriptors


class Limits:
    """A system's limits, soft and hard."""

    RLIMIT_NOFILE = 7
    RLIM_INFINITY = -1

    def __init__(self, soft: int, hard: int) -> None:
        self.soft, self.hard = soft, hard
        self.is_strict = False

    def getrlimit(self, which: int) -> tuple[int, int]:
        """Both."""
        assert which == self.RLIMIT_NOFILE
        return self.soft, self.hard

    def setrlimit(self, which: int, limits: tuple[int, int]) -> None:
        """Set the soft one."""
        assert which == self.RLIMIT_NOFILE
        if self.is_strict:
            raise ValueError("not allowed")
        assert limits[1] == self.hard
        self.soft = limits[0]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """A system with 1,024 open files, and 4,096 for who asks."""
    made = Limits(1024, 4096)
    monkeypatch.setattr(descriptors, "resource", made)
    return made


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "becomes", "told"),
    [
        (1024, 4096, 2000, 2000, 2000),
        (1024, 4096, 500, 1024, 500),
        (1024, 4096, 5000, 4096, 4096),
        (1024, -1, 5000, 5000, 5000),
        (-1, -1, 5000, -1, 5000),
        (200, 200, 1464, 200, 200),
    ],
)
def test_the_soft_limit_is_raised_to_what_is_needed(
    limits: Limits, soft: int, hard: int, wanted: int, becomes: int, told: int
) -> None:
    """As far as the hard one lets, and never lowered; what it is then is told where it is too low."""
    limits.soft, limits.hard = soft, hard
    assert descriptors.raise_limit(wanted) == told
    assert limits.soft == becomes


def test_a_system_may_refuse(limits: Limits) -> None:
    """What it is then is told."""
    limits.is_strict = True
    assert descriptors.raise_limit(2000) == 1024


def test_what_is_left_is_for_connections_and_calls(limits: Limits) -> None:
    """Beside what is open and a reserve; always enough for one call, and unbounded where there is no limit."""
    here = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0  # noqa: PTH110, PTH208 -- only how many
    assert descriptors.left_for_connections() == pytest.approx(1024 - descriptors.RESERVE - here, abs=5)
    limits.soft = 10
    assert descriptors.left_for_connections() == 2
    limits.soft = -1
    assert descriptors.left_for_connections() is None


def test_a_system_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has none."""
    monkeypatch.setattr(descriptors, "resource", None)
    assert descriptors.raise_limit(2000) == 2000
    assert descriptors.left_for_connections() is None


def test_a_call_needs_two() -> None:
    """Its stream and its session; a connection one; and a reserve for the rest."""
    assert descriptors.needed(200, 1000) == 1400 + descriptors.RESERVE
    assert descriptors.needed(200, 1000, 100) == 1600 + descriptors.RESERVE
