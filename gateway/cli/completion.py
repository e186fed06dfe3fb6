"""``gateway completion``: prints the script with which a shell completes the commands and options."""

import argparse

import shtab

from gateway.cli.starting.commands import command_line

SHELLS = ("bash", "zsh", "fish")
EXAMPLE = """\
  bash:  gateway completion bash > ~/.local/share/bash-completion/completions/gateway
  zsh:   gateway completion zsh > ~/.zfunc/_gateway     (a directory of your fpath)
  fish:  gateway completion fish > ~/.config/fish/completions/gateway.fish
"""


def add_completion(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway completion``."""
    parser.description = "Print the completion script of a shell, to be stored where the shell looks for it:"
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=_complete)


def _complete(options: argparse.Namespace) -> int:
    print(shtab.complete(command_line(loaded=True), options.shell))
    return 0


def completes_files(action: argparse.Action) -> None:
    """Let the shell complete the names of files for this argument."""
    action.complete = shtab.FILE  # type: ignore[attr-defined]  # the attribute that shtab looks for


def completes_directories(action: argparse.Action) -> None:
    """Let the shell complete the names of directories for this argument."""
    action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # as above
