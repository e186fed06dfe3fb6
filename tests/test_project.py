"""The project's statements about itself are true: links, commands, names, pins."""

import argparse
import asyncio
import importlib.metadata
import os
import pty
import re
import subprocess
import tomllib
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gateway.call.ending import ENDED_BY
from gateway.call.metrics import Metrics
from gateway.call.notes import Note
from gateway.call.refusal import Refusal
from gateway.cli.starting.commands import command_line
from gateway.config.providers import Providers, environment_names, variables_of
from gateway.config.reading import environment
from gateway.config.records.prices import Prices
from gateway.fleet.board import Board
from gateway.logs.setup import GAP
from gateway.records.costing import Costing
from gateway.records.delivery.metrics import DeliveryMetrics
from gateway.records.pricing import Pricing
from gateway.records.recording.metrics import RecordingMetrics
from gateway.records.store.metrics import RecordMetrics
from gateway.records.storing.metrics import StoringMetrics
from gateway.routes.worker_processes import WorkerDeaths
from gateway.tracing.delivery import Losses
from gateway.voice.endpoints.metrics import EndpointMetrics
from tests.conftest import FOLDER, LONGEST
from tests.documents import PAGES, ROOT, blocks, commands, prose
from tests.new_provider import options_parser

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONSTRAINTS = ROOT / "constraints.txt"
OPERATING = (ROOT / "docs" / "operating.md").read_text("utf-8")
PYTHONS = ("3.11", "3.12", "3.13")
MADE_HERE = {"__pycache__", "build", "calls", "data", "dist", "results"}
"""Directories that tools and calls leave behind; whatever begins with a dot is theirs too, but for these."""
OURS = {".ci", ".dockerignore", ".env.example", ".gitignore"}


def files(directory: Path = ROOT) -> Iterator[Path]:
    """Every text file of the project."""
    for path in sorted(directory.iterdir()):
        if path.name in MADE_HERE or (path.name.startswith(".") and path.name not in OURS):
            continue
        if path.is_dir():
            if not (path / "pyvenv.cfg").exists():
                yield from files(path)
        elif path.suffix not in {".png", ".wav", ".ulaw", ".alaw"} and path != Path(__file__):
            yield path


def pins(python: str) -> dict[str, str]:
    """Return the pins of constraints.txt for that Python."""
    found: dict[str, str] = {}
    for line in CONSTRAINTS.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} is pinned twice on {python}"
            found[name] = str(requirement.specifier)
    return found


def wanted(requirement: str, python: str, extras: tuple[str, ...] = ("",)) -> str | None:
    """The name that a requirement asks for on that Python, if it does."""
    parsed = Requirement(requirement)
    asks = parsed.marker is None or any(
        parsed.marker.evaluate({"python_version": python, "extra": extra}) for extra in extras
    )
    return canonicalize_name(parsed.name) if asks else None


@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_pinned_once(python: str) -> None:
    """On each Python that we support: runtime, extras, build, and whatever of them is installed here asks for."""
    pinned = pins(python)
    assert all(re.fullmatch(r"==[\w.]+", version) for version in pinned.values())
    project = PROJECT["project"]
    asked = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    asked += [one for extra in project["optional-dependencies"].values() for one in extra]
    todo = {name for one in asked if (name := wanted(one, python))} - {project["name"]}  # an extra may name others
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        seen.add(name)
        assert name in pinned, f"{name} is not in constraints.txt"
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        todo |= {other for one in requires if (other := wanted(one, python))} - seen


def test_packages_are_kept_from_io_whole() -> None:
    """A module of theirs that waits or looks at a clock is named, and the list may only shrink."""
    contracts = {one["name"]: one for one in PROJECT["tool"]["importlinter"]["contracts"]}
    pure = contracts["What decides does no I/O"]
    whole = {"audio", "call", "config", "phone", "tools", "voice"}
    assert {f"gateway.{package}" for package in whole} <= set(pure["source_modules"])
    assert len(pure["ignore_imports"]) <= 21


def test_pins_are_names_and_versions_alone() -> None:
    """No address, no path, no option: whoever installs decides from where."""
    for line in CONSTRAINTS.read_text("utf-8").splitlines():
        assert re.fullmatch(r'#.*|[\w.-]+==[\w.]+(; python_version (<|>=) "3\.\d+")?', line), line


def test_nothing_points_at_one_machine_or_registry() -> None:
    """No path of somebody's disk and no package index in any file."""
    private = re.compile(
        r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+|opt/pypi)/|pypi\.org|pythonhosted|(?:index|extra-index)-url|find-links"
        r"|trusted-host"
    )
    for path in files():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            assert not private.search(line), f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


async def test_a_python_that_will_not_do_is_told_in_one_line(tmp_path: Path) -> None:
    """``make`` says which one, and what to type; it leaves nothing behind."""
    by_itself = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    make = await asyncio.create_subprocess_exec(
        *("make", "demo", f"VENV={tmp_path / 'venv'}", "PYTHON=python-of-old"),
        cwd=ROOT,
        env=by_itself,
        stdout=PIPE,
        stderr=PIPE,
    )
    out, err = await make.communicate()
    told = "Python 3.11 or newer is needed, and python-of-old is not: make demo PYTHON=/path/to/python3.12"
    assert make.returncode == 2
    assert out == b""
    assert err.decode().splitlines()[0] == told
    assert is_empty(tmp_path)


