"""The commands of ``gateway``, each of which is loaded once it is chosen.

Loading the server takes most of a second: ``--version``, ``--help`` and a command that needs no server do not wait for
it.
"""

import argparse
import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

DISTRIBUTION = "voice-line-gateway"
COMMANDS = (
    ("demo", "call:add_demo", "one simulated call, with no account, no network and no configuration"),
    ("init", "init:add_init", "write a configuration that works; overwrites nothing"),
    ("serve", "serve:add_serve", "run the gateway"),
    ("call", "call:add_call", "a simulated call from recordings of your own"),
    ("check", "check:add_check", "read the configuration; say what is wrong, or what each line will do"),
    (
        "doctor",
        "doctor:add_doctor",
        "try what a call needs, with the objects of a call, and say what to mend; costs no audio",
    ),
    ("emulator", "calling.emulator_command:add_emulator", "run the Voice Live emulator alone, for anyone's client"),
    ("schema", "check:add_schema", "print the JSON Schema of a line file and of gateway.yaml, for editors"),
    (
        "providers",
        "providers:add_providers",
        "print what each phone provider can do, as a table; as Markdown where it is piped",
    ),
    ("point", "point:add_point", "set a number's webhook to this gateway through its provider's API"),
    ("tape", "tape:add_tape", "check that a tape can be passed on, and say what it shows"),
    ("console", "console.command:add_console", "serve the console's pages beside gateways that run"),
    ("try", "console.trying:add_try", "talk to a line in the browser"),
    ("calls", "records.calls:add_calls", "list, show and export the calls that were, and what they have cost"),
    ("explain", "records.explain:add_explain", "say why a call went as it did: silences, interruptions, findings"),
    ("records", "records.keeping:add_records", "keep the records of calls, and deliver their events again"),
    ("completion", "completion:add_completion", "print the completion script of a shell"),
)
"""Each with the module below ``gateway.cli`` and its function that adds the arguments, and with its help."""


class Command(argparse.ArgumentParser):
    """The parser of a command, which gets its arguments from its ``source`` before it parses the first time."""

    def __init__(self, *words: Any, source: str = "", **settings: Any) -> None:
        super().__init__(*words, **settings)
        self._source = source

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse as any parser does."""
        self.load()
        return super().parse_known_args(args, namespace)

    def load(self) -> None:
        """Get the arguments, unless that is done."""
        source, self._source = self._source, ""
        if not source:
            return
        module, _, function = source.partition(":")
        with loading():
            add = getattr(import_module(f"gateway.cli.{module}"), function)
        add(self)


def command_line(*, loaded: bool = False) -> argparse.ArgumentParser:
    """Return the parser of the command line; all of its commands are ``loaded``, or each one once it is chosen."""
    parser, commands = _parser()
    for command in commands if loaded else ():
        command.load()
    return parser


@contextmanager
def loading() -> Iterator[None]:
    """Pause the garbage collector: nothing of what is loaded is garbage, and looking for some takes a tenth longer."""
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_collecting:
            gc.enable()


def _parser() -> tuple[argparse.ArgumentParser, list[Command]]:
    parser = argparse.ArgumentParser(
        prog="gateway", description="Answers phone calls with Azure Voice Live, one YAML file per phone line."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Command)
    return parser, [commands.add_parser(name, help=text, source=source) for name, source, text in COMMANDS]


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from its source
        return "(not installed)"
