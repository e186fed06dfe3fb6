"""Whatever comes to any route, signed or not: an answer, and never a server error or a bug in the log."""

import asyncio
import contextlib
import functools
import json
import logging
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.sim.providers import PROVIDERS
from tests.conformance.own import entered, signer
from tests.e2e.bare_phone import bare_phone
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, NUMBER, instant
from tests.kinds import ASKING
from tests.phone.any_json import messages, values
from tests.phone.providers.vonage.test_provider import sign

EXAMPLES = 30
"""For each provider, of requests and of streams; enough that a route without a guard fails within a few runs."""
LIMIT_S = 20.0
NAMES = (
    *(
        "CallSid",
        "CallUUID",
        "CallStatus",
        "AccountSid",
        "From",
        "To",
        "Event",
        "Direction",
        "uuid",
        "status",
        "from",
        "to",
    ),
    *(
        "data",
        "payload",
        "event_type",
        "id",
        "call_control_id",
        "direction",
        "client_state",
        "headers",
        "call_uuid",
        "type",
    ),
    *("eventType", "callId", "call_sid", "call_status", "incomingCallContext", "correlationId", "callConnectionId"),
    *("Session", "transfer", "say", "secret", "reason", "rawId", "phoneNumber", "value", "validationCode"),
)
"""Members that some webhook has, and fields of forms."""
WORDS = (NUMBER, "call.initiated", "call.hangup", "call.speak.ended", "incoming", "completed", "initiate", "disconnect")
KINDS = (
    "Microsoft.Communication.IncomingCall",
    "Microsoft.EventGrid.SubscriptionValidationEvent",
    "StopStream",
    "failed",
)
SIGNS = st.characters(codec="latin-1", exclude_characters="\r\n\0")


def objects() -> st.SearchStrategy[Any]:
    """JSON that looks like webhooks, with anything anywhere in it."""
    leaf = values | st.sampled_from([*WORDS, *KINDS, "..", 10**400, 1e308, "\ud800"])
    return st.recursive(
        st.dictionaries(st.sampled_from(NAMES), leaf, max_size=8),
        lambda inner: st.dictionaries(st.sampled_from(NAMES), inner | leaf, max_size=8) | st.lists(inner, max_size=3),
        max_leaves=6,
    )


forms = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=8), st.sampled_from(WORDS) | st.text(max_size=12)))
bodies = st.one_of(
    objects().map(lambda read: json.dumps(read).encode("utf-8", "replace")),
    forms.map(lambda fields: urllib.parse.urlencode(fields, errors="replace").encode()),
    st.binary(max_size=200),
)
kinds = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "text/plain", "application/json; charset=x"]
)
others = st.dictionaries(
    st.sampled_from(["Authorization", "Content-Encoding", "Host", "Upgrade", "Connection", "Cookie", "X-Forwarded-For"])
    | st.sampled_from(["Telnyx-Timestamp", "X-Plivo-Signature-V3", "Jambonz-Signature", "X-Cx-Session", "Expect", "TE"])
    | st.sampled_from(
        ["Signature", "Signature-Input", "X-API-KEY", "X-Twilio-Signature", "Sec-WebSocket-Key", "Range"]
    ),
    st.sampled_from(["gzip", "deflate", "br", "websocket", "Bearer a.b.c", "Basic =", "Bearer", "100-continue", "\xff"])
    | st.text(SIGNS, max_size=20),
    max_size=4,
)
queries = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(WORDS) | st.text(max_size=8)), max_size=3)
paths = st.sampled_from(
    ["", "/support", "/nobody", "/-", "/%00", "/..", "//", "/support/x", "/support/x/y", "/%ff", "/;a=b"]
)
forms_of_target = st.sampled_from(
    ["{path}", "http://gw.example.com{path}", "http://[{path}", "//{path}", "{path}#x", "*"]
)
METHODS = ("GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X")


