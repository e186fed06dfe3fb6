"""The gateway beside another revision of it."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from bench import versus
from bench.result import Result
from bench.target import Kept, Program
from bench.websocket import PeerError
from tests.bench.test_beside_tools import WITHOUT


def test_turns_are_fair() -> None:
    """Each comes first as often, so that a machine that grows busier falls on all."""
    assert [names[0] for names in versus.order(versus.NAMES, 4)] == ["other", "this", "relay", "other"]
    assert all(sorted(names) == sorted(versus.NAMES) for names in versus.order(versus.NAMES, 4))


def test_the_verdict_is_the_middle_ratio() -> None:
    """With the least and the most, and how many of our trials would have been noticed by a caller."""

    def cost(percent: float) -> Result:
        return dataclasses.replace(WITHOUT, cpu_percent=percent)

    rounds = [
        {"other": cost(other), "this": cost(this), "relay": cost(5.0)}
        for other, this in ((10.0, 11.0), (20.0, 18.0), (10.0, 15.0))
    ]
    rounds[2]["this"] = dataclasses.replace(rounds[2]["this"], frames_lost=1)
    said = versus.verdict("v1", Program(), rounds)
    assert said.splitlines() == [
        "CPU per call over that of v1: 1.100 (0.900 to 1.500) in 3 rounds",
        "CPU per call over that of the lean relay: 3.000 (2.200 to 3.600) in 3 rounds",
        "larger p99 over that of v1: 1.000 (1.000 to 1.000); trials of this one that went badly: 1",
    ]
    assert versus.verdict("v1", Program(kept=Kept.NOTHING), rounds).endswith(
        "v1 keeps no records: this one kept none either"
    )
    assert versus.table(rounds).splitlines()[2].split(" | ")[1:4] == ["other", f"{10 / WITHOUT.calls:.3f}", "1.100"]


def test_records_are_kept_by_both_or_by_neither(tmp_path: Path) -> None:
    """An older revision has no key for them; beside it, this one is asked for none."""
    old, new = tmp_path / "old", tmp_path / "new"
    (new / "gateway" / "config" / "records").mkdir(parents=True)
    assert versus.programs(new)["this"].kept is None
    assert versus.programs(old)["this"].kept is Kept.NOTHING
    assert versus.programs(old)["other"].kept is None
    assert "relay" not in versus.programs(old, with_relay=False)
    gathering = versus.programs(new, gather_ms=0.0)
    assert (gathering["this"].gather_ms, gathering["other"].gather_ms) == (0.0, None)


@pytest.mark.skipif(not (versus.ROOT / ".git").exists() or not shutil.which("git"), reason="no git repository here")
def test_a_revision_is_a_folder_of_its_own() -> None:
    """Its own gateway is what runs there; a revision that is not known is told."""
    with versus.tree_of("HEAD") as tree:
        assert (tree / "gateway" / "__main__.py").is_file()
    assert not tree.exists()
    with (
        pytest.raises(PeerError, match="--vs no-such-revision: "),
        versus.tree_of("no-such-revision"),
    ):
        pass
