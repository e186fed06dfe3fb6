"""The delays that callers feel: of the greeting, stage by stage, of answers, and the jitter of what the phone gets.

Times are ``perf_counter`` seconds of the load, which is at both ends of the program under test.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.phone import Phone
from bench.reply import Reply
from bench.voice import Session

BYTES_PER_S = 8000
STEADY_BYTES = BYTES_PER_S
"""The first second of a reply fills the phone's buffer, at no pace."""
PACED_SHARE = 0.5
"""A reply that comes in less than this share of its duration is not paced: its gaps say nothing."""


@dataclass(frozen=True)
class Stage:
    """A stage of the way from the stream's start to the first sound of the greeting."""

    name: str
    is_ours: bool
    """``True`` for the time of the program under test and of the sockets at its sides, ``False`` for the service's."""
    seconds: Sequence[float]
    """One for each call."""


STAGES = (
    ("the phone's start → the session's connection", True),
    ("the connection → its upgrade: TLS on both ends", True),
    ("session.created → session.update", True),
    ("session.update → session.updated", False),
    ("session.updated → response.create", True),
    ("response.create → the first delta", False),
    ("the first delta → its sound at the phone", True),
)


def stages(sessions: Iterable[Session]) -> list[Stage]:
    """Return the stages of the greetings that were heard."""
    rows = [row for session in sessions if (row := _moments(session)) is not None]
    columns = [[after - before for before, after in pairs] for pairs in zip(*map(pairwise, rows), strict=True)]
    return [Stage(name, is_ours, column) for (name, is_ours), column in zip(STAGES, columns, strict=False)]


def first_sounds(sessions: Iterable[Session]) -> list[float]:
    """Return the times from the streams' starts to the first sound of the greetings."""
    rows = map(_moments, sessions)
    return [row[-1] - row[0] for row in rows if row is not None]


def _moments(session: Session) -> tuple[float, ...] | None:
    phone, greeting = session.phone, session.greeting
    if not isinstance(phone, Phone) or greeting is None or not greeting.heard_from:
        return None
    return (
        phone.started_at,
        session.accepted_at,
        session.opened_at,
        session.update_at,
        session.updated_at,
        session.asked_at,
        greeting.sent_from,
        greeting.heard_from,
    )


def answers(replies: Iterable[Reply]) -> list[float]:
    """Return the times from the service's report that the caller's turn is over to the first sound of the answer."""
    return [reply.heard_from - reply.turn_over_at for reply in replies if reply.turn_over_at and reply.heard_from]


def jitter(replies: Iterable[Reply]) -> list[float]:
    """Return how far the gaps between the messages of replies are from the duration of the audio in them."""
    return [deviation for reply in replies for deviation in _deviations(reply)]


def _deviations(reply: Reply) -> Iterator[float]:
    steady = [(at, position / BYTES_PER_S) for at, position in reply.arrivals if position >= STEADY_BYTES]
    if len(steady) < 2 or steady[-1][0] - steady[0][0] < PACED_SHARE * (steady[-1][1] - steady[0][1]):
        return
    for (before_at, before_s), (at, position_s) in pairwise(steady):
        yield abs(at - before_at - (position_s - before_s))
