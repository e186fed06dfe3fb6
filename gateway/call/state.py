"""Where a call stands. Pure."""

import enum


class State(enum.Enum):
    """Where a call stands."""

    CONNECTING = enum.auto()
    """The caller is there, the session is not ready yet."""
    TALKING = enum.auto()
    LEAVING = enum.auto()
    """The call is about to end or to be transferred, and the last words are still being heard."""
    TRANSFERRING = enum.auto()
    """The provider is asked to connect the caller with somebody else."""
    ENDED = enum.auto()
