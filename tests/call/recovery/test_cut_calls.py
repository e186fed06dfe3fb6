"""Sessions that are cut at random moments: nobody loses the call, and nobody hears or is asked anything twice.

``RECOVERY_CUTS=500`` tries so many; a seed that fails is told, and ``python -m tests.call.recovery.cut_call SEED``
shows its call.
"""

import math
import os
from collections import Counter

import pytest

from tests.call.recovery.cut_call import CutCall
from tests.call.recovery.cut_service import FAREWELL, GREETING, RESULT

CUTS = int(os.environ.get("RECOVERY_CUTS", "200"))
MOMENTS = {"greeting", "caller speaking", "generating", "playing", "tool running", "leaving", "transferring"}


def run(seed: int) -> CutCall:
    """The call of a seed, run to its end."""
    call = CutCall(seed)
    call.run()
    return call


def broken(call: CutCall) -> list[str]:
    """What did not hold in a call."""
    found = []
    if call.end is None or call.end.reason.value not in ("bot_hung_up", "transferred"):
        found.append(f"it ended by {call.end}")
    heard = Counter(call.heard())
    found += [f"{text!r} was heard {heard[text]} times" for text in (GREETING, RESULT, FAREWELL) if heard[text] > 1]
    if call.functions != 1:
        found.append(f"the function ran {call.functions} times")
    if call.moment != "caller speaking" and call.longest_silence_s() > 0.3:
        found.append(f"nothing was heard for {call.longest_silence_s():.3f} s")
    resumed_by = (call.opened_at or 0.0) + 2.0
    if call.due_at_ready and (call.first_audio_at or math.inf) > resumed_by:
        found.append("the talk was not resumed within 2 s of the next session")
    used = call.sessions[call._used]
    missing = [item for item in call.known if item not in used.items]
    if call.opened_at is not None and missing:
        found.append(f"the next session was not told {missing}")
    return found


def test_no_cut_costs_the_call() -> None:
    """The call ends as it would have; what the caller hears, and when, what the next session knows, as promised."""
    calls = [run(seed) for seed in range(CUTS)]
    failed = {seed: (call.moment, found) for seed, call in enumerate(calls) if (found := broken(call))}
    assert failed == {}, f"{len(failed)} of {CUTS} calls"
    moments = Counter(call.moment for call in calls)
    if CUTS >= 200:
        assert set(moments) >= MOMENTS, moments


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_says_the_same_each_time(seed: int) -> None:
    """Each moment and each word of it."""
    one, other = run(seed), run(seed)
    assert one.log == other.log
    assert one.notes == other.notes
