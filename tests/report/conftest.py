"""The calls of the simulator's tests, which reports are made of."""

from tests.sim.conftest import acting_notes, call, notes

__all__ = ["acting_notes", "call", "notes"]
