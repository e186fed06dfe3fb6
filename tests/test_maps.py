"""The maps are true: docstrings of packages, the tree of exceptions, the words, and the page on architecture."""

import ast
import builtins
import re
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import gateway
import gateway.errors
from tests.documents import ROOT, blocks

HOUSE = ROOT / "gateway"
PACKAGES = sorted(init.parent for init in HOUSE.rglob("__init__.py"))
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
IMPORTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
CONTRACTS = {contract["name"]: contract for contract in IMPORTS["contracts"]}

_ROW = re.compile(r"(?P<indent> *)(?P<name>\S+(?: \S+){0,2}) {2,}(?P<meaning>\S.*)")


def rows(text: str) -> list[tuple[int, str, str]]:
    """The rows of two columns in a text: indentation, name, meaning."""
    found = [match for line in text.splitlines() if (match := _ROW.fullmatch(line))]
    return [(len(match["indent"]), match["name"], match["meaning"]) for match in found]


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, which blank lines separate."""
    return text.split("\n\n")


def docstring(module: Path) -> str:
    """The docstring of a module; it is not imported."""
    return ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""


def package_map(package: Path) -> list[str]:
    """The names in the map of a package, a sub-package with a slash behind it."""
    text = [part for part in paragraphs(docstring(package / "__init__.py")) if not part.startswith("Words")]
    return [name for part in text for _, name, _ in rows(part)]


def contents(package: Path) -> set[str]:
    """The modules and sub-packages of a package, as its map writes them."""
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    return modules | {f"{init.parent.name}/" for init in package.glob("*/__init__.py")}


BY_NAME = ("<name>", "<name>/")
"""Rows of a package whose modules, or whose packages, are found by their names: each says itself what it is."""


def without_a_row(package: Path, named: list[str]) -> set[str]:
    """The contents of a package that no row of its map names."""
    packages = {name for name in contents(package) if name.endswith("/")}
    modules = {name for name in contents(package) - packages if not name.startswith("_")}
    found = (modules if "<name>" in named else set()) | (packages if "<name>/" in named else set())
    assert all(docstring(package / (f"{name}__init__.py" if name in packages else f"{name}.py")) for name in found)
    return contents(package) - found - set(named)


def is_there(package: Path, name: str) -> bool:
    """Return ``True`` if a name of a map is a folder, a file or a module of the package."""
    if name in BY_NAME:
        return True
    path = package / name
    return path.is_dir() if name.endswith("/") else path.is_file() or path.with_name(f"{name}.py").is_file()


def of(package: Path) -> str:
    """The id of a package's tests."""
    return str(package.relative_to(ROOT))


@pytest.mark.parametrize("package", PACKAGES, ids=of)
def test_a_package_names_all_that_is_in_it(package: Path) -> None:
    """Each module and each sub-package once, with what it is for; folders and files may be named besides."""
    named = package_map(package)
    assert without_a_row(package, named) == set()
    assert [name for name in named if not is_there(package, name)] == []
    assert len(named) == len(set(named))


@pytest.mark.parametrize("package", PACKAGES, ids=of)
def test_a_package_names_no_module_that_is_not_there(package: Path) -> None:
    """Every ``gateway.…`` that its text names can be found."""
    for name in re.findall(r"``(gateway(?:\.(?!yaml)\w+)+)``", docstring(package / "__init__.py")):
        assert find_spec(name) is not None, name


def classes() -> Iterator[tuple[str, list[str]]]:
    """Each class of the project and the names of its bases."""
    for path in sorted(HOUSE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name, [ast.unparse(base).rpartition(".")[2] for base in node.bases]


def is_pythons(name: str) -> bool:
    """Return ``True`` if that is the name of an exception of Python."""
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, BaseException)


def exceptions() -> dict[str, str]:
    """The exceptions of the project, each with the base that makes it one."""
    bases = list(classes())
    found: dict[str, str] = {}
    while True:
        more = {
            name: base
            for name, parents in bases
            for base in parents
            if name not in found and (base in found or is_pythons(base))
        }
        if not more:
            return found
        found |= more


