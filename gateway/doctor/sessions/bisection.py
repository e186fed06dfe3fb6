"""Finds the member of a session that the service refuses without naming it. Pure.

A bisection is a generator: it yields each session to ask for, is sent whether that one was accepted, and returns what
it found.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

Session: TypeAlias = Mapping[str, Any]

CONNECTIONS_LIMIT = 8
_BASE = ("modalities", "input_audio_format", "input_audio_sampling_rate", "output_audio_format")
"""The members that a session of ours always has."""
_NEEDED = ("type", "name", "model", "endpoint_id", "create_response", "interrupt_response", "auto_truncate")
"""Members of a section that are not tried apart from it."""


class Culprit(Struct, frozen=True):
    """The refused member by its path; empty where no single one was found, for the reason in ``detail``."""

    member: str
    detail: str


Bisection: TypeAlias = Generator[Session, bool, Culprit]


def bisected(session: Session) -> Bisection:
    """Look for the refused member of a session; at most ``CONNECTIONS_LIMIT`` sessions are tried."""
    paths = list(_paths(session))
    if not (yield _with(session, [])):
        return Culprit("", "a session with nothing but the audio formats is refused as well")
    accepted, refused = 0, len(paths)
    for _ in range(CONNECTIONS_LIMIT - 2):
        if refused - accepted <= 1:
            break
        middle = (accepted + refused) // 2
        if (yield _with(session, paths[:middle])):
            accepted = middle
        else:
            refused = middle
    if refused - accepted > 1:
        return Culprit("", f"one of {', '.join(paths[accepted:refused])} is refused")
    found = paths[accepted]
    others = [path for path in paths if path != found and not path.startswith(f"{found}.")]
    if (yield _with(session, others)):
        return Culprit(found, f"the session is accepted without {found}")
    return Culprit(found, f"{found} is refused, and another member with it")


def _paths(session: Session) -> Iterator[str]:
    """Yield the members that may be refused, those inside a section after the section."""
    for top, value in session.items():
        if top in _BASE:
            continue
        yield top
        if isinstance(value, Mapping) and top != "metadata":
            yield from (f"{top}.{inner}" for inner in value if inner not in _NEEDED)


def _with(session: Session, paths: Sequence[str]) -> dict[str, Any]:
    """Return the session with nothing but its audio formats and these members."""
    made = {key: session[key] for key in _BASE if key in session}
    for path in paths:
        top, _, inner = path.partition(".")
        value = session[top]
        if inner:
            made[top] = {**made.get(top, {}), inner: value[inner]}
        elif isinstance(value, Mapping) and top != "metadata":
            made[top] = {key: value[key] for key in _NEEDED if key in value}
        else:
            made[top] = value
    return made
