"""``gateway completion``: prints the script with which a shell completes the commands and options."""

import argparse
from collections.abc import Callable
from typing import Any

import shtab

SHELLS = ("bash", "zsh", "fish")
EXAMPLE = """\
  bash:  gateway completion bash > ~/.local/share/bash-completion/completions/gateway
  zsh:   gateway completion zsh > ~/.zfunc/_gateway     (a directory of your fpath)
  fish:  gateway completion fish > ~/.config/fish/completions/gateway.fish
"""


def add_completion(commands: Any, parser_of_all: Callable[[], argparse.ArgumentParser]) -> None:
    """Add ``gateway completion`` to the commands; ``parser_of_all`` makes the parser whose commands are completed."""
    parser = commands.add_parser(
        "completion",
        help="print the completion script of a shell",
        description="Print the completion script of a shell, to be stored where the shell looks for it:",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS)

    def complete(options: argparse.Namespace) -> int:
        print(shtab.complete(parser_of_all(), options.shell))
        return 0

    parser.set_defaults(run=complete)


def completes_files(action: argparse.Action) -> None:
    """Let the shell complete the names of files for this argument."""
    action.complete = shtab.FILE  # type: ignore[attr-defined]  # the attribute that shtab looks for


def completes_directories(action: argparse.Action) -> None:
    """Let the shell complete the names of directories for this argument."""
    action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # as above
