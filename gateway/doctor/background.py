"""Examines the first line of a gateway that has started, beside its calls, and logs what is to be mended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from gateway.config import Deployment, Lines
from gateway.doctor.examination import Wishes, examine, means_for
from gateway.doctor.row import Outcome, Row, exit_code
from gateway.voice.service import VoiceLive

log = structlog.get_logger()

_GRAVE = (Outcome.CONFIGURATION, Outcome.FAILED)
_SLIGHT = (Outcome.UNCLEAR, Outcome.REDUCED)


@asynccontextmanager
async def examining(deployment: Deployment, lines: Lines, service: VoiceLive) -> AsyncIterator[None]:
    """Make the checks that cost no audio while the block runs; what is left of them at its end is given up.

    The sessions are opened by ``service``, so that calls profit from what it learns.
    """
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_examine(deployment, lines, service))
        try:
            yield
        finally:
            task.cancel()


async def _examine(deployment: Deployment, lines: Lines, service: VoiceLive) -> None:
    rows: list[Row] = []

    def tell(row: Row) -> None:
        rows.append(row)
        fields = {"check": row.name, "about": row.about, "detail": row.detail, "remedy": row.remedy}
        if row.outcome in _GRAVE:
            log.error("doctor_found", **fields)
        elif row.outcome in _SLIGHT:
            log.warning("doctor_found", **fields)

    try:
        async with means_for(service) as means:
            await examine(deployment, list(lines)[:1], means, tell, Wishes())
    except Exception:  # a bug, which must not end the gateway
        log.exception("doctor_gave_up")
    else:
        log.info("doctor_done", checks=len(rows), code=exit_code(rows))
