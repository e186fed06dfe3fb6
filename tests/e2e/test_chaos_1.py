"""A thousand calls on which everything breaks: the first quarter of them. See ``tests/e2e/chaos.py``."""

from collections import Counter
from pathlib import Path

import pytest

from gateway.phone.providers import PROVIDERS
from gateway.sim.faults.plan import PHONE_KINDS, SERVICE_KINDS, kind_of
from tests.e2e.chaos import Chaos, make_calls


@pytest.mark.parametrize("first", range(0, 250, 125))
def test_every_call_ends_as_it_should(tmp_path: Path, first: int) -> None:
    """By the right reason, in time, and with nothing left: no task, socket, timer, session or place."""
    make_calls(tmp_path, range(first, first + 125))


def test_every_kind_of_fault_is_among_them_at_every_provider() -> None:
    """Twenty times and more, alone and beside others."""
    drawn = [Chaos(seed) for seed in range(1000)]
    kinds = Counter((side, one["kind"]) for chaos in drawn for side, faults in chaos.plan.items() for one in faults)
    assert set(kinds) == {
        *(("service", kind_of(kind)) for kind in SERVICE_KINDS),
        *(("phone", kind_of(kind)) for kind in PHONE_KINDS),
    }
    assert min(kinds.values()) >= 20
    assert min(Counter(chaos.provider for chaos in drawn).values()) >= 20
    assert len(Counter(chaos.provider for chaos in drawn)) == len(PROVIDERS)
