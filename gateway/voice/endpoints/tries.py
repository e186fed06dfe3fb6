"""Passes each try at a session to whoever listens in the current context, such as the trace of a call. Pure."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from msgspec import Struct

from gateway.voice.bot import Answering, name_of

GIVEN_UP = "given up"
"""The failure of a try that was cancelled."""


class Tried(Struct, frozen=True):
    """One try at a session, at one endpoint with one model or agent."""

    endpoint: str
    """The endpoint's name in the configuration."""
    answering: str
    took_s: float
    failure: str = ""
    """Why it failed; empty if the session was accepted."""


Listener = Callable[[Tried], None]
"""Is called when a try is over; must return at once."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Pass the tries of this context, and of the tasks that it starts, to ``listener``."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def trying(endpoint: str, answering: Answering, now: Callable[[], float]) -> Iterator[None]:
    """Try to open a session in here; an exception is the failure, and is raised as it is."""
    listener = _listener.get()
    if listener is None:
        yield
        return
    began_at, failure = now(), GIVEN_UP
    try:
        yield
        failure = ""
    except Exception as error:
        failure = str(error) or type(error).__name__
        raise
    finally:
        listener(Tried(endpoint, name_of(answering), now() - began_at, failure))
