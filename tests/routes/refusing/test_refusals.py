"""Refusals: whatever is turned away leaves a line in the log, with a hint, and a count."""

import asyncio
import contextlib
import gzip
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
import pytest
from multidict import CIMultiDict
from structlog.testing import capture_logs
from yarl import URL

from gateway.call.metrics import Metrics
from gateway.call.refusal import Refusal
from gateway.routes import webhooks as answer
from gateway.routes.refusing.refusals import KINDS, Refusals, Refused, shown
from gateway.sim.providers.twilio import signature
from tests.e2e.rig import Rig, configuration, instant, listening, rig
from tests.virtual_time import virtual_time

TOKEN = "12345"
SECRET = "the secret that Vonage signs webhooks with"
PUBLIC = "https://voice.example.com/phone"
GATEWAY = f"public_url: {PUBLIC}\nproviders: {{twilio: {{}}, vonage: {{}}}}\n"
CALL = {"CallSid": "CA1", "From": "+14155550123", "To": "+14255550100", "CallStatus": "ringing"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}


@asynccontextmanager
async def gateway(folder: Path) -> AsyncIterator[Rig]:
    async with rig(configuration(folder, gateway=GATEWAY), instant(), environ={"TWILIO_AUTH_TOKEN": TOKEN}) as held:
        yield held


