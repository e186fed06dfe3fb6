"""Tries the way to the receivers of the events of calls; nothing is sent to them."""

import asyncio
from collections.abc import Iterable

from gateway.config import Deployment, Line
from gateway.doctor.row import Outcome, Row, fine, reduced
from gateway.doctor.way.address import address_of
from gateway.doctor.way.reach import reached

NAME = "receiver"


async def receivers_tried(deployment: Deployment, lines: Iterable[Line]) -> list[Row]:
    """Return a row for each receiver: its name, a connection and TLS. Calls work without it, and events wait."""
    urls = {receiver.label: receiver.url for receiver in deployment.deliver}
    for line in lines:
        urls |= {f"{line.name}/{receiver.label}": receiver.url for receiver in line.settings.deliver or ()}
    return await asyncio.gather(*(_tried(name, url) for name, url in urls.items()))


async def _tried(name: str, url: str) -> Row:
    rows = await reached(address_of(url), name)
    bad = next((row for row in rows if row.outcome is Outcome.FAILED or _expires(row)), None)
    if bad is not None:
        return reduced(NAME, f"{bad.name}: {bad.detail}", bad.remedy, name)
    return fine(NAME, f"reached; gateway records redeliver --test {name} sends it a message", name)


def _expires(row: Row) -> bool:
    """Return ``True`` for a certificate that expires soon; that a look-up is slow matters to calls alone."""
    return row.name == "tls" and row.outcome is Outcome.REDUCED
