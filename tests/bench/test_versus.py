"""The gateway beside another revision of it."""

import dataclasses
import shutil

import pytest

from bench import versus
from bench.websocket import PeerError
from tests.bench.test_beside_tools import WITHOUT


def test_turns_are_fair() -> None:
    """Each comes first as often, so that a machine that grows busier falls on both."""
    assert list(versus.order(4)) == [True, False, False, True, True, False, False, True]


def test_the_verdict_is_the_middle_ratio() -> None:
    """With the least and the most, and how many of our trials would have been noticed by a caller."""
    others = [dataclasses.replace(WITHOUT, cpu_percent=percent) for percent in (10.0, 20.0, 10.0)]
    ours = [dataclasses.replace(WITHOUT, cpu_percent=percent) for percent in (11.0, 18.0, 15.0)]
    ours[2] = dataclasses.replace(ours[2], frames_lost=1)
    assert versus.verdict("v1", others, ours) == (
        "CPU per call over that of v1: 1.100 (0.900 to 1.500 in 3 pairs); trials that went badly: 1"
    )
    assert versus.table(others, ours).splitlines()[-1].split(" | ")[3] == "1.500"


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
