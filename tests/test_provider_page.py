"""The page for somebody who adds a provider tells names, arguments and defaults as the code has them."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import msgspec
import pytest

from tests.documents import ROOT, blocks

PAGE = ROOT / "docs" / "adding-a-provider.md"
ABSENT = inspect.Parameter.empty
LEFT_OUT = frozenset({"quirks", "once", "timeout_s"})
"""Arguments that only the providers here need."""


def told() -> Iterator[tuple[str, ast.Call | ast.Assign]]:
    """Return the calls and attributes that the page shows, each with the module in whose part it stands."""
    for block in blocks(PAGE):
        if (block.language, block.mark) != ("py", "interface"):
            continue
        for part in re.split(r"^# (?=gateway\.)", block.text, flags=re.MULTILINE)[1:]:
            module = part.split(maxsplit=1)[0].rstrip(":")
            for shown in ast.parse(part.partition("\n")[2]).body:
                if isinstance(shown, ast.Assign):
                    yield module, shown
                else:
                    assert isinstance(shown, ast.Expr), ast.unparse(shown)
                    assert isinstance(shown.value, ast.Call), ast.unparse(shown)
                    yield module, shown.value


def found(module: str, place: ast.expr) -> Any:
    """Return what a dotted name is in a module."""
    value = import_module(module)
    *owners, last = ast.unparse(place).split(".")
    for name in owners:
        value = getattr(value, name)
    if getattr(value, last, None) is None and last in (kept := getattr(value, "__annotations__", {})):
        return kept[last]  # what a provider may set
    return getattr(value, last)


def defaults(thing: Any) -> Mapping[str, Any]:
    """Return the arguments of a class or a function, and what each is where it is left out."""
    if isinstance(thing, type) and issubclass(thing, msgspec.Struct):
        fields = msgspec.structs.fields(thing)
        return {each.name: default_of(each) for each in fields}
    if isinstance(thing, property):
        return {}
    parameters = list(inspect.signature(thing).parameters.values())
    return {each.name: each.default for each in parameters if each.name != "self"}


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """Return the default of a field, made where it is made anew each time."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return ABSENT if field.default is msgspec.NODEFAULT else field.default


def is_default(shown: ast.expr, module: str, default: Any) -> bool:
    """Return whether an expression of the page is a default; ``...`` stands for any, ``{}`` for one made anew."""
    if ast.unparse(shown) == "...":
        return default is not ABSENT
    written = eval(ast.unparse(shown), vars(import_module(module)))  # noqa: S307 -- our own page
    made_anew = repr(default) == "<factory>"
    return bool(written == ({} if made_anew else default))


@pytest.mark.parametrize(("module", "shown"), [pytest.param(*one, id=ast.unparse(one[1])[:40]) for one in told()])
def test_what_the_page_tells_is_so(module: str, shown: ast.Call | ast.Assign) -> None:
    """In the order of the code, with the same defaults; nothing is left out."""
    if isinstance(shown, ast.Assign):
        assert is_default(shown.value, module, found(module, shown.targets[0]))
        return
    thing = found(module, shown.func)
    names = [ast.unparse(each).lstrip("*") for each in shown.args] + [str(each.arg) for each in shown.keywords]
    if isinstance(thing, str) or (not callable(thing) and not isinstance(thing, property)):
        arguments = str(thing).partition("[[")[2].partition("]")[0]
        assert len(names) == len(arguments.split(",")), arguments
        return
    expected = defaults(thing)
    assert [name for name in names if name != "self"] == [name for name in expected if name not in LEFT_OUT]
    for argument in shown.args:
        assert expected.get(ast.unparse(argument), ABSENT) is ABSENT, ast.unparse(argument)
    for each in shown.keywords:
        assert is_default(each.value, module, expected[str(each.arg)]), ast.unparse(each)


def test_the_page_tells_much() -> None:
    """The parts are found."""
    assert len(list(told())) > 80
