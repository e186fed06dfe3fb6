"""Webhooks: verified against the public URL, answered with the document that connects the call."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree import ElementTree as Xml

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.sim.providers.twilio import signature
from tests.e2e.rig import Rig, configuration, instant, rig

TOKEN = "12345"
PUBLIC = "https://voice.example.com/phone"
GATEWAY = f"public_url: {PUBLIC}\nproviders: {{twilio: {{}}}}\n"
CALL = {"CallSid": "CA1", "From": "+14155550123", "To": "+14255550100", "CallStatus": "ringing"}


@asynccontextmanager
async def gateway(folder: Path, *, text: str = GATEWAY, token: str = TOKEN) -> AsyncIterator[Rig]:
    environ = {"TWILIO_AUTH_TOKEN": token} if token else {}
    async with rig(configuration(folder, gateway=text), instant(), environ=environ) as held:
        yield held


async def post(
    held: Rig, path: str, form: Mapping[str, str] = CALL, *, sign: str | None = None, body: bytes | None = None
) -> tuple[int, str, str]:
    """Status, content type and text of the answer to a webhook, signed over ``sign`` (rightly, where not given)."""
    headers = {"X-Twilio-Signature": signature(TOKEN, PUBLIC + path if sign is None else sign, form)}
    data: bytes | Mapping[str, str] = form if body is None else body
    async with aiohttp.ClientSession() as http, http.post(held.gateway.url + path, data=data, headers=headers) as said:
        return said.status, said.content_type, await said.text()


@pytest.mark.parametrize(("path", "stream"), [("", ""), ("/support", "/support")])
async def test_an_incoming_call_is_connected(tmp_path: Path, path: str, stream: str) -> None:
    """TwiML with the stream's public wss URL, the line where the webhook names one, and both numbers."""
    async with gateway(tmp_path) as held:
        status, kind, text = await post(held, f"/answer/twilio{path}")
    assert (status, kind) == (200, "text/xml")
    (element,) = Xml.fromstring(text).iter("Stream")  # noqa: S314 -- our own document
    assert element.get("url") == f"wss://voice.example.com/phone/stream/twilio{stream}"
    given = {parameter.get("name"): parameter.get("value") for parameter in element}
    assert given == {"from": "+14155550123", "to": "+14255550100"}


async def test_the_query_is_signed_too(tmp_path: Path) -> None:
    """The URL is checked as the provider was given it, query included."""
    async with gateway(tmp_path) as held:
        assert (await post(held, "/answer/twilio?a=%20b"))[0] == 200


@pytest.mark.parametrize(
    "sign", ["", "http://127.0.0.1/answer/twilio", f"{PUBLIC}/answer/twilio/support", f"{PUBLIC}/status/twilio"]
)
async def test_a_wrong_signature_is_told_nothing(tmp_path: Path, sign: str) -> None:
    """403 without a reason, whatever was signed instead; the reason is in the log and the metrics."""
    async with gateway(tmp_path) as held:
        with capture_logs() as logs:
            assert await post(held, "/answer/twilio", sign=sign) == (403, "text/plain", "forbidden\n")
        assert await held.metric("gateway_calls_refused_total", reason="bad_signature") == 1
    assert [(entry["event"], entry["reason"]) for entry in logs if entry["log_level"] == "warning"] == [
        ("webhook_refused", "bad_signature")
    ]
    assert "+1" not in str(logs)


async def test_a_changed_form_breaks_the_signature(tmp_path: Path) -> None:
    """Who calls cannot be changed on the way."""
    async with gateway(tmp_path) as held:
        body = b"CallSid=CA1&From=%2B1&To=%2B14255550100&CallStatus=ringing"
        assert (await post(held, "/answer/twilio", body=body))[0] == 403


@pytest.mark.parametrize(
    ("text", "token"), [(GATEWAY, ""), ("providers: {twilio: {}}\n", TOKEN)], ids=["no token", "no public_url"]
)
async def test_without_what_it_takes_to_verify_every_webhook_is_refused(tmp_path: Path, text: str, token: str) -> None:
    """A gateway that cannot tell right from wrong says no, and said so in its log when it started."""
    with capture_logs() as logs:
        async with gateway(tmp_path, text=text, token=token) as held:
            assert (await post(held, "/answer/twilio"))[0] == 403
    assert [entry["provider"] for entry in logs if entry["event"] == "webhooks_refused"] == ["twilio"]


@pytest.mark.parametrize("path", ["/answer/nobody", "/answer/twilio/nowhere", "/status/nobody"])
async def test_unknown_providers_and_lines(tmp_path: Path, path: str) -> None:
    """404, also where the request is signed."""
    async with gateway(tmp_path) as held:
        assert (await post(held, path))[0] == 404


async def test_a_webhook_that_names_no_call(tmp_path: Path) -> None:
    """400 says what was expected."""
    async with gateway(tmp_path) as held:
        status, _, text = await post(held, "/answer/twilio", {"To": "+14255550100"})
    assert status == 400
    assert "CallSid" in text


async def test_a_webhook_of_a_megabyte(tmp_path: Path) -> None:
    """413: it is not read to its end."""
    async with gateway(tmp_path) as held:
        assert (await post(held, "/answer/twilio", body=b"a=" + b"x" * 1_000_000))[0] == 413


@pytest.mark.parametrize("body", [b"&" * 60_000 + b"a=b", b"a=b&" * 500, b"a=\xff\xfe"])
async def test_a_form_that_is_none(tmp_path: Path, body: bytes) -> None:
    """Fields without end, or bytes that are no text, are a bad request."""
    async with gateway(tmp_path) as held, aiohttp.ClientSession() as http:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        async with http.post(f"{held.gateway.url}/answer/twilio", data=body, headers=headers) as said:
            assert (said.status, await said.text()) == (400, "not a form\n")


async def test_a_status_callback_is_noted(tmp_path: Path) -> None:
    """204, and the call's new state in the log; unsigned it is refused."""
    async with gateway(tmp_path) as held:
        with capture_logs() as logs:
            assert (await post(held, "/status/twilio", {**CALL, "CallStatus": "completed"}))[0] == 204
        assert (await post(held, "/status/twilio", sign="x"))[0] == 403
    assert {"event": "call_status", "call": "CA1", "status": "completed", "log_level": "info"} in logs
