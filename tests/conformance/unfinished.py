"""The errors of a provider that is being written, each as a sentence that names the file to change."""

import contextlib
import traceback
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def to_be_changed(path: str, doing: str) -> Iterator[None]:
    """Fail without a traceback where the block raises an error: it names the file ``path`` of the project.

    Such errors come while tests are collected, from every module that asks for the kinds of providers.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 -- code that is being written raises anything
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f", line {frame.lineno}" for frame in frames if frame.filename.endswith(f"/{path}")]
        said = f"{doing} raises {type(error).__name__}: {' '.join(str(error).split())}"
        raise pytest.fail.Exception(f"change {path}{''.join(lines[-1:])}: {said}", pytrace=False) from None
