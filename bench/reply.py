"""One spoken answer of the simulated service, as both ends saw it."""

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Reply:
    """One reply. Times are ``perf_counter`` seconds, 0 until they are known; sizes are bytes of µ-law."""

    call: int
    """The number of the call; -1 while the session is not known to belong to one."""
    sent: int = 0
    sent_from: float = 0.0
    heard_from: float = 0.0
    delivered: int = 0
    is_cleared: bool = False
    is_interrupted: bool = False
    ends_at: float = 0.0
    """The time at which the caller would have heard all of it, had it reached the phone at once."""
    turn_over_at: float = 0.0
    """The time at which the service reported the end of the caller's turn that this answers; 0 for a greeting."""
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    """The time of each message with its sound, and the position in the reply at which it begins."""
