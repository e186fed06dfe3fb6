"""The variables by which a worker gets its place."""

import socket
from pathlib import Path

import pytest

from gateway.cli.processes.given import (
    SPARE,
    WORKER,
    is_first_worker,
    is_spare,
    is_worker,
    kept_configuration,
    listeners_variable,
    worker_variable,
)


def test_a_process_alone_is_the_first_and_has_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variables; a spare one has a variable of its own."""
    monkeypatch.delenv(WORKER, raising=False)
    monkeypatch.delenv(SPARE, raising=False)
    assert (is_worker(), is_first_worker(), is_spare(), kept_configuration()) == (False, True, False, None)
    monkeypatch.setenv(SPARE, "3")
    assert (is_worker(), is_spare()) == (False, True)


@pytest.mark.parametrize(("number", "is_first"), [(1, True), (2, False), (11, False)])
def test_a_worker_knows_its_number_and_its_configuration(
    monkeypatch: pytest.MonkeyPatch, number: int, is_first: bool
) -> None:
    """The folder may have any name."""
    monkeypatch.setenv(WORKER, worker_variable(number, 5, Path("/a/b/c")))
    assert (is_worker(), is_first_worker(), kept_configuration()) == (True, is_first, Path("/a/b/c"))


def test_the_descriptors_of_both_listeners_are_told() -> None:
    """Those of calls first; without a private listener, nothing follows."""
    with socket.socket() as one, socket.socket() as other:
        assert listeners_variable([one], [other]) == f"{one.fileno()};{other.fileno()}"
        assert listeners_variable([one, other], []) == f"{one.fileno()},{other.fileno()};"
