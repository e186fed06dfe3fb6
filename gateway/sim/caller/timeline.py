"""The events of a call, in the order of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TimelineEvent:
    """An event at ``loop.time()``; ``fields`` are what is known of it, as JSON would hold it."""

    at: float
    kind: str
    fields: Mapping[str, object] = field(default_factory=dict)