async def refused(
    held: Rig, method: str, path: str, **request: Any
) -> tuple[int, Mapping[str, Any], Mapping[str, str]]:
    """The status of a request that is turned away, the one line of the log about it, and the answer's headers."""
    with capture_logs() as logs:
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, URL(held.gateway.url + path, encoded=True), **request) as said,
        ):
            await said.read()
    (entry,) = [entry for entry in logs if entry["event"].endswith("_refused")]
    assert entry["log_level"] == "warning"
    assert entry["hint"]
    assert await held.metric("gateway_calls_refused_total", reason=entry["reason"]) == 1
    return said.status, entry, said.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "event", "reason"),
    [
        ("POST", "//answer/twilio", 404, "webhook_refused", "unknown_path"),
        ("POST", "/answer", 404, "webhook_refused", "unknown_path"),
        ("POST", "/answer/", 404, "webhook_refused", "unknown_path"),
        ("POST", "/answer/twilio/support/more", 404, "webhook_refused", "unknown_path"),
        ("POST", "/status", 404, "webhook_refused", "unknown_path"),
        ("POST", "/status/twilio/support", 404, "webhook_refused", "unknown_path"),
        ("GET", "/stream", 404, "stream_refused", "unknown_path"),
        ("GET", "/stream/twilio/support/token/more", 404, "stream_refused", "unknown_path"),
        ("POST", "/phone/answer/twilio", 404, "request_refused", "unknown_path"),
        ("GET", "/", 404, "request_refused", "unknown_path"),
        ("GET", "/Xanswer/twilio", 404, "request_refused", "unknown_path"),
        ("PUT", "/answer/twilio", 405, "webhook_refused", "wrong_method"),
        ("PATCH", "/answer/twilio/support", 405, "webhook_refused", "wrong_method"),
        ("DELETE", "/status/twilio", 405, "webhook_refused", "wrong_method"),
        ("HEAD", "/answer/twilio", 405, "webhook_refused", "wrong_method"),
        ("HEAD", "/status/twilio", 405, "webhook_refused", "wrong_method"),
        ("HEAD", "/stream/twilio", 405, "stream_refused", "wrong_method"),
        ("OPTIONS", "/answer/twilio", 405, "webhook_refused", "wrong_method"),
        ("OPTIONS", "/stream/twilio/support", 405, "stream_refused", "wrong_method"),
        ("POST", "/stream/twilio", 405, "stream_refused", "wrong_method"),
        ("POST", "/metrics", 405, "request_refused", "wrong_method"),
        ("POST", "/answer/telnyx", 404, "webhook_refused", "unknown_provider"),
        ("GET", "/status/nobody", 404, "webhook_refused", "unknown_provider"),
        ("GET", "/stream/telnyx", 404, "stream_refused", "unknown_provider"),
        ("GET", "/stream/twilio", 426, "stream_refused", "no_upgrade"),
        ("POST", "/answer/twilio", 403, "webhook_refused", "bad_signature"),
        ("GET", "/status/vonage", 403, "webhook_refused", "bad_signature"),
    ],
)
async def test_every_refusal_leaves_a_trace(
    tmp_path: Path, method: str, path: str, status: int, event: str, reason: str
) -> None:
    """Unknown paths, wrong methods, unserved providers: one warning with method, path and a hint, and one count."""
    async with gateway(tmp_path) as held:
        got, entry, headers = await refused(held, method, path)
    assert (got, entry["event"], entry["reason"]) == (status, event, reason)
    assert entry["method"] == method
    assert entry["path"].startswith(path[:8])
    if status == 405:
        assert headers["Allow"]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("//answer/twilio", "a doubled slash"),
        ("/phone/answer/twilio", "the proxy in front passes on /phone of public_url"),
        ("/answer", "/answer/<provider>"),
        ("/answer/telnyx", "name it under providers in gateway.yaml; served are twilio, vonage"),
    ],
)
async def test_the_hint_says_what_is_to_be_changed(tmp_path: Path, path: str, hint: str) -> None:
    """A path that nearly fits is told apart from any other."""
    async with gateway(tmp_path) as held:
        assert hint in (await refused(held, "POST", path))[1]["hint"]


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("PUT", "/answer/twilio", KINDS[Refusal.WRONG_METHOD].hint),
        ("POST", "/stream/twilio", "expected GET"),
        ("POST", "/metrics", "expected GET or HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_one(tmp_path: Path, method: str, path: str, hint: str) -> None:
    """Of a webhook the method is set at the provider; nobody sets that of any other request."""
    async with gateway(tmp_path) as held:
        assert (await refused(held, method, path))[1]["hint"] == hint


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason", "detail"),
    [
        (b"a=Jos\xe9", FORM, 400, "not_a_form", "byte 5 of the body is 0xe9: not UTF-8"),
        (b"a=b&" * 300, FORM, 400, "too_many_fields", "more than 200 fields"),
        (b"a=" + b"x" * 100_000, FORM, 413, "too_large", "more than 65536 bytes"),
        (
            gzip.compress(b"a=b", mtime=0),
            {**FORM, "Content-Encoding": "gzip"},
            415,
            "encoded_body",
            "Content-Encoding 'gzip'",
        ),
        (b"broken", {**FORM, "Content-Encoding": "deflate, br"}, 415, "encoded_body", "'deflate, br', expected none"),
        (b"a=b", {**FORM, "Expect": "a miracle"}, 417, "bad_expectation", ""),
    ],
)
async def test_a_body_that_cannot_be_taken(
    tmp_path: Path, body: bytes, headers: dict[str, str], status: int, reason: str, detail: str
) -> None:
    """Latin-1, too many fields, too long, compressed: the log names the fault, and where it is."""
    async with gateway(tmp_path) as held:
        got, entry, _ = await refused(held, "POST", "/answer/twilio", data=body, headers=headers)
    assert (got, entry["reason"]) == (status, reason)
    assert detail in entry["detail"]


async def test_a_body_that_says_that_it_is_not_compressed_is_taken(tmp_path: Path) -> None:
    """And one that waits to be asked for is asked for (RFC 9110 §10.1.1)."""
    headers = {"X-Twilio-Signature": signature(TOKEN, f"{PUBLIC}/answer/twilio", CALL), "Content-Encoding": " Identity"}
    async with (
        gateway(tmp_path) as held,
        asyncio.timeout(10),
        aiohttp.ClientSession() as http,
        http.post(f"{held.gateway.url}/answer/twilio", data=CALL, headers=headers, expect100=True) as said,
    ):
        assert said.status == 200


async def test_an_older_http_expects_nothing(tmp_path: Path) -> None:
    """Its peer would not understand an answer before the answer (RFC 9110 §10.1.1)."""
    async with gateway(tmp_path) as held:
        address = urlsplit(held.gateway.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"POST /answer/twilio HTTP/1.0\r\nHost: here\r\nExpect: a miracle\r\nContent-Length: 3\r\n\r\na=b")
        assert b" 403 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


