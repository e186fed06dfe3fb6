"""Requests that are no proper HTTP: refused by aiohttp, noted like every refusal, and told without what they held."""

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from gateway.call.metrics import Metrics
from gateway.routes.refusing.http_errors import http_log
from gateway.routes.refusing.refusals import Refusals
from tests.e2e.rig import configuration, instant, rig

POST = b"POST /answer/twilio HTTP/1.1\r\nHost: here\r\n"


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "Bad"),
        (b"POST /answer/caf\xe9 HTTP/1.1\r\nHost: here\r\n\r\n", "InvalidURLError"),
        (b"POST /answer/twilio HTTP/1.1\r\n\r\n", "BadHttpMessage: Missing 'Host' header"),
        (POST + b"Authorization: Bearer s3cret\x00\r\n\r\n", "Invalid"),
        (POST + b"X: " + b"s3cret" * 2000 + b"\r\n\r\n", "LineTooLong: Got more than 8190 bytes"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nZs3cret\r\n", "BadHttpMessage: Invalid character in chunk size"),
    ],
)
async def test_what_is_no_http_is_refused_with_a_trace(tmp_path: Path, request_: bytes, fault: str) -> None:
    """400, one warning that names the fault and holds nothing of the request, and a count."""
    async with rig(configuration(tmp_path), instant()) as held:
        address = urlsplit(held.gateway.url)
        with capture_logs() as logs:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(request_)
            assert b" 400 " in await reader.readline()
            assert b"Server:" not in await reader.read()
            writer.close()
            await writer.wait_closed()
        (entry,) = logs
        assert (entry["event"], entry["reason"], entry["log_level"]) == ("request_refused", "malformed", "warning")
        assert fault in entry["detail"]
        assert "s3cret" not in str(entry)
        assert await held.metric("gateway_calls_refused_total", reason="malformed") == 1


def test_anything_else_is_logged_as_before(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in a route is told by aiohttp's own logger, with its traceback."""
    log = http_log(Refusals(Metrics()).note)
    with caplog.at_level(logging.INFO, "aiohttp.server"):
        log.debug("a client went away")
        log.error("a bug", exc_info=ZeroDivisionError("by zero"))
    assert [record.message for record in caplog.records] == ["a bug"]
    assert caplog.records[0].exc_info is not None
