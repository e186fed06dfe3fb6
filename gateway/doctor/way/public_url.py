"""Checks the public URL from here: name, connection, certificate, and that a gateway answers there."""

import asyncio

import aiohttp

from gateway.doctor.row import Outcome, Row, failed, fine, skipped, unclear
from gateway.doctor.way.address import address_of
from gateway.doctor.way.reach import reached

LIMIT_S = 5.0
ABOUT = "public URL"
_NOBODY_BEHIND = (502, 503, 504)


async def public_url_checked(http: aiohttp.ClientSession, public_url: str, account: str) -> list[Row]:
    """Return the rows of the public URL. Asks ``/healthz`` and, where that is private, the account's webhook."""
    rows = await reached(address_of(public_url), ABOUT)
    broken = next((row for row in rows if row.outcome is Outcome.FAILED), None)
    if broken is not None:
        return [*rows, skipped("gateway", broken.name, ABOUT)]
    return [*rows, await _answered(http, public_url, account)]


async def _answered(http: aiohttp.ClientSession, public_url: str, account: str) -> Row:
    try:
        status = await _status(http, f"{public_url}/healthz")
        if status == 200:
            return fine("gateway", f"{public_url}/healthz answers", ABOUT)
        if status in _NOBODY_BEHIND:
            detail = f"{public_url} answers with {status}: what stands there reaches no gateway behind it"
            return failed("gateway", detail, "start gateway serve, or correct the proxy's destination", ABOUT)
        webhook = f"/answer/{account}"
        status = await _status(http, public_url + webhook)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        detail = f"{public_url} does not answer: {str(error) or f'nothing within {LIMIT_S:g} s'}"
        return failed("gateway", detail, "start gateway serve, or correct the proxy or tunnel in front of it", ABOUT)
    if status == 403:  # an unsigned request, which is refused as it must be
        return fine("gateway", f"{public_url}{webhook} answers, and refuses what is not signed", ABOUT)
    if status == 404:
        detail = f"{public_url}{webhook} is not there"
        remedy = "let the proxy pass the path on as it is, and public_url name what stands before /answer"
        return failed("gateway", detail, remedy, ABOUT)
    detail = f"{public_url}{webhook} answers with {status}, which this gateway does not"
    return unclear("gateway", detail, "see to it that the proxy passes requests on to the gateway", ABOUT)


async def _status(http: aiohttp.ClientSession, url: str) -> int:
    async with asyncio.timeout(LIMIT_S), http.get(url, allow_redirects=False) as answer:
        return answer.status
