"""The messages between a process that has calls and who looks on. Pure."""

from enum import StrEnum

from msgspec import Struct


class LiveCall(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call in progress. Numbers are as the records have them; words are empty where none are kept."""

    provider: str
    call_id: str
    line: str
    caller: str = ""
    called: str = ""
    started: float
    """The beginning of its stream, in Unix time."""
    state: str
    """One of ``gateway.call.state.State``, in lower case."""
    speaker: str = ""
    """``caller`` or ``bot``; empty while nobody speaks."""
    who: str = ""
    """``caller`` or ``bot``: who has said the words."""
    words: str = ""
    targets: tuple[str, ...] = ()
    """The targets to which it may be transferred now."""
    gateway: str = ""
    """The address of the gateway that has it, set by who reads from several; empty for the one of the reader."""

    @property
    def key(self) -> str:
        """The key of the call: that of its provider, and its id there."""
        return f"{self.provider}/{self.call_id}"

    @property
    def place(self) -> str:
        """The key of the call among those of all gateways."""
        return f"{self.gateway} {self.key}" if self.gateway else self.key


class LiveEndpoint(Struct, frozen=True, kw_only=True):
    """A Voice Live endpoint at present. ``circuit`` is closed, open or half-open."""

    name: str
    circuit: str
    sessions: int
    sessions_minute: int
    last_failure: str = ""
    ready_ms: int | None = None


class LiveProvider(Struct, frozen=True, kw_only=True):
    """A provider's calls of late, in one process."""

    name: str
    ended: int = 0
    """Calls of the last that ended, at most ``gateway.live.providers.KEPT``."""
    broken: int = 0
    """Those among them whose stream was lost, stalled or broken."""
    last_end: float | None = None
    """When the last one ended, in Unix time."""


class About(Struct, frozen=True, kw_only=True):
    """The state of a process beside its calls."""

    status: str
    """``ready``, ``full``, ``unreachable`` or ``draining``."""
    in_use: int
    """Places that are taken or kept, at all workers."""
    limit: int
    endpoints: tuple[LiveEndpoint, ...] = ()
    providers: tuple[LiveProvider, ...] = ()


class Update(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The changes since the last update of a reader; the first one has everything. Each is one line of JSON."""

    about: About | None = None
    """The state of the process; where several updates are needed, the last has it: a reader then knows every call."""
    calls: tuple[LiveCall, ...] = ()
    gone: tuple[str, ...] = ()
    """The keys of calls that are over."""


class OrderFor(Struct, frozen=True):
    """An order of an operator about a call: its end, or its transfer to a ``target`` of its line."""

    provider: str
    call_id: str
    target: str = ""


class Outcome(StrEnum):
    """The outcome of an order."""

    DONE = "done"
    REFUSED = "refused"
    """Nothing has the call, or it cannot be transferred now."""
    UNKNOWN = "unknown"
    """The process or gateway that may have the call did not answer."""
