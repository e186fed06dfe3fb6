"""The optional wheel whose pure modules are compiled. ``make compiled`` builds it and runs the tests of calls on it."""

import ast
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pathspec
import pytest

from bench.compiled import ROOT, SWITCH, build
from bench.websocket import PeerError

HATCH = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]
HOOK = HATCH["build"]["targets"]["wheel"]["hooks"]["mypyc"]
LISTED, LEFT_OUT = HOOK["include"], HOOK["exclude"]
NOT_COMPILED = ("Struct", "Enum", "IntEnum", "StrEnum", "NamedTuple")


def modules() -> list[Path]:
    """The modules that are compiled."""
    listed, left_out = (pathspec.PathSpec.from_lines("gitignore", one) for one in (LISTED, LEFT_OUT))
    names = [path.relative_to(ROOT).as_posix() for path in (ROOT / "gateway").rglob("*.py")]
    return [ROOT / name for name in names if listed.match_file(name) and not left_out.match_file(name)]


def test_what_is_listed_is_there() -> None:
    """A module that has moved would be left out of the wheel without a word."""
    names = [path.relative_to(ROOT).as_posix() for path in (ROOT / "gateway").rglob("*.py")]
    for pattern in (*LISTED, *LEFT_OUT):
        assert any(pathspec.PathSpec.from_lines("gitignore", [pattern]).match_file(name) for name in names), pattern


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_nothing_in_a_module_keeps_it_from_being_compiled(path: Path) -> None:
    """No class with a metaclass of a library, and no table of a class's own methods inside it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef):
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            assert not bases & set(NOT_COMPILED), f"{node.name}: list the module under exclude in pyproject.toml"
            methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            for part in node.body:
                named = {name.id for name in ast.walk(part) if isinstance(name, ast.Name)}
                is_table = isinstance(part, ast.Assign | ast.AnnAssign) and named & methods
                assert not is_table, f"{node.name}: make its table in a class method, as Reactions.table does"


def test_a_build_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the end of its output; the hook is asked for, and the tree itself is not built in."""
    asked: list[tuple[list[str], dict[str, str]]] = []

    def fail(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        asked.append((command, options["env"]))
        assert (Path(command[-1]) / "gateway" / "call" / "conversation.py").is_file()
        return subprocess.CompletedProcess(command, 1, "gcc is not there")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(PeerError, match="gcc is not there"):
        build(tmp_path)
    assert asked[0][1][SWITCH] == "1"
    assert not Path(asked[0][0][-1]).is_relative_to(ROOT)
