"""Tells how far a bot's session comes: handshake, members that are new, settings, echo."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.doctor.row import Row, failed, fine, reduced, skipped, unclear
from gateway.doctor.sessions.bisection import Culprit
from gateway.doctor.sessions.bots import Bot
from gateway.doctor.sessions.created import unknown_members
from gateway.doctor.sessions.refusals import handshake_remedy, refusal_remedy
from gateway.doctor.sessions.talk import Talk
from gateway.voice.bot import Agent
from gateway.voice.negotiation.echo import Difference
from gateway.voice.negotiation.members import kept_by_name, named
from gateway.voice.negotiation.refusal import Refusal
from gateway.voice.opening import Attempt
from gateway.voice.service import VoiceUnreachableError

STEPS = ("handshake", "members", "settings", "echo")


def session_rows(bot: Bot, talk: Talk, culprit: Culprit | None = None) -> Iterator[Row]:
    """Yield the rows of a session that was opened, or refused; ``culprit`` is what a bisection found."""
    about = bot.about
    if not talk.tapped.connections:
        yield _refused_handshake(bot, talk)
        yield from (skipped(step, "handshake", about) for step in STEPS[1:])
        return
    created = talk.opening.created
    session = f", session {created['id']}" if created.get("id") else ""
    yield fine("handshake", f"opened in {talk.tapped.connections[0].handshake_s * 1000:.0f} ms{session}", about)
    unknown = unknown_members(created)
    if created:
        yield fine("members", f"new in session.created: {', '.join(unknown)}" if unknown else "all known", about)
    last = talk.opening.attempts[-1] if talk.opening.attempts else None
    wrong = [one for one in last.differences if one.is_refusal] if last is not None else []
    if wrong:
        yield fine("settings", f"accepted in {talk.opened_s * 1000:.0f} ms", about)
        yield _wrong_echo(bot, wrong)
    elif talk.ready is None or last is None:
        yield _refused_settings(bot, talk, culprit)
        yield skipped("echo", "settings", about)
    else:
        yield _accepted(bot, talk, last, culprit)
        yield _echo(bot, last.differences)


def is_unnamed(talk: Talk) -> bool:
    """Return ``True`` if the service refused a session and did not say what of it."""
    first = _first_refused(talk)
    if first is None or first.refusal is None:
        return False
    refusal = first.refusal
    if isinstance(first.proposal.answering, Agent) and refusal.code == "invalid_session_update_message":
        return False  # an agent of another kind refuses everything
    is_told = refusal.is_of_the_model or kept_by_name(refusal) or bool(named(refusal, first.session))
    return not (is_told or refusal.passes or any(one.is_refusal for one in first.differences))


def _first_refused(talk: Talk) -> Attempt | None:
    return next((one for one in talk.opening.attempts if one.refusal is not None), None)


def _refused_handshake(bot: Bot, talk: Talk) -> Row:
    error = talk.tapped.failure
    detail = str(error) if error is not None else talk.closed.detail if talk.closed is not None else "no answer"
    status = error.status if error is not None else 0
    remedy = handshake_remedy(status, bot.answering)
    if status >= 500 and isinstance(error, VoiceUnreachableError):
        return unclear("handshake", detail, remedy, bot.about)
    return failed("handshake", detail, remedy, bot.about)


def _refused_settings(bot: Bot, talk: Talk, culprit: Culprit | None) -> Row:
    detail = talk.closed.detail if talk.closed is not None else "no answer"
    if culprit is not None:
        detail = f"{detail}; tried member by member: {culprit.detail}"
    refusals = [one.refusal for one in talk.opening.attempts if one.refusal is not None]
    codes = [*(refusal.code for refusal in refusals), *(error.code for error in talk.opening.noted)]
    remedy = _without(bot, [culprit.member]) if culprit and culprit.member else refusal_remedy(codes, bot.answering)
    return failed("settings", detail, remedy, bot.about)


def _accepted(bot: Bot, talk: Talk, last: Attempt, culprit: Culprit | None) -> Row:
    took = f"accepted in {talk.opened_s * 1000:.0f} ms"
    changed = changed_members(bot.session, last.session)
    if not changed:
        return fine("settings", took, bot.about)
    first = _first_refused(talk)
    said = f": {_words(first.refusal)}" if first is not None and first.refusal is not None else ""
    detail = f"{took}, at try {len(talk.opening.attempts)}, not as asked for: {', '.join(changed)}{said}"
    if culprit is not None:
        detail = f"{detail}; tried member by member: {culprit.detail}"
    members = [culprit.member] if culprit is not None and culprit.member else changed
    return reduced("settings", detail, _without(bot, members), bot.about)


def _words(refusal: Refusal) -> str:
    return f"{refusal.words}{f' [{refusal.param}]' if refusal.param and refusal.param not in refusal.words else ''}"


def _without(bot: Bot, members: Sequence[str]) -> str:
    lines = ", ".join(bot.lines)
    return f"take {' and '.join(members)} out of {lines}, or use another model; calls go on without it meanwhile"


def _wrong_echo(bot: Bot, wrong: Sequence[Difference]) -> Row:
    remedy = "use another model or voice: callers, or the bot, would hear noise"
    return failed("echo", "; ".join(one.words for one in wrong), remedy, bot.about)


def _echo(bot: Bot, found: Sequence[Difference]) -> Row:
    if not found:
        return fine("echo", "in force as asked for", bot.about)
    remedy = "write into the line what the service does, or use another model"
    return reduced("echo", "; ".join(one.words for one in found), remedy, bot.about)


def changed_members(asked: Mapping[str, Any], taken: Mapping[str, Any], above: str = "") -> list[str]:
    """Return the members, dotted, that the accepted session does not have as they were asked for."""
    found: list[str] = []
    for name, value in asked.items():
        path = f"{above}{name}"
        if name not in taken:
            found.append(path)
        elif isinstance(value, Mapping) and isinstance(taken[name], Mapping):
            found += changed_members(value, taken[name], f"{path}.")
        elif value != taken[name]:
            found.append(path)
    return found
