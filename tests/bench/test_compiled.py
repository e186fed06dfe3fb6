"""The optional wheel whose pure modules are compiled. ``make compiled`` builds it and runs the tests of calls on it."""

import ast
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pathspec
import pytest

from bench import COMPILED_LOAD, compiled
from bench.compiled import LOAD, ROOT, SWITCH, build, load, run_again_compiled
from bench.target import Program, running
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


def test_the_load_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled modules go before the sources, and other modules are left to them."""
    built: list[list[str]] = []

    def make(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        built.append(command)
        for name in LOAD:
            (options["cwd"] / "bench" / f"{name}.so").touch()
        (options["cwd"] / "build").mkdir()
        return subprocess.CompletedProcess(command, 0, "")

    monkeypatch.setattr(subprocess, "run", make)
    monkeypatch.setattr(compiled, "LOADS", tmp_path / "load")
    folder = load()
    assert load() == folder
    assert len(built) == 1
    assert set(built[0]) >= {f"bench/{name}.py" for name in LOAD}
    assert not list((folder / "bench").glob("*.py"))
    assert {path.stem for path in (folder / "bench").glob("*.so")} == set(LOAD)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_load_that_cannot_be_built_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves no folder that would be taken for one."""
    failed = subprocess.CompletedProcess[str]([], 1, "gcc is not there")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    monkeypatch.setattr(compiled, "LOADS", tmp_path)
    with pytest.raises(PeerError, match=r"the compiled load could not be built:\ngcc is not there"):
        load()
    assert not list(tmp_path.iterdir())


def test_a_bench_runs_again_with_its_load_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: the process that it becomes has the folder in its environment, which the program under test has not."""
    ran: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.delenv(COMPILED_LOAD, raising=False)
    monkeypatch.setattr(compiled, "load", lambda: Path("/load"))
    monkeypatch.setattr("os.execve", lambda _, command, environment: ran.append((command, environment)))
    run_again_compiled("bench", ["--vs", "HEAD"])
    (command, environment), *_ = ran
    assert command[1:] == ["-m", "bench", "--vs", "HEAD"]
    assert environment[COMPILED_LOAD] == "/load"
    monkeypatch.setenv(COMPILED_LOAD, "/load")
    run_again_compiled("bench", ["--vs", "HEAD"])
    assert len(ran) == 1


def test_the_program_under_test_is_not_run_with_the_compiled_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay shares modules with the load, and is measured as it is."""
    monkeypatch.setenv(COMPILED_LOAD, "/load")
    with running(Program("relay"), "http://127.0.0.1:1", b"", None) as target:
        names = Path(f"/proc/{target.pid}/environ").read_bytes().split(b"\0")
    assert not [name for name in names if name.startswith(COMPILED_LOAD.encode())]
