"""Tries an endpoint whose circuit was open, in the background, so that no caller has to; none while all is well."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from gateway.voice.bot import Answering
from gateway.voice.endpoints.lease import Lease
from gateway.voice.endpoints.pooled import PooledVoiceLive
from gateway.voice.service import VoiceConnectionError

log = structlog.get_logger()

APART_S = (0.0, 0.5)
"""The bounds of the random time before a probe, so that workers and replicas do not probe together."""


@asynccontextmanager
async def probing(service: PooledVoiceLive, answering: Answering | None) -> AsyncIterator[None]:
    """Probe endpoints until the block ends: one connection for each time that a circuit becomes half open.

    ``answering`` is the model or agent that is asked for; without one nothing is probed but by calls.
    """
    if answering is None:
        yield
        return
    group = asyncio.TaskGroup()
    await group.__aenter__()
    task = group.create_task(_probe(service, answering))
    try:
        yield
    finally:
        task.cancel()
        await group.__aexit__(None, None, None)  # without the block's error, which a group would wrap


async def _probe(service: PooledVoiceLive, answering: Answering) -> None:
    loop = asyncio.get_running_loop()
    opened = asyncio.Event()
    service.pool.opened = opened.set
    while True:
        due = service.pool.probe_due(loop.time())
        if due is None:
            opened.clear()
            await opened.wait()
            continue
        await asyncio.sleep(max(0.0, due - loop.time()) + random.uniform(*APART_S))  # noqa: S311 -- no secret
        if (lease := service.probe()) is not None:
            await _connect(lease, answering)


async def _connect(lease: Lease, answering: Answering) -> None:
    """Connect and close: a handshake says whether the endpoint is there, takes the credential and has quota."""
    try:
        socket = await lease.connect(answering)
    except VoiceConnectionError as error:
        log.info("endpoint_probed", endpoint=lease.name, detail=str(error))
    except Exception:  # a bug, which must not end the gateway
        log.exception("endpoint_not_probed", endpoint=lease.name)
    else:
        lease.answered()
        await socket.close()
    finally:
        lease.end()