@pytest.mark.parametrize("on_a_terminal", [True, False])
def test_a_set_up_shows_its_progress_on_a_terminal(tmp_path: Path, on_a_terminal: bool) -> None:
    """Packages take minutes on a slow line; in a log their installation is silent."""
    read, write = pty.openpty() if on_a_terminal else os.pipe()
    by_itself = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    words = ["make", "--dry-run", "demo", f"VENV={tmp_path / 'venv'}"]
    subprocess.run(words, cwd=ROOT, env=by_itself, stdout=write, check=True, timeout=60)  # noqa: S603 -- our own words
    os.close(write)
    shown = b""
    with suppress(OSError):  # how a terminal ends
        while piece := os.read(read, 65536):
            shown += piece
    os.close(read)
    assert b"pip" in shown
    assert (b"--quiet" in shown) is not on_a_terminal


def is_empty(directory: Path) -> bool:
    """Return ``True`` if it holds nothing."""
    return not any(directory.iterdir())


def anchors(page: Path) -> set[str]:
    """The anchors that a renderer gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Inside the project to a file, and to a heading of it; outside only by https."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target:
            assert target.startswith("https://"), target
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.is_relative_to(ROOT), target
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def options_of_ours() -> set[str]:
    """Every option of every command, and of the tools that the documents name."""
    helped = "".join(parser.format_help() for parser in (*every_parser(command_line(loaded=True)), options_parser()))
    programs = "".join(
        (ROOT / path).read_text("utf-8") for path in ("bench/__main__.py", "bench/soak.py", "tests/mutants/tool.py")
    )
    return {*re.findall(r"--[a-z-]+", helped), *re.findall(r'"(--[a-z-]+)"', programs), "--profile"}


def every_parser(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser, and those of its commands and of their own commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from every_parser(inner)


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """The parsers of ``gateway``'s commands."""
    (choices,) = (
        action.choices
        for action in command_line(loaded=True)._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return dict(choices)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    """Commands in blocks are taken by our command line; those in the text name what there is."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for block in blocks(page):
        if block.language not in {"", "sh"} or block.text.startswith("   "):
            continue
        for line in block.text.splitlines():
            if line.startswith(("gateway ", "make ")):
                check_command(next(commands(type(block)("sh", "", line))), targets)
    for span in re.findall(r"`([^`\n]+)`", prose(page)):
        if span.startswith(("gateway ", "make ")) and "=" not in span:
            words = span.split()
            assert words[1] in (subcommands() if words[0] == "gateway" else targets), span
        if option := re.match(r"--[a-z-]+", span):
            assert option[0] in options_of_ours(), span


def check_command(words: list[str], targets: set[str]) -> None:
    """A whole command of a block."""
    if words[0] == "gateway":
        command_line(loaded=True).parse_args(words[1:])
    else:
        assert words[1] in targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_variables_exist(page: Path) -> None:
    """Every environment variable that a page names is one that the gateway or a library of it reads."""
    known = {
        *(name for names in vars(environment).values() if isinstance(names, tuple) for name in names),
        *(name for names in environment_names().values() for name in names),
        *("AZURE_TOKEN_CREDENTIALS", "AZURE_AUTHORITY_HOST"),
    }
    known |= {name + environment.OLD for name in known} | set(variables_of("twilio-eu", "twilio").values())
    owners = "|".join(["AZURE", "VOICE_LIVE", "GATEWAY", *(name.upper() for name in Providers.model_fields)])
    named = re.findall(rf"\b(?:{owners})_[A-Z_]+\b", page.read_text("utf-8"))
    assert known.issuperset(named)


def test_the_operator_is_told_every_metric() -> None:
    """The table of metrics has all of them, and no other."""
    registry = Metrics().registry
    EndpointMetrics(registry, ["west"])
    DeliveryMetrics(registry)
    StoringMetrics(registry)
    Losses(registry)
    RecordMetrics(registry)
    Costing(Pricing([Prices()]), registry)
    RecordingMetrics(registry)
    collected = [*registry.collect(), *WorkerDeaths(Board(1)).collect()]
    families = [family for family in collected if family.name.startswith("gateway_")]
    told = set(re.findall(r"^\| `(gateway_\w+)` \|", OPERATING, re.MULTILINE))
    assert told == {family.name + ("_total" if family.type == "counter" else "") for family in families}


def test_the_operator_is_told_every_end_and_refusal() -> None:
    """The tables of reasons have all of them; ends with who ended the call."""
    ends = re.findall(r"^\| `(\w+)` \| (\w+) \|", section("Why calls end"), re.MULTILINE)
    assert dict(ends) == {reason.value: by for reason, by in ENDED_BY.items()}
    told = re.findall(r"`(\w+)`", "".join(first_column(section("Why streams are turned away"))))
    assert set(told) == set(Refusal)


def test_the_operator_is_told_every_log_event() -> None:
    """Whatever the gateway itself logs, and each note of a call, has its place in the table of events."""
    code = "".join(path.read_text("utf-8") for path in files(ROOT / "gateway") if "sim" not in path.parts)
    logged = {*(kind.event for kind in Note.__subclasses__()), *re.findall(r'\blog\.\w+\(\s*"(\w+)"', code), GAP}
    told = set(re.findall(r"`(\w+)`", "".join(first_column(section("Logs")))))
    assert logged - told == {"emulator"}
    assert told <= logged


def section(heading: str) -> str:
    """The text under a heading of the operator's page, up to the next one."""
    _, _, rest = OPERATING.partition(f"# {heading}\n")
    return re.split(r"^#+ ", rest, flags=re.MULTILINE)[0]


def first_column(text: str) -> list[str]:
    """The first column of the tables in a text, without their heads."""
    return [row.split("|")[1] for row in re.findall(r"^\|.*$", text, re.MULTILINE) if row.startswith("| `")]


def test_the_longest_files_are_there() -> None:
    """A file that was moved would be begun late, and keep a process waiting."""
    assert [name for name in LONGEST if not (FOLDER / f"{name}.py").exists()] == []