@virtual_time
async def test_who_was_refused_half_way_may_not_go_on(tmp_path: Path) -> None:
    """The rest of a body that is too long is not waited for."""
    async with gateway(tmp_path) as held:
        address = urlsplit(held.gateway.url)
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        began = loop.time()
        writer.write(b"POST /answer/twilio HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 70_000)
        assert b" 413 " in await reader.readline()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        assert loop.time() - began < 5
        writer.transport.abort()


@virtual_time
async def test_each_flood_is_told_when_its_period_is_over(tmp_path: Path) -> None:
    """One that begins later is told later, and not only when the next refusal comes."""
    with capture_logs() as logs:
        async with Refusals(Metrics()) as refusals:
            for _ in range(21):
                refusals.note("webhook", Refused(Refusal.BAD_SIGNATURE))
            await asyncio.sleep(30)
            for _ in range(22):
                refusals.note("stream", Refused(Refusal.UNAUTHORIZED))
            await asyncio.sleep(30.1)
            assert counts(logs) == [("webhook", "bad_signature", 1)]
            await asyncio.sleep(30)
            assert counts(logs) == [("webhook", "bad_signature", 1), ("stream", "unauthorized", 2)]
            await asyncio.sleep(100)
            assert len(counts(logs)) == 2
            for _ in range(20):
                refusals.note("request", Refused(Refusal.UNKNOWN_PATH))
            await asyncio.sleep(59.5)
            refusals.note("request", Refused(Refusal.UNKNOWN_PATH))
            await asyncio.sleep(0.6)
            assert counts(logs)[2:] == [("request", "unknown_path", 1)]
    assert len(counts(logs)) == 3


@virtual_time
async def test_a_flood_of_expectations_is_told_as_one_of_requests(tmp_path: Path) -> None:
    """They are refused before anybody knows what they are for."""
    with capture_logs() as logs:
        async with gateway(tmp_path) as held, aiohttp.ClientSession() as http:
            for _ in range(22):
                async with http.post(f"{held.gateway.url}/answer/twilio", headers={"Expect": "a miracle"}) as said:
                    assert said.status == 417
    assert counts(logs) == [("request", "bad_expectation", 2)]


def counts(logs: Sequence[Mapping[str, object]]) -> list[tuple[object, object, object]]:
    """What is told of refusals that were left out."""
    return [(entry["what"], entry["reason"], entry["count"]) for entry in logs if entry["event"] == "refusals_left_out"]


async def test_too_many_parameters_in_the_query(tmp_path: Path) -> None:
    """The bound on fields holds for a GET too."""
    async with gateway(tmp_path) as held:
        status, entry, _ = await refused(held, "GET", "/answer/twilio?" + "a=b&" * 300)
    assert (status, entry["reason"]) == (400, "too_many_fields")


async def test_a_body_that_does_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """408 where it is too slow; a body that is cut off is noted, though nobody is left to be told."""
    monkeypatch.setattr(answer, "BODY_TIMEOUT_S", 0.05)
    async with gateway(tmp_path) as held:
        address = urlsplit(held.gateway.url)
        with capture_logs() as logs:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(b"POST /answer/twilio HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\na=b")
            assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
            writer.close()
            await writer.wait_closed()
        assert [(entry["event"], entry["reason"], entry["detail"]) for entry in logs] == [
            ("webhook_refused", "too_slow", "3 bytes of the body in 0.05 s")
        ]
        assert await held.metric("gateway_calls_refused_total", reason="too_slow") == 1


async def test_a_body_that_is_cut_off_is_noted(tmp_path: Path) -> None:
    """With how much of it came, and not of what it held; nobody is left to be told."""
    async with gateway(tmp_path) as held:
        address = urlsplit(held.gateway.url)
        with listening() as log:
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(b"POST /answer/twilio HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\na=b")
            await writer.drain()
            writer.close()
            refused = await log.until("webhook_refused")
            await writer.wait_closed()
    assert (refused["reason"], refused["detail"].partition(" of the body, then ")[0]) == ("cut_off", "3 bytes")
    assert refused["detail"].endswith("Error")


async def test_a_stream_that_is_no_handshake(tmp_path: Path) -> None:
    """An upgrade without its key is refused, and counted as what it is."""
    text = 'providers: {twilio: {}}\nstreams: {auth: "off"}\n'
    async with rig(configuration(tmp_path, gateway=text), instant()) as held:
        status, entry, _ = await refused(held, "GET", "/stream/twilio", headers=UPGRADE)
    assert (status, entry["event"], entry["reason"]) == (400, "stream_refused", "bad_handshake")


@pytest.mark.parametrize(("method", "path"), [("POST", "/answer/twilio/"), ("POST", "/answer/twilio/support/")])
async def test_a_slash_at_the_end_is_taken(tmp_path: Path, method: str, path: str) -> None:
    """It is part of the URL that the provider signed, and of nothing else."""
    async with gateway(tmp_path) as held, aiohttp.ClientSession() as http:
        headers = {"X-Twilio-Signature": signature(TOKEN, PUBLIC + path, CALL)}
        async with http.request(method, held.gateway.url + path, data=CALL, headers=headers) as said:
            assert (said.status, "<Connect>" in await said.text()) == (200, True)


async def test_a_status_may_come_by_get_and_with_a_slash(tmp_path: Path) -> None:
    """The fields are in the query then; 204 and the call's state in the log, as by POST."""
    async with gateway(tmp_path) as held, aiohttp.ClientSession() as http:
        for path in ("/status/twilio", "/status/twilio/"):
            target = f"{path}?CallSid=CA1&CallStatus=completed"
            headers = {"X-Twilio-Signature": signature(TOKEN, PUBLIC + target)}
            with capture_logs() as logs:
                async with http.get(URL(held.gateway.url + target, encoded=True), headers=headers) as said:
                    assert said.status == 204
            assert [entry["status"] for entry in logs if entry["event"] == "call_status"] == ["completed"]


async def test_vonage_may_be_set_to_get(tmp_path: Path) -> None:
    """Its events come in the query then, signed by a token without a hash of a body."""
    now_s = int(time.time())
    text = f"public_url: {PUBLIC}\nproviders: {{vonage: {{}}}}\n"
    environ = {"VONAGE_SIGNATURE_SECRET": SECRET}
    async with (
        rig(configuration(tmp_path, gateway=text), instant(), environ=environ) as held,
        aiohttp.ClientSession() as http,
    ):
        token = jwt.encode({"iat": now_s, "jti": "j1"}, SECRET, "HS256")
        headers = {"Authorization": f"Bearer {token}"}
        with capture_logs() as logs:
            target = f"{held.gateway.url}/status/vonage?uuid=u1&status=completed"
            async with http.get(target, headers=headers) as said:
                assert said.status == 204
    assert [entry["call"] for entry in logs if entry["event"] == "call_status"] == ["u1"]


async def test_a_token_may_have_a_slash_behind_it(tmp_path: Path) -> None:
    """Twilio appends one to the stream's address at times, and signs what it opens."""
    async with gateway(tmp_path) as held, aiohttp.ClientSession() as http:
        headers = {"X-Twilio-Signature": signature(TOKEN, f"{PUBLIC}/answer/twilio", CALL)}
        async with http.post(f"{held.gateway.url}/answer/twilio", data=CALL, headers=headers) as said:
            (url,) = re.findall(r'Stream url="wss://voice.example.com/phone([^"]+)"', await said.text())
        headers = {"X-Twilio-Signature": signature(TOKEN, f"{PUBLIC.replace('http', 'ws')}{url}/")}
        async with http.ws_connect(f"{held.gateway.url}{url}/", headers=headers):
            pass


async def test_a_stream_may_have_a_slash_at_the_end(tmp_path: Path) -> None:
    """Some providers append one to the address that our document gave them."""
    text = 'providers: {twilio: {}}\nstreams: {auth: "off"}\n'
    async with rig(configuration(tmp_path, gateway=text), instant()) as held, aiohttp.ClientSession() as http:
        for path in ("/stream/twilio/", "/stream/twilio/support/"):
            async with http.ws_connect(held.gateway.url + path):
                pass


async def test_health_may_be_asked_by_head(tmp_path: Path) -> None:
    """Load balancers do."""
    async with (
        gateway(tmp_path) as held,
        aiohttp.ClientSession() as http,
        http.head(f"{held.gateway.url}/healthz") as said,
    ):
        assert said.status == 200


def test_every_reason_has_its_hint() -> None:
    """None is without a status, a text and advice."""
    assert set(KINDS) == set(Refusal)
    assert all(kind.text and kind.hint and 400 <= kind.status < 600 for kind in KINDS.values())


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/answer/acs?secret=s3cret", "/answer/acs"),
        ("/answer/twilio/support/", "/answer/twilio/support/"),
        ("/answer/twilio/support/more", "/answer/twilio/support/…"),
        ("/status/twilio/support/more", "/status/twilio/support/…"),
        ("/stream/twilio/", "/stream/twilio/"),
        ("/Stream/twilio/t0ken", "/Stream/twilio/…"),
        ("//stream/twilio/t0ken", "//stream/…"),
        ("/phone/stream/twilio/t0ken", "/phone/stream/…"),
        ("http://h/stream/twilio/t0ken", "//h/…"),
        ("/stream/twilio/t0ken", "/stream/twilio/…"),
        ("/stream/twilio/support/t0ken", "/stream/twilio/…"),
        ("/" + "x" * 200, "/" + "x" * 119),
    ],
)
def test_the_log_shows_no_token_of_a_path(target: str, expected: str) -> None:
    """Query, token and static secret are left out, and no path fills the log."""
    assert shown(target) == expected


