"""Makes the checks in the order of cause and effect: settings, the way, the credential, each bot's session."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from gateway.config import Deployment, Line
from gateway.config.api_versions import DEFAULT_API_VERSION, newer_members
from gateway.config.records.recordings import FILE
from gateway.config.telling.origins import origins
from gateway.doctor.phone.account import Account, account_checked
from gateway.doctor.receivers import receivers_tried
from gateway.doctor.recordings import store_tried
from gateway.doctor.row import Outcome, Row, fine, reduced, skipped
from gateway.doctor.sessions.bots import Bot, bots_of
from gateway.doctor.sessions.credential import key_found, token_checked
from gateway.doctor.sessions.opened import STEPS
from gateway.doctor.sessions.trying import Trial, try_bot
from gateway.doctor.way.address import Address, address_of
from gateway.doctor.way.clock import compared
from gateway.doctor.way.proxy import proxied
from gateway.doctor.way.reach import reached
from gateway.network.name_look_up import Connector
from gateway.voice.bot import Agent
from gateway.voice.service import VoiceLive

PACE_S = 2.0
"""The time between two connections: 30 in a minute, the smallest documented quota of new connections."""
VOICE_LIVE = "Voice Live"
Tell = Callable[[Row], None]


@dataclass(frozen=True)
class Means:
    """The things that checks act with."""

    service: VoiceLive
    http: aiohttp.ClientSession
    now_s: Callable[[], float]
    pace_s: float
    about: str
    """The service in the rows: with its endpoint's name where there are several."""


@dataclass(frozen=True)
class Wishes:
    """The checks that are made only when they are asked for."""

    speak: bool = False
    hear: bool = False
    phone: tuple[str, ...] = ()
    """The accounts to look at from their providers' side."""


@asynccontextmanager
async def means_for(
    service: VoiceLive, *, now_s: Callable[[], float] = time.time, pace_s: float = PACE_S, about: str = VOICE_LIVE
) -> AsyncIterator[Means]:
    """Yield the means to examine a service that is in use."""
    async with aiohttp.ClientSession(connector=Connector(force_close=True)) as http:
        yield Means(service, http, now_s, pace_s, about)


async def examine(deployment: Deployment, lines: Sequence[Line], means: Means, tell: Tell, wishes: Wishes) -> None:
    """Make the checks, and tell each row as it is found; what costs audio only where it is wished for."""
    for row in await asyncio.to_thread(settings_rows, deployment):  # reads a file, while calls may be in progress
        tell(row)
    if deployment.recordings.kind != FILE:
        tell(await store_tried(deployment))
    for row in await receivers_tried(deployment, lines):
        tell(row)
    await examine_endpoint(deployment, lines, means, tell, wishes)
    for name in wishes.phone:
        settings = await asyncio.to_thread(origins, deployment, ("providers", name))
        await account_checked(Account(name, deployment, lines, settings), means.http, means.now_s, tell)


async def examine_endpoint(
    deployment: Deployment, lines: Sequence[Line], means: Means, tell: Tell, wishes: Wishes
) -> None:
    """Make the checks of one endpoint: the way there, the credential, the session of each bot."""
    bots = bots_of(deployment, lines, datetime.fromtimestamp(means.now_s(), UTC))
    address = address_of(means.service.endpoint)
    broken = await _way_checked(address, deployment, means, tell)
    if broken:
        tell(skipped("clock", broken, means.about))
        tell(skipped("credential", broken, means.about))
        for bot in bots:
            tell(skipped(STEPS[0], broken, bot.about))
        return
    tell(await compared(means.http, address, means.about, means.now_s))
    tell(version_row(deployment.voice_live.api_version))
    for row in await _credentials(deployment, bots, means):
        tell(row)
    trial = Trial(means.service, means.pace_s, wishes.speak, wishes.hear)
    for number, bot in enumerate(bots):
        if number:
            await asyncio.sleep(means.pace_s)
        await try_bot(bot, trial, tell)


def settings_rows(deployment: Deployment) -> list[Row]:
    """Return the settings that reach the outside, each with its value and its origin."""
    found = origins(deployment, ("public_url",), ("voice_live",))
    return [fine(one.key, f"{one.value} ({one.origin})", str(deployment.file)) for one in found]


async def _way_checked(address: Address, deployment: Deployment, means: Means, tell: Tell) -> str:
    """Check the way to the service; return the name of the step that failed, or nothing."""
    rows = await reached(address, means.about)
    broken = next((row.name for row in rows if row.outcome is Outcome.FAILED), "")
    for row in (*rows, proxied(address, deployment.environ, means.about, is_reached=not broken)):
        tell(row)
    return broken


def version_row(api_version: str) -> Row:
    """Return the row of the API version: an older one does not know all members of a session."""
    if api_version < DEFAULT_API_VERSION:
        newer = ", ".join(newer_members(api_version)) or "nothing that a session has"
        detail = f"{api_version} is older than {DEFAULT_API_VERSION}, and does not know: {newer}"
        return reduced("version", detail, f"set voice_live.api_version to {DEFAULT_API_VERSION}", VOICE_LIVE)
    return fine("version", api_version, VOICE_LIVE)


async def _credentials(deployment: Deployment, bots: Sequence[Bot], means: Means) -> list[Row]:
    rows = []
    has_key = means.service.has_key
    if has_key:
        path = ("voice_live", "endpoints" if deployment.voice_live.endpoints else "key")
        (key,) = await asyncio.to_thread(origins, deployment, path)
        rows.append(key_found(key.origin))
    if not has_key or any(isinstance(bot.answering, Agent) for bot in bots):
        rows.append(await token_checked(means.service.token, means.service.scope, means.now_s))
    return rows
