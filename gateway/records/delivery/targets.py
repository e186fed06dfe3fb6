"""Knows who gets the events of a line's calls, by names under which the outbox keeps them. Pure."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from gateway.config import Deployment, Lines
from gateway.config.records.deliver import Receiver

Own = Callable[[str], tuple[Receiver, ...] | None]
"""Returns the receivers of a line's own; ``None`` where it has no such key, or is not known."""
Names = Callable[[], Iterable[str]]
"""Returns the names of all lines."""


class Target(Struct, frozen=True):
    """A receiver, and its name in the outbox."""

    name: str
    receiver: Receiver


class Targets:
    """The receivers of a deployment and of its lines; ``own`` and ``names`` are asked anew, because lines change."""

    def __init__(self, receivers: Iterable[Receiver], own: Own, names: Names = tuple) -> None:
        self._shared = {receiver.label: receiver for receiver in receivers}
        self._own, self._names = own, names

    def is_any(self) -> bool:
        """Return ``True`` if the configuration has a receiver at all."""
        return bool(self._shared) or any(self._own(name) for name in self._names())

    def every(self) -> list[Target]:
        """Return all receivers: those of the deployment, then those of the lines."""
        shared = [Target(label, receiver) for label, receiver in self._shared.items()]
        return shared + [
            Target(f"{name}/{receiver.label}", receiver) for name in self._names() for receiver in self._own(name) or ()
        ]

    def of_line(self, line: str) -> tuple[Target, ...]:
        """Return the receivers of a line's events: its own, or else those of the deployment."""
        own = self._own(line)
        if own is None:
            return tuple(Target(label, receiver) for label, receiver in self._shared.items())
        return tuple(Target(f"{line}/{receiver.label}", receiver) for receiver in own)

    def find(self, name: str) -> Receiver | None:
        """Return the receiver that has this name in the outbox; ``None`` if the configuration has it no longer."""
        line, slash, label = name.rpartition("/")
        if not slash:
            return self._shared.get(label)
        return next((receiver for receiver in self._own(line) or () if receiver.label == label), None)


def targets_of(deployment: Deployment, lines: Lines) -> Targets:
    """Return the receivers of a configuration."""

    def own(name: str) -> tuple[Receiver, ...] | None:
        line = lines.by_name(name)
        return line.settings.deliver if line else None

    return Targets(deployment.deliver, own, lambda: [line.name for line in lines])
