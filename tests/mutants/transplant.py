"""Puts the code of a mutation into the modules that are already imported, so that no test has to be collected anew."""

import inspect
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType

from tests.mutants.mutation import ROOT, Mutation


def transplant(mutation: Mutation) -> None:
    """Change the running program as the mutation says: functions, constants, tables and the defaults of structs."""
    old = sys.modules[mutation.module]
    new = ModuleType(f"{mutation.module}_mutated")
    sys.modules[new.__name__] = new
    exec(compile(mutation.source(), str(ROOT / mutation.file), "exec"), new.__dict__)  # noqa: S102 -- what an import does
    codes = dict(_functions(new.__dict__, new.__name__))
    for name, function in _functions(old.__dict__, old.__name__):
        function.__code__ = codes[name].__code__
        function.__defaults__, function.__kwdefaults__ = codes[name].__defaults__, codes[name].__kwdefaults__
    for name, value in vars(new).items():
        before = vars(old).get(name)
        if isinstance(value, type) and isinstance(before, type):
            if _defaults(value) != _defaults(before):
                _replace(before, value)
            for part, table in vars(value).items():
                if isinstance(table, dict) and part[:2] != "__":
                    vars(before)[part].update(table)
        elif isinstance(value, dict) and isinstance(before, dict):
            if repr(value) != repr(before) and " at 0x" not in repr(value):
                before.clear()
                before.update(value)
        elif isinstance(value, int | float | str | frozenset | tuple) and value != before and name[:2] != "__":
            for module in _ours():
                if name in vars(module) and vars(module)[name] == before:
                    setattr(module, name, value)


def _functions(namespace: dict[str, object], module: str) -> Iterator[tuple[str, FunctionType]]:
    """Return the functions of a module and the methods and properties of its classes, by their names."""
    for name, value in namespace.items():
        if isinstance(value, FunctionType) and value.__module__ == module:
            yield name, _undecorated(value)
        elif isinstance(value, type) and value.__module__ == module:
            for part, member in vars(value).items():
                function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
                if isinstance(function, FunctionType) and function.__module__ == module:
                    yield f"{name}.{part}", _undecorated(function)


def _undecorated(function: FunctionType) -> FunctionType:
    """Return the function that a decorator such as ``asynccontextmanager`` has wrapped."""
    inner = inspect.unwrap(function)
    return inner if isinstance(inner, FunctionType) else function


def _defaults(of: type) -> object:
    return getattr(of, "__struct_defaults__", None)


def _replace(before: type, after: type) -> None:
    """Let every module use the other class; an instance of the one is none of the other."""
    for module in _ours():
        for name, value in list(vars(module).items()):
            if value is before:
                setattr(module, name, after)


def _ours() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.partition(".")[0] in ("gateway", "tests")]
