"""Try the mutations that were made by hand: ``python -m tests.mutants [part of a file or name]``.

Each runs the fast tests of its package in a fork of this process, which has imported what the tests need beside the
gateway. No file is changed. The program fails where a mutation survives or no longer fits its source.
"""

import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import aiohttp
import hypothesis
import msgspec
import numpy as np
import prometheus_client
import pydantic
import pytest
import structlog

from tests.mutants.mutation import ROOT, Mutation, mutations

PRELOADED = (aiohttp, hypothesis, msgspec, np, prometheus_client, pydantic, pytest, structlog)
"""Imported once, for all forks."""
SLOW = ("any_order", "random_call")
TESTS = {
    "gateway/call": (
        ("tests/call", *(f"--ignore=tests/call/test_{name}.py" for name in (*SLOW, "call", "calls", "metrics"))),
        tuple(f"tests/call/test_{name}.py" for name in SLOW),
    ),
}
"""The fast tests of a package, and those that are asked where none of them has noticed."""
LIMIT_S = 60
"""Tests that take longer have noticed the mutation: it made something endless."""
SURVIVED, KILLED, BROKEN = 0, 1, 70
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")


class _Mutated(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    """Imports the changed source in place of the module."""

    def __init__(self, mutation: Mutation) -> None:
        self._module, self._path, self._source = mutation.module, str(ROOT / mutation.file), mutation.source()

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find the one module."""
        if fullname != self._module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed source."""
        exec(compile(self._source, self._path, "exec"), module.__dict__)  # noqa: S102 -- what a loader does


def run(tests: Sequence[str], mutation: Mutation | None = None) -> int:
    """Return pytest's exit code with the mutation, ``KILLED`` where the tests do not end."""
    finder = _Mutated(mutation) if mutation is not None else None
    pid = os.fork()
    if pid == 0:
        code = BROKEN
        try:
            signal.alarm(LIMIT_S)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            if finder is not None:
                sys.meta_path.insert(0, finder)
            code = pytest.main([*OPTIONS, *tests])
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return KILLED if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def notice(tests: Sequence[Sequence[str]], mutation: Mutation | None = None) -> int:
    """Return the first exit code that is not ``SURVIVED``."""
    return next((code for some in tests if (code := run(some, mutation)) != SURVIVED), SURVIVED)


def main(part: str = "") -> int:
    """Try all mutations whose file or name holds ``part``; returns how many were not noticed."""
    assert not any(name.startswith("gateway") for name in sys.modules), "a fork would not see the mutation"
    began, survivors = time.monotonic(), 0
    chosen = [mutation for mutation in mutations() if part in mutation.file or part in mutation.name]
    for package in sorted({_package(mutation) for mutation in chosen}):
        assert notice(TESTS[package]) == SURVIVED, f"the tests of {package} fail without any mutation"
    for mutation in chosen:
        code = notice(TESTS[_package(mutation)], mutation)
        if code == KILLED:
            continue
        survivors += 1
        what = "survived" if code == SURVIVED else f"pytest ended with {code}"
        print(f"{mutation.file}: {mutation.name}: {what}", flush=True)  # noqa: T201 -- a program
    took_s = time.monotonic() - began
    print(f"{len(chosen)} mutations made by hand, {len(chosen) - survivors} noticed, {took_s:.0f} s")  # noqa: T201
    return survivors


def _package(mutation: Mutation) -> str:
    return mutation.file.rpartition("/")[0]


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:2]) else 0)
