"""Tries a bot: its session, the member that is refused without a name, the models that follow, its audio."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from gateway.doctor.row import Row, fine, reduced, skipped
from gateway.doctor.sessions import hearing, speaking
from gateway.doctor.sessions.bisection import Culprit, bisected
from gateway.doctor.sessions.bots import Bot
from gateway.doctor.sessions.opened import is_unnamed, session_rows
from gateway.doctor.sessions.talk import Talk, talking
from gateway.voice.proposals import Proposal
from gateway.voice.service import VoiceLive

Tell = Callable[[Row], None]


class Trial(Struct, frozen=True):
    """The way in which bots are tried."""

    service: VoiceLive
    pace_s: float
    """Seconds between two connections."""
    speak: bool = False
    hear: bool = False


async def try_bot(bot: Bot, trial: Trial, tell: Tell) -> None:
    """Try a bot with its first model and then, one by one, with those that follow where that one is refused."""
    first, *others = bot.proposals
    await _try_session(bot.alone(first), trial, tell)
    for proposal in others:
        await asyncio.sleep(trial.pace_s)
        tell(await _fallback(bot.alone(proposal), trial))


async def _try_session(bot: Bot, trial: Trial, tell: Tell) -> None:
    async with talking(trial.service, bot) as talk:
        if not is_unnamed(talk):
            for row in session_rows(bot, talk):
                tell(row)
            await _try_audio(bot, talk, trial, tell)
            return
    culprit = await _found(bot, trial)  # the connection is closed meanwhile: one at a time is below every quota
    for row in session_rows(bot, talk, culprit):
        tell(row)
    if (trial.speak or trial.hear) and talk.ready is not None:
        await asyncio.sleep(trial.pace_s)
        async with talking(trial.service, bot) as again:
            await _try_audio(bot, again, trial, tell)


async def _found(bot: Bot, trial: Trial) -> Culprit:
    """Return the member that the service refuses; each try is a connection, slower than the quota."""
    search = bisected(bot.session)
    session = next(search)
    while True:
        await asyncio.sleep(trial.pace_s)
        asked = Proposal(bot.answering, session, bot.proposals[0].policy)
        async with talking(trial.service, bot.alone(asked), negotiate="off") as talk:
            if not talk.tapped.connections:
                return Culprit("", "no further connection was accepted")
            try:
                session = search.send(talk.ready is not None)
            except StopIteration as end:
                culprit: Culprit = end.value
                return culprit


async def _fallback(bot: Bot, trial: Trial) -> Row:
    async with talking(trial.service, bot) as talk:
        detail = talk.closed.detail if talk.closed is not None else "no answer"
        if talk.ready is not None:
            return fine("fallback", f"accepted in {talk.opened_s * 1000:.0f} ms", bot.about)
    remedy = "name another model, which is there where the first one is not"
    return reduced("fallback", detail, remedy, bot.about)


async def _try_audio(bot: Bot, talk: Talk, trial: Trial, tell: Tell) -> None:
    """Let the bot speak and hear in its session, where that is wished for."""
    for wished, steps, try_ in (
        (trial.speak, speaking.STEPS, speaking.speaking_rows),
        (trial.hear, hearing.STEPS, hearing.hearing_rows),
    ):
        if not wished:
            continue
        if talk.ready is None:
            rows: Sequence[Row] = [skipped(step, "settings", bot.about) for step in steps]
        else:
            rows = await try_(bot, talk)
        for row in rows:
            tell(row)
