"""docs/commands.md is true: every command, option, choice and exit code, and every key of a call's folder."""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.starting.commands import command_line
from gateway.cli.starting.exits import FAILED, INTERRUPTED, WRONG_INPUT
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.prompts import caller_prompts
from gateway.sim.report.folder import FILES, write_folder
from tests.documents import ROOT
from tests.sim.conftest import call, notes  # noqa: F401 -- fixtures

TEXT = (ROOT / "docs" / "commands.md").read_text("utf-8")
(COMMANDS,) = (
    dict(action.choices)
    for action in command_line(loaded=True)._actions
    if isinstance(action, argparse._SubParsersAction)
)


def section(heading: str) -> str:
    """Return the text under a heading, up to the next heading of its rank."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def first_column(text: str) -> list[str]:
    """Return the first cell of each table row."""
    return [row for row in re.findall(r"^\| (.+?) \|", text, re.MULTILINE) if not row.startswith(("option", "arg"))]


def arguments(command: str) -> list[argparse.Action]:
    """Return the arguments of a parser and of its own commands, without ``--help``."""
    return list(arguments_of(COMMANDS[command]))


def arguments_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser, and after its commands those of each."""
    for action in parser._actions:
        if not isinstance(action, argparse._HelpAction):
            yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from arguments_of(inner)


def test_every_command_has_a_section_and_there_is_no_other() -> None:
    """In the order of the page."""
    assert set(re.findall(r"^## gateway (\w+)$", TEXT, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_told_and_there_is_no_other(command: str) -> None:
    """Spelt as the command line takes it, with a name for its value where it has one."""
    rows = first_column(section(f"gateway {command}"))
    told = re.findall(r"--[a-z-]+", " ".join(rows))
    options = [action for action in arguments(command) if action.option_strings]
    assert set(told) == {name for action in options for name in action.option_strings}
    for action in options:
        (name,) = action.option_strings
        stands_alone = any(f"`{name}`" in row for row in rows)
        assert stands_alone == (action.nargs == 0), name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_and_choice_is_told(command: str) -> None:
    """Arguments by their name or their values; the values of options where they are."""
    text = section(f"gateway {command}")
    text += "".join(section(other) for other in re.findall(r"as for \[`(gateway \w+)`\]", text))
    for action in arguments(command):
        if action.choices:
            assert all(re.search(rf"`(--[a-z]+ )?{choice}`", text) for choice in action.choices), action.dest
        elif not action.option_strings:
            name = str(action.metavar or action.dest).upper()
            assert any(f"`{name}" in row for row in first_column(text)), name


def test_the_recordings_that_come_along_are_named() -> None:
    """Those that ``gateway call`` takes by name."""
    assert all(f"`{prompt.path.stem}`" in section("gateway call") for prompt in caller_prompts())


def test_the_exit_codes_are_those_of_the_code() -> None:
    """The page lists these exit codes and no others."""
    assert [int(row) for row in first_column(section("Exit codes")) if row.isdigit()] == [
        0,
        FAILED,
        WRONG_INPUT,
        INTERRUPTED,
    ]


def test_the_files_of_a_folder_are_told(
    tmp_path: Path,
    call: CallResult,  # noqa: F811 -- the fixture
    notes: list[TimelineEvent],  # noqa: F811 -- the fixture
) -> None:
    """Each file, and each key of ``call.json``; the page names none that is not there."""
    files, keys = section("A call's folder").split("`call.json`:\n")
    assert {row.strip("`") for row in first_column(files)} - {"file", "---"} == set(FILES)
    texts = dict.fromkeys(("line", "generation", "answered_by", "model", "voice"), "x")
    header = {**texts, "complaints": [], "faults": {}}
    out = write_folder(tmp_path, call, notes=notes, header=header, began_at=call.started_at)
    summary = json.loads((out / "call.json").read_text("utf-8"))
    assert set(re.findall(r"`(\w+)`", " ".join(first_column(keys)))) == set(summary)
    for name in (*summary["turns"][0].keys() - {"item_id"}, *summary["ended"], *summary["answers"][0]):
        assert f"`{name}`" in keys, name
