"""Visitors of the console, and what they may do. Pure."""

import enum

from msgspec import Struct


class Need(enum.StrEnum):
    """The need of a route: what a visitor must be allowed to do."""

    NOTHING = "nothing"
    """It answers everybody: signing in, styles and scripts."""
    VIEWER = "viewer"
    """See calls, lines and figures, without words."""
    OPERATOR = "operator"
    """End and transfer calls."""
    LISTENER = "listener"
    """Read words and hear recordings."""


ROLES = frozenset({Need.VIEWER, Need.OPERATOR, Need.LISTENER})
"""The needs that are roles of people."""


class Visitor(Struct, frozen=True):
    """Somebody who makes requests. Everybody with a role is a viewer."""

    name: str = ""
    roles: frozenset[Need] = frozenset()

    def may(self, need: Need) -> bool:
        """Return whether the visitor has what is needed."""
        match need:
            case Need.NOTHING:
                return True
            case Need.VIEWER:
                return bool(self.roles)
            case _:
                return need in self.roles


NOBODY = Visitor()
LOCAL = Visitor("local", ROLES)
"""The person at this machine, where the console is reached from nowhere else."""