@virtual_time
async def test_a_flood_of_refusals_is_told_in_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a reason twenty lines in a period, then how many more there were; every one counts, no other is hidden."""
    monkeypatch.setattr("gateway.routes.refusing.flood.PERIOD_S", 10)
    with capture_logs() as logs:
        async with gateway(tmp_path) as held, aiohttp.ClientSession() as http:
            for _ in range(50):
                async with http.post(f"{held.gateway.url}/answer/twilio", data=CALL) as said:
                    assert said.status == 403
            async with http.get(f"{held.gateway.url}/nowhere") as said:
                assert said.status == 404
            assert await held.metric("gateway_calls_refused_total", reason="bad_signature") == 50
            await asyncio.sleep(11)
            assert [(entry["what"], entry["reason"], entry["count"]) for entry in logs if "count" in entry] == [
                ("webhook", "bad_signature", 30)
            ]
            for _ in range(25):
                async with http.post(f"{held.gateway.url}/answer/twilio", data=CALL) as said:
                    assert said.status == 403
        told = [entry for entry in logs if entry.get("reason") == "bad_signature"]
    assert [entry["event"] for entry in told].count("webhook_refused") == 40
    assert [entry["count"] for entry in told if "count" in entry] == [30, 5]
    assert [entry["event"] for entry in logs].count("request_refused") == 1


@pytest.mark.parametrize("name", ["Authorization", "X-Twilio-Signature", "X-Request-Timestamp", "the-TOKEN", "API-Key"])
@pytest.mark.parametrize("path", ["/answer/twilio", "/status/vonage", "/stream/twilio"])
async def test_a_proof_that_comes_twice_is_none(tmp_path: Path, name: str, path: str) -> None:
    """Two readers could take either for the one that counts: whatever its values, and before anything is checked."""
    headers = CIMultiDict([(name, "one"), (name, "one")])
    method = "GET" if "stream" in path else "POST"
    async with gateway(tmp_path) as held:
        status, entry, _ = await refused(held, method, path, headers=headers)
    assert (status, entry["reason"]) == (400, "repeated_header")
    assert entry["detail"] == f"the header {name.lower()} is repeated"


async def test_other_headers_may_come_twice(tmp_path: Path) -> None:
    """Proxies append to some, and HTTP allows it."""
    headers = CIMultiDict(
        [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2"), ("Accept", "a"), ("Accept", "b")]
    )
    async with gateway(tmp_path) as held:
        status, _, _ = await refused(held, "POST", "/answer/twilio", headers=headers)
    assert status == 403


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/answer/twilio", "/stream/twilio", "/nowhere"])
async def test_no_answer_names_what_it_runs_on(tmp_path: Path, path: str) -> None:
    """Versions of Python and aiohttp are of use to nobody but attackers."""
    async with (
        gateway(tmp_path) as held,
        aiohttp.ClientSession() as http,
        http.get(held.gateway.url + path) as said,
    ):
        assert "Server" not in said.headers