class Served:
    """A gateway of all providers that anybody may send to, on a loop of its own."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._stack = contextlib.AsyncExitStack()
        self._bugs: list[str] = []
        self._folder = folder
        self.held: Exchange = loop.run_until_complete(self._begin())

    async def _begin(self) -> Exchange:
        gateway_yaml = "streams: {auth: 'off'}\nlimits: {start_timeout_s: 0.2}\n"
        lines = {"support": LINE, "rest": LINE.replace(NUMBER, "*")}
        return await self._stack.enter_async_context(
            exchange(self._folder, PROVIDERS, lines, instant(), gateway_yaml=gateway_yaml, limit_s=300)
        )

    def close(self) -> None:
        self._loop.run_until_complete(self._stack.aclose())

    def run(self, do: Callable[[], Any]) -> Any:
        """Do something within a time, and see that nothing of it was a bug."""
        with capture_logs() as logs, heard() as records:
            done = self._loop.run_until_complete(asyncio.wait_for(do(), LIMIT_S))
        assert [entry for entry in logs if entry["log_level"] in ("critical", "exception") or "exc_info" in entry] == []
        assert [entry for entry in logs if entry["event"] == "call_failed"] == []
        assert [record.getMessage() for record in records] == []
        return done

    async def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status that a request is answered with, written as it stands."""
        host, _, port = self.held.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        length = {} if "Content-Length" in headers else {"Content-Length": str(len(body))}
        written = {"Host": "gw.example.com", **headers, **length, "Connection": headers.get("Connection", "close")}
        head = "".join(f"{name}: {value}\r\n" for name, value in written.items())
        writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1", "replace") + body)
        try:
            line = await reader.readline()
            while line.startswith(b"HTTP/1.1 100"):
                await reader.readline()
                line = await reader.readline()
            return int(line.split()[1])
        finally:
            writer.transport.abort()


@contextlib.contextmanager
def heard() -> Iterator[list[logging.LogRecord]]:
    """What aiohttp and asyncio log as errors."""
    records: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Keeping(logging.ERROR)
    loggers = [logging.getLogger(name) for name in ("aiohttp", "asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield records
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    loop = asyncio.new_event_loop()
    served = Served(tmp_path_factory.mktemp("any"), loop)
    try:
        yield served
    finally:
        served.close()
        loop.close()


several = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=False,
)


@pytest.mark.parametrize("provider", [*PROVIDERS, "nobody"])
@several
@given(data=st.data())
def test_any_request_is_answered(served: Served, provider: str, data: st.DataObject) -> None:
    """Any method, target, header and body on any route: a status below 500, or of what the provider's API refused."""
    route = data.draw(st.sampled_from(["answer", "status", "stream", "healthz", "readyz", "metrics", ""]))
    path = f"/{route}/{provider}{data.draw(paths)}"
    query = urllib.parse.urlencode(data.draw(queries), errors="replace")
    target = data.draw(forms_of_target).format(path=f"{path}?{query}" if query else path)
    headers = {"Content-Type": data.draw(kinds), **data.draw(others)}
    method, body = data.draw(st.sampled_from(METHODS)), data.draw(bodies)
    assert served.run(lambda: served.send(method, target, headers, body)) < 500


@pytest.mark.parametrize("provider", ASKING)
@several
@given(data=st.data())
def test_any_signed_webhook_is_answered(served: Served, provider: str, data: st.DataObject) -> None:
    """A provider may write what it likes: it is understood, refused, or its API is asked and does not know the call."""
    path = (
        f"/{data.draw(st.sampled_from(['answer', 'status']))}/{provider}{data.draw(st.sampled_from(['', '/support']))}"
    )
    query = urllib.parse.urlencode(data.draw(queries), errors="replace")
    secrets = served.held.accounts[provider].secrets
    target = entered(provider, secrets, f"{path}?{query}" if query else path)
    body = data.draw(bodies)
    kind = "application/x-www-form-urlencoded" if not body.startswith((b"{", b"[")) else "application/json"
    signed = signer(provider)(secrets, served.held.url + target, body)
    status = served.run(lambda: served.send("POST", target, {"Content-Type": kind, **signed}, body))
    assert status < 500 or status == 502


@pytest.mark.parametrize("iat", [10**400, -(10**400), 1e308, "x", None, [], {}, True, float("nan"), float("inf")])
def test_any_time_in_a_token_is_read(served: Served, iat: object) -> None:
    """Right or wrong, however large."""
    secrets, body = served.held.accounts["vonage"].secrets, b'{"status":{"a":1},"uuid":[]}'
    for claims in ({"iat": iat}, {"exp": iat}, {"jti": iat}, {"application_id": iat}, {"payload_hash": iat}):
        headers = {"Content-Type": "application/json", **sign(secrets, "", body, **claims)}
        for route in ("answer", "status"):
            send = functools.partial(served.send, "POST", f"/{route}/vonage", headers, body)
            assert served.run(send) < 500


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(several, max_examples=8)
@given(sent=st.lists(messages(("start", "media", "stop", "open", "websocket:connected"), NAMES), max_size=4))
def test_any_stream_is_read(served: Served, provider: str, sent: Sequence[str | bytes]) -> None:
    """Whatever its first messages are, none of them is a bug of ours."""

    async def stream() -> int | None:
        async with bare_phone(served.held.stream_url(provider)) as phone:
            with contextlib.suppress(ConnectionError):
                await phone.send(*sent)
            return await phone.closed()

    assert served.run(stream) != 1011
