"""One Voice Live endpoint as the pool sees it: its name, its place in the order, its models, its quota. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from gateway.fleet.sessions import Quota
from gateway.voice.bot import Answering, Model


class Endpoint(Struct, frozen=True):
    """An endpoint. The one with the lowest ``priority`` is used first, those of the same by ``weight``."""

    name: str
    priority: int = 1
    weight: float = 1.0
    sessions: int | None = None
    """Sessions at once; ``None`` for no limit."""
    sessions_per_minute: int | None = None
    """New sessions in a minute; ``None`` for no limit."""
    models: Mapping[str, str] | None = None
    """The models that it has, each with its name there; ``None`` for all, and for agents."""

    @property
    def quota(self) -> Quota:
        """The limits that workers count against together."""
        return Quota(self.name, self.sessions, self.sessions_per_minute)

    def answers(self, answering: Answering) -> bool:
        """Return whether sessions with this model or agent can be opened here."""
        return self.models is None or (isinstance(answering, Model) and answering.name in self.models)

    def named_here(self, answering: Answering) -> Answering:
        """Return the model or agent under the name that it has here."""
        if self.models is None or not isinstance(answering, Model):
            return answering
        return Model(self.models[answering.name])
