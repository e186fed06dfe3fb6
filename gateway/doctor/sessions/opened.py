"""Opens each bot's session once, as a call does, and tells how far it comes: handshake, members, settings."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.doctor.row import Row, failed, fine, reduced, skipped, unclear
from gateway.doctor.sessions.bots import Bot
from gateway.doctor.sessions.created import unknown_members
from gateway.doctor.sessions.refusals import handshake_remedy, refusal_remedy
from gateway.doctor.sessions.talk import Talk
from gateway.voice.service import VoiceUnreachableError

STEPS = ("handshake", "members", "settings")


def session_rows(bot: Bot, talk: Talk) -> Iterator[Row]:
    """Yield the rows of a session that was opened, or refused."""
    about = bot.about
    if not talk.tapped.connections:
        yield _refused_handshake(bot, talk)
        yield from (skipped(step, "handshake", about) for step in STEPS[1:])
        return
    first = talk.tapped.connections[0]
    yield fine("handshake", f"opened in {first.handshake_s * 1000:.0f} ms", about)
    if created := talk.tapped.all_of("session.created"):
        unknown = unknown_members(created[0])
        yield fine("members", f"new in session.created: {', '.join(unknown)}" if unknown else "all known", about)
    if talk.ready is None:
        yield _refused_settings(bot, talk)
        return
    yield _accepted(bot, talk)


def _refused_handshake(bot: Bot, talk: Talk) -> Row:
    error = talk.tapped.failure
    detail = str(error) if error is not None else talk.closed.detail if talk.closed is not None else "no answer"
    status = error.status if error is not None else 0
    remedy = handshake_remedy(status, bot.answering)
    if status >= 500 and isinstance(error, VoiceUnreachableError):
        return unclear("handshake", detail, remedy, bot.about)
    return failed("handshake", detail, remedy, bot.about)


def _refused_settings(bot: Bot, talk: Talk) -> Row:
    detail = talk.closed.detail if talk.closed is not None else "no answer"
    errors = [message.get("error") for message in talk.tapped.all_of("error")]
    codes = [str(error.get("code") or "") for error in errors if isinstance(error, Mapping)]
    return failed("settings", detail, refusal_remedy(codes, bot.answering), bot.about)


def _accepted(bot: Bot, talk: Talk) -> Row:
    updates = [update for connection in talk.tapped.connections for update in connection.updates]
    took = f"accepted in {talk.opened_s * 1000:.0f} ms"
    if not updates or updates[-1] == bot.session:
        return fine("settings", took, bot.about)
    dropped = changed_members(bot.session, updates[-1])
    detail = f"{took}, at try {len(updates)}, without or with other: {', '.join(dropped)}"
    return reduced("settings", detail, f"take {' and '.join(dropped)} out of the line, or use another model", bot.about)


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