def test_every_exception_stands_in_the_tree() -> None:
    """Under its base, and once; a base of Python is named where it is more than Exception."""
    tree: dict[str, str] = {}
    above: list[str] = []
    for indent, name, _ in rows(docstring(HOUSE / "errors.py")):
        above[indent // 2 :] = [name]
        assert name not in tree
        tree[name] = above[-2] if len(above) > 1 else "Exception"
    assert {name: base for name, base in tree.items() if not is_pythons(name)} == exceptions()


def test_the_tree_says_where_an_exception_is_defined() -> None:
    """In parentheses, unless it is this module."""
    for _, name, meaning in rows(docstring(HOUSE / "errors.py")):
        where = re.search(r"\((\w+(?:\.\w+)*)\)$", meaning)
        module = HOUSE / f"{where[1].replace('.', '/')}.py" if where else HOUSE / "errors.py"
        assert is_pythons(name) or f"class {name}(" in module.read_text("utf-8"), name


def test_the_words_are_the_same_in_code_and_documents() -> None:
    """In the same order."""
    (words,) = (part for part in paragraphs(gateway.__doc__ or "") if part.startswith("Words"))
    in_code = [(name, meaning.replace("``", "`")) for _, name, meaning in rows(words)]
    table = section("The words")
    in_page = re.findall(r"^\| ([\w -]+?) \| (.+) \|$", table, re.MULTILINE)
    assert in_page[0] == ("word", "meaning")
    assert in_code == in_page[1:]


def section(heading: str) -> str:
    """Return the text of the page under a heading."""
    _, found, rest = PAGE.partition(f"\n## {heading}\n")
    assert found, heading
    return rest.partition("\n## ")[0]


def test_the_page_shows_every_package_and_module_at_the_top() -> None:
    """The tree: the folders of the project that it names are there, and of gateway/ none is left out."""
    shown: list[str] = []
    above: list[str] = []
    for indent, name, _ in rows(section("The tree")):
        above[indent // 2 :] = [name]
        shown.append("".join(above))
    assert [path for path in shown if not (ROOT / path).exists()] == []
    packages = {f"{package.relative_to(ROOT)}/" for package in PACKAGES if package.parent.name != "providers"}
    modules = {str(path.relative_to(ROOT)) for path in HOUSE.glob("*.py") if path.stem != "__init__"}
    assert (packages | modules) - set(shown) == set()
    assert len(shown) == len(set(shown))


def test_the_page_shows_the_layers_as_they_are_checked() -> None:
    """All of them, from the top down."""
    shown = [name for _, name, _ in rows(section("The layers"))]
    assert shown == [layer.replace("gateway.", "").replace(" |", ",") for layer in CONTRACTS["Layers"]["layers"]]


def test_every_module_and_package_at_the_top_has_a_layer() -> None:
    """As a whole, so that a new module of a package is bound as well."""
    layers = {name for layer in CONTRACTS["Layers"]["layers"] for name in layer.split(" | ")}
    assert layers == {f"gateway.{name.rstrip('/')}" for name in contents(HOUSE)}


def test_the_page_names_what_is_excepted_from_pure_packages() -> None:
    """Each package that is pure, and the modules of it that are not."""
    contract = CONTRACTS["What decides does no I/O"]
    excepted: dict[str, set[str]] = {source: set() for source in contract["source_modules"]}
    for importing in contract["ignore_imports"]:
        module = importing.partition(" ")[0]
        package, _, name = module.rpartition(".")
        excepted[package].add(name)
    shown = re.findall(r"^\| `(gateway[\w.]+)` \|(.*)\|$", section("The layers"), re.MULTILINE)
    assert {package: set(re.findall(r"`(\w+)`", modules)) for package, modules in shown} == excepted


def test_the_page_names_every_contract() -> None:
    """By its name in pyproject.toml."""
    assert set(re.findall(r"^- \*\*(.+?)\.\*\*", section("The layers"), re.MULTILINE)) == set(CONTRACTS)


def test_the_page_names_no_file_that_is_not_there() -> None:
    """Paths, from the project or from gateway/; the parts of the conversation by their modules."""
    for path in re.findall(r"`([\w/]+/\w+\.py|gateway/[\w/]+)`", PAGE):
        assert (ROOT / path).exists() or (HOUSE / path).exists(), path
    parts = PAGE.partition("one of its parts")[2].partition("Therefore")[0]
    named = re.findall(r"`(\w+)`", parts)
    assert len(named) > 10
    modules = {path.stem for path in (HOUSE / "call").rglob("*.py")}
    assert [name for name in named if name not in modules] == []


def test_the_page_names_no_class_that_is_not_there() -> None:
    """In code, a name with a capital is a class of the project, or of a library."""
    code = "\n".join(path.read_text("utf-8") for path in [*HOUSE.rglob("*.py"), *(ROOT / "tests").glob("*.py")])
    python = [block.text for block in blocks(ROOT / "docs" / "architecture.md") if block.language == "python"]
    spans = [re.sub(r"#.*|\".*?\"", "", span) for span in [*re.findall(r"`([^`\n]+)`", PAGE), *python]]
    named = {name for span in spans for name in re.findall(r"(?<!-)\b(?:[A-Z][a-z]+)+\b(?!-)", span)}
    assert len(named) > 10
    foreign = {"DefaultAzureCredential", "False", "RequestSession", "WebSocketResponse"}
    assert {name for name in named if not re.search(rf"^\s*class {name}\b", code, re.MULTILINE)} <= foreign
