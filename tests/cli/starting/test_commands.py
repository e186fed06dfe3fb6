"""A command loads its own modules, and none before it is chosen."""

import gc
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.cli.starting.commands import COMMANDS, command_line

HEAVY = frozenset(
    {
        "aiohttp",
        "alembic",
        "authlib",
        "azure",
        "cryptography",
        "fsspec",
        "jinja2",
        "jsonschema",
        "numpy",
        "opentelemetry",
        "phonenumbers",
        "prometheus_client",
        "pydantic",
        "rich",
        "ruamel",
        "shtab",
        "soundfile",
        "sqlalchemy",
        "structlog",
        "uvloop",
        "watchfiles",
    }
)
"""Packages that take time to load."""


def loaded_by(*words: str, cwd: Path) -> set[str]:
    """Return the packages, and the modules of the gateway, that are loaded once a command has run."""
    program = (
        "import sys\n"
        "from gateway.cli import main\n"
        "try:\n"
        f"    main({words!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('loaded:', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, check=True)  # noqa: S603 -- our own words
    names = done.stdout.rpartition("loaded:")[2].split()
    return {name if name.startswith("gateway.") else name.partition(".")[0] for name in names}


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_what_needs_no_command_loads_none(tmp_path: Path, words: Sequence[str]) -> None:
    """Neither a package that takes time, nor a command."""
    loaded = loaded_by(*words, cwd=tmp_path)
    assert loaded & HEAVY == set()
    assert loaded & {f"gateway.cli.{source.partition(':')[0]}" for _, source, _ in COMMANDS} == set()


OF_CALLS = {"alembic", "azure", "jinja2", "prometheus_client", "sqlalchemy", "uvloop", "watchfiles"} | {
    f"gateway.{name}" for name in ("app", "call", "doctor", "records", "sim", "voice")
}


@pytest.mark.parametrize("words", [["check"], ["schema", "line"], ["init", "new"], ["providers"]])
def test_what_serves_no_call_loads_no_server(tmp_path: Path, words: Sequence[str]) -> None:
    """Neither Voice Live's library nor the database's, nor the gateway that serves."""
    loaded = loaded_by(*words, cwd=tmp_path)
    assert {"pydantic", "gateway.config"} <= loaded  # what is looked for has another name where this fails
    assert (
        loaded & (OF_CALLS | {"gateway.app", "gateway.call", "gateway.records", "gateway.sim", "gateway.voice"})
        == set()
    )


def test_every_command_can_be_loaded() -> None:
    """From where the table says that it is; then it knows what runs it, itself or by its own commands."""
    parser = command_line(loaded=True)
    helped = parser.format_help()
    assert all(name in helped for name, _, _ in COMMANDS)


def test_the_collector_goes_on_once_a_command_is_loaded() -> None:
    """It pauses meanwhile, and stays off where it was."""
    assert gc.isenabled()
    command_line(loaded=True)
    assert gc.isenabled()
    gc.disable()
    try:
        command_line(loaded=True)
        assert not gc.isenabled()
    finally:
        gc.enable()
