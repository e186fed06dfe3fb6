"""The options of faults."""

import argparse
from pathlib import Path

import pytest

from gateway.cli.calling.fault_options import add_faults_and_seed, seed


def test_a_file_and_a_seed() -> None:
    """The help says what breaks."""
    parser = argparse.ArgumentParser()
    add_faults_and_seed(parser, "what breaks here")
    options = parser.parse_args(["--faults", "a.yaml", "--seed", "7"])
    assert (options.faults, options.seed) == (Path("a.yaml"), 7)
    assert "what breaks here" in parser.format_help()


@pytest.mark.parametrize("text", ["-1", "x", "", "1.5", "\u0663"])
def test_a_seed_is_a_whole_number(text: str) -> None:
    """From 0, in ASCII."""
    with pytest.raises(argparse.ArgumentTypeError, match="expected a whole number from 0"):
        seed(text)
