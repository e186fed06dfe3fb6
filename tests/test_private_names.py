"""No private name of a library is used but those that stand here, each with what happens on the day that it is gone.

A private name may go with any release. Who needs a new one finds a public way beside it, or does without.
"""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from tests.documents import ROOT

SOCKETS = "tests/sockets/test_choice.py: where it is missing or differs, both legs take the public way"
SDK = "tests/connecting/test_choice.py: where it is missing or differs, the voice leg takes the public way"
BOUNDS = "tests/routes/refusing/test_connections.py: without it connections are not bounded, and the log says so"
FSSPEC = "fsspec and its stores document the names of their coroutines with an underscore; they come with an extra"
ALLOWED: dict[str, dict[str, str]] = {
    "gateway/connecting/by_manager.py": {
        "azure.ai.voicelive.aio._patch": SDK,
        "_get_auth_headers": SDK,
        "_prepare_url": SDK,
    },
    "gateway/network/framing.py": {"aiohttp._websocket.helpers": SOCKETS},
    "gateway/network/masked_frames.py": {"aiohttp._websocket.helpers": SOCKETS},
    "gateway/records/storing/kinds.py": dict.fromkeys(("_call_s3", "_put_file", "_s3", "_url"), FSSPEC),
    "gateway/routes/refusing/connections.py": {
        **dict.fromkeys(("_kwargs", "_loop", "_make_server", "_request_count", "_waiter"), BOUNDS),
        "_prepare_headers": "an answer to a broken request names aiohttp's version",
    },
    "gateway/sim/phone/connection.py": {"_response": "a simulated phone cannot stop to read"},
    "gateway/sockets/inbox.py": {"aiohttp._websocket.reader": SOCKETS},
    "gateway/sockets/websocket.py": {"aiohttp._websocket.reader": SOCKETS},
}

OF_NAMED_TUPLES = {"_replace", "_asdict", "_fields"}
"""Public in all but their spelling."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Each module of the gateway, and its source as a tree."""
    for path in sorted((ROOT / "gateway").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def is_private(name: str) -> bool:
    """Whether a name, or a part of a dotted one, begins with one underscore."""
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def is_foreign(module: str) -> bool:
    """Whether a module is a library's: neither ours nor of the standard library."""
    return module.partition(".")[0] not in {"gateway", "tests", "", *sys.stdlib_module_names}


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Modules of libraries, and the names that are imported from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and is_foreign(node.module or ""):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if is_foreign(alias.name))


def of_others(tree: ast.Module) -> set[str]:
    """Private attributes of something that is neither this object nor of this module."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    own |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_self(node.value)}
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and not _is_self(node.value)}
    return {name for name in found - own - OF_NAMED_TUPLES if is_private(name)}


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def inherited(file: str, tree: ast.Module) -> set[str]:
    """Private names of a library's class that a class of ours, which inherits from it, uses or replaces."""
    names = {name for _, name in imported(tree)} | {module.partition(".")[0] for module, _ in imported(tree)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(_root(base) in names for base in node.bases):
            module = importlib.import_module(file.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
            used = {at.attr for at in ast.walk(node) if isinstance(at, ast.Attribute)}
            used |= {at.name for at in node.body if isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef)}
            found |= {name for name in used if is_private(name)} & of_bases(module, node.name)
    return found


def _root(base: ast.expr) -> str:
    while isinstance(base, ast.Attribute | ast.Subscript):
        base = base.value
    return base.id if isinstance(base, ast.Name) else ""


def of_bases(module: ModuleType, name: str) -> set[str]:
    """The private names of the libraries' classes above a class: those of the class, and those that its methods set."""
    kind = getattr(module, name, None)
    names: set[str] = set()
    for base in kind.__mro__ if isinstance(kind, type) else ():
        if is_foreign(base.__module__):
            names |= {each for each in vars(base) if is_private(each)}
            try:
                names |= set(re.findall(r"\bself\.(_[a-z]\w*)", inspect.getsource(base)))
            except (OSError, TypeError):  # compiled: it has no attributes but those of the class
                continue
    return names


def found_in(file: str, tree: ast.Module) -> set[str]:
    """All private names of libraries that a module uses."""
    modules = {module for module, name in imported(tree) if is_private(module)}
    single = {f"{module}.{name}" for module, name in imported(tree) if not is_private(module) and is_private(name)}
    return modules | single | of_others(tree) | inherited(file, tree)


def test_every_private_name_of_a_library_has_a_way_without_it() -> None:
    """What is used is what stands in the list."""
    assert {file: found for file, tree in trees() if (found := found_in(file, tree))} == {
        file: set(names) for file, names in ALLOWED.items()
    }


def test_a_private_name_is_found(tmp_path: Path) -> None:
    """However it is reached: imported, of an object, or inherited."""
    tree = ast.parse(
        "from lib._inner import a\nimport lib._other\nfrom lib import _b\nimport asyncio\n"
        "def f(x):\n    x._c\n    self._d\n    asyncio._e\n"
    )
    assert found_in("none", tree) == {"lib._inner", "lib._other", "lib._b", "_c", "_e"}


def test_what_is_said_of_a_name_is_there() -> None:
    """The tests that the list names."""
    for reason in {reason for names in ALLOWED.values() for reason in names.values()}:
        path = reason.partition(":")[0]
        assert not path.endswith(".py") or (ROOT / path).exists(), reason
