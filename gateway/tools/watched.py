"""Measures how long a coroutine keeps the event loop, without a timer."""

import time
from collections.abc import Awaitable, Generator
from functools import partial
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Watched(Generic[Result]):
    """Awaits ``awaitable``; ``longest_s`` is the longest time that passed between two of its waits."""

    def __init__(self, awaitable: Awaitable[Result]) -> None:
        self._awaitable = awaitable
        self.longest_s = 0.0

    def __await__(self) -> Generator[Any, Any, Result]:
        """Pass on every step unchanged, a cancellation included (PEP 380)."""
        steps = self._awaitable.__await__()
        step = partial(next, steps)
        while True:
            began = time.perf_counter()
            try:
                waits_for = step()
            except StopIteration as over:
                result: Result = over.value
                return result
            finally:
                self.longest_s = max(self.longest_s, time.perf_counter() - began)
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001 -- whatever is thrown in is the coroutine's
                step = partial(_throw, steps, error)
            else:
                step = partial(next, steps)


def _throw(steps: Generator[Any, Any, Any], error: BaseException) -> Any:
    return steps.throw(error)
