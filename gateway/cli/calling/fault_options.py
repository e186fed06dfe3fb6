"""The options of faults on demand, which load nothing: a command that meets no fault has them too."""

import argparse
from pathlib import Path

from gateway.cli.completion import completes_files


def add_faults_and_seed(parser: argparse.ArgumentParser, breaks: str) -> None:
    """Add ``--faults`` and ``--seed``; ``breaks`` says what ``--faults`` breaks."""
    completes_files(parser.add_argument("--faults", type=Path, metavar="FILE", help=breaks))
    parser.add_argument("--seed", type=seed, metavar="N", help="what --faults draws from (default: the file's, or new)")


def seed(text: str) -> int:
    """Return a seed. Raises ``ArgumentTypeError``."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed, expected a whole number from 0")
    return int(text)
