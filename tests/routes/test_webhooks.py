"""Webhooks: verified against the public URL, answered with the document that connects the call."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree as Xml

import aiohttp
import pytest
from structlog.testing import capture_logs
from yarl import URL

from gateway.logs.setup import PRIVATE
from gateway.routes import webhooks as answer
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.providers import open_account, telnyx
from gateway.sim.providers.plivo import signature_v3
from gateway.sim.providers.twilio import signature
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import LINE, NUMBER, Rig, configuration, instant, rig

TOKEN = "12345"
PUBLIC = "https://voice.example.com/phone"
GATEWAY = f"public_url: {PUBLIC}\nproviders: {{twilio: {{}}}}\n"
CALL = {"CallSid": "CA1", "From": "+14155550123", "To": "+14255550100", "CallStatus": "ringing"}


@asynccontextmanager
async def gateway(
    folder: Path,
    *,
    text: str = GATEWAY,
    lines: Mapping[str, str] | None = None,
    clock: Callable[[], float] | None = None,
    **environ: str,
) -> AsyncIterator[Rig]:
    environ = {"TWILIO_AUTH_TOKEN": TOKEN, **environ}
    async with rig(configuration(folder, lines, text), instant(), environ=environ, clock=clock) as held:
        yield held


async def post(
    held: Rig, path: str, form: Mapping[str, str] = CALL, *, sign: str | None = None, body: bytes | None = None
) -> tuple[int, str, str]:
    """Status, content type and text of the answer to a webhook, signed over ``sign`` (rightly, where not given)."""
    headers = {"X-Twilio-Signature": signature(TOKEN, PUBLIC + path if sign is None else sign, form)}
    data: bytes | Mapping[str, str] = form if body is None else body
    async with aiohttp.ClientSession() as http, http.post(held.gateway.url + path, data=data, headers=headers) as said:
        return said.status, said.content_type, await said.text()


def stream_of(document: str) -> tuple[str, str, dict[str | None, str | None]]:
    """Path before the token, token, and parameters of the answer's stream."""
    (element,) = Xml.fromstring(document).iter("Stream")  # noqa: S314 -- our own document
    path, _, token = element.get("url", "").rpartition("/")
    return path, token, {parameter.get("name"): parameter.get("value") for parameter in element}


@pytest.mark.parametrize("path", ["", "/support"])
async def test_an_incoming_call_is_connected(tmp_path: Path, path: str) -> None:
    """TwiML with the stream's public wss URL, the line of the path or of the called number, a token, both numbers."""
    async with gateway(tmp_path) as held:
        status, kind, text = await post(held, f"/answer/twilio{path}")
    assert (status, kind) == (200, "text/xml")
    stream, token, given = stream_of(text)
    assert stream == "wss://voice.example.com/phone/stream/twilio/support"
    assert len(token) > 100
    assert given == {"from": "+14155550123", "to": "+14255550100"}


async def test_a_webhook_may_be_a_get(tmp_path: Path) -> None:
    """The fields are in the query then, and signed as part of the URL."""
    url = f"/answer/twilio?{urlencode(CALL)}"
    async with gateway(tmp_path) as held, aiohttp.ClientSession() as http:
        given = URL(held.gateway.url + url, encoded=True)
        headers = {"X-Twilio-Signature": signature(TOKEN, PUBLIC + url)}
        async with http.get(given, headers=headers) as said:
            assert said.status == 200
            assert stream_of(await said.text())[2] == {"from": "+14155550123", "to": "+14255550100"}
        async with http.get(URL(f"{given}&x=1", encoded=True), headers=headers) as said:
            assert said.status == 403


async def test_an_unknown_number_of_ours_is_in_the_log(tmp_path: Path) -> None:
    """In clear, for it is not the caller's; the redaction of callers' numbers does not know the field."""
    async with gateway(tmp_path) as held:
        with capture_logs() as logs:
            status, _, _ = await post(held, "/answer/twilio", {**CALL, "To": "0301234567"})
    assert status == 404
    (refused,) = [entry for entry in logs if entry["event"] == "webhook_refused"]
    assert (refused["reason"], refused["our_number"]) == ("unknown_number", "0301234567")
    assert "our_number" not in PRIVATE


async def test_the_number_of_somebody_who_was_called_is_hidden(tmp_path: Path) -> None:
    """A call out has a person's number in its webhook."""
    async with gateway(tmp_path) as held:
        with capture_logs() as logs:
            await post(held, "/answer/twilio", {**CALL, "To": "+12065550123", "Direction": "outbound-api"})
    (refused,) = [entry for entry in logs if entry["event"] == "webhook_refused"]
    assert refused["called"] == "+12065550123"
    assert "called" in PRIVATE
    assert "our_number" not in refused


@pytest.mark.parametrize(
    "to", ["14255550100", "0014255550100", "sip:14255550100@sip.example.com", "+14255550100;ext=5"]
)
async def test_a_number_finds_its_line_however_it_is_spelt(tmp_path: Path, to: str) -> None:
    """The line is that of the number in international format."""
    async with gateway(tmp_path) as held:
        status, _, text = await post(held, "/answer/twilio", {**CALL, "To": to})
    assert (status, stream_of(text)[0].rpartition("/")[2]) == (200, "support")


def upgrade_headers(path: str) -> dict[str, str]:
    """What Twilio puts under an upgrade."""
    return {"X-Twilio-Signature": signature(TOKEN, PUBLIC.replace("http", "ws") + path)}


async def opened(held: Rig, path: str, headers: Mapping[str, str] | None = None) -> int:
    """The status of an upgrade on this path: 101 where it is let in. It is signed, where no ``headers`` are given."""
    async with aiohttp.ClientSession() as http:
        try:
            async with http.ws_connect(
                held.gateway.url + path, headers=upgrade_headers(path) if headers is None else headers
            ):
                return 101
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status


async def test_a_token_opens_the_stream_of_its_call_once(tmp_path: Path) -> None:
    """On its line alone, unaltered, and never again; whoever is refused is told nothing, and gets no session."""
    lines = {"support": LINE, "second": LINE.replace(NUMBER, "+14255550101")}
    async with gateway(tmp_path, lines=lines) as held:
        _, _, document = await post(held, "/answer/twilio")
        token = stream_of(document)[1]
        with capture_logs() as logs:
            for path in (
                f"second/{token}",
                f"support/{token[:-9]}{token[-9:].swapcase()}",
                "support/guessed",
                "support",
            ):
                assert await opened(held, f"/stream/twilio/{path}") == 403
            assert await opened(held, f"/stream/twilio/{token}") == 403
        assert [entry["reason"] for entry in logs if entry["event"] == "stream_refused"] == ["unauthorized"] * 5
        assert token[20:60] not in str(logs)
        _, _, document = await post(held, "/answer/twilio", {**CALL, "CallSid": "CA2"})
        path = f"/stream/twilio/support/{stream_of(document)[1]}"
        for wrong in ({}, {"X-Twilio-Signature": "AAAA"}, upgrade_headers("/stream/twilio/support")):
            assert await opened(held, path, wrong) == 403
        assert await opened(held, path) == 101
        assert await opened(held, path) == 403
        await held.until_quiet()
        assert await held.metric("gateway_calls_refused_total", reason="unauthorized") == 9
        assert held.emulator.handshakes == 0


async def test_the_call_is_the_one_that_was_answered(tmp_path: Path) -> None:
    """A stream that says that it is another line's call stays on the token's line."""
    lines = {"support": LINE, "second": LINE.replace(NUMBER, "+14255550101")}
    async with gateway(tmp_path, lines=lines) as held:
        token = stream_of((await post(held, "/answer/twilio"))[2])[1]
        headers = upgrade_headers(f"/stream/twilio/support/{token}")
        async with bare_phone(f"{held.stream_url}/support/{token}", headers=headers) as phone:
            await phone.start(to="+14255550101")
            await phone.next("media")
        assert held.emulator.sessions[0].updates[0]["metadata"] == {"call_id": "CA1", "line": "support"}


ASKS = 'action="{url}/answer/twilio/support?stream=ended" method="POST"'


@pytest.mark.parametrize(
    ("keys", "verbs"),
    [
        ("after: {say: Good bye & thanks.}\n", "<Hangup/>"),
        ("on_failure: {say: Sorry & bye.}\n", "<Say>Sorry &amp; bye.</Say><Hangup/>"),
        ('after: {say: Bye}\non_failure: {transfer: "+14255550177"}\n', "<Dial>+14255550177</Dial><Hangup/>"),
        (
            "language: de-DE\non_failure: {say: Moment, transfer: 'sip:desk@example.com'}\n",
            '<Say language="de-DE">Moment</Say><Dial><Sip>sip:desk@example.com</Sip></Dial><Hangup/>',
        ),
    ],
)
async def test_what_may_follow_the_stream(tmp_path: Path, keys: str, verbs: str) -> None:
    """The provider is to ask; behind the stream stands what follows a failure, and never what follows a good end."""
    async with gateway(tmp_path, lines={"support": LINE + keys}) as held:
        _, _, document = await post(held, "/answer/twilio")
    assert f"<Connect {ASKS.format(url=PUBLIC)}>" in document
    assert document.partition("</Connect>")[2] == f"{verbs}</Response>\n"


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/answer/twilio/support?stream=ended", {}),
        (
            "/answer/twilio",
            {"ErrorCode": "11200", "ErrorUrl": "https://voice.example.com/x", "CallStatus": "in-progress"},
        ),
    ],
)
async def test_a_call_whose_process_is_gone_is_rescued(tmp_path: Path, path: str, more: dict[str, str]) -> None:
    """Nobody knows how it ended: it did not end in order. So is one whose document could not be fetched."""
    keys = "after: {say: Good bye.}\non_failure: {say: Sorry.}\n"
    async with gateway(tmp_path, lines={"support": LINE + keys}) as held:
        status, _, document = await post(held, path, CALL | more)
    assert status == 200
    assert document.endswith("<Response><Say>Sorry.</Say><Hangup/></Response>\n")


async def test_nothing_follows_where_the_line_says_nothing(tmp_path: Path) -> None:
    """The provider need not ask: it hangs up."""
    async with gateway(tmp_path, lines={"support": LINE}) as held:
        _, _, document = await post(held, "/answer/twilio")
    assert "<Connect><Stream" in document
    assert document.endswith("</Connect><Hangup/></Response>\n")


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
    assert [entry["url"] for entry in logs if "url" in entry] == [f"{PUBLIC}/answer/twilio"]
    assert "+1" not in str(logs)


async def test_an_empty_field_is_signed_too(tmp_path: Path) -> None:
    """Twilio sends some without a value: the name stands in what is signed."""
    async with gateway(tmp_path) as held:
        assert (await post(held, "/answer/twilio", {**CALL, "CallerCity": ""}))[0] == 200


async def test_a_changed_form_breaks_the_signature(tmp_path: Path) -> None:
    """Who calls cannot be changed on the way."""
    async with gateway(tmp_path) as held:
        body = b"CallSid=CA1&From=%2B1&To=%2B14255550100&CallStatus=ringing"
        assert (await post(held, "/answer/twilio", body=body))[0] == 403


@pytest.mark.parametrize(
    ("text", "token", "detail"),
    [
        (GATEWAY, "", "TWILIO_AUTH_TOKEN is not set"),
        ("providers: {twilio: {}}\n", TOKEN, "public_url is not set"),
        ('providers: {twilio: {}}\nstreams: {auth: "off"}\n', TOKEN, "public_url is not set"),
    ],
)
async def test_without_what_it_takes_to_verify_every_webhook_is_refused(
    tmp_path: Path, text: str, token: str, detail: str
) -> None:
    """A gateway that cannot tell right from wrong says no, and its log what is missing."""
    async with gateway(tmp_path, text=text, TWILIO_AUTH_TOKEN=token) as held:
        with capture_logs() as logs:
            assert (await post(held, "/answer/twilio"))[0] == 403
            assert (await post(held, "/status/twilio"))[0] == 403
    assert [entry["detail"] for entry in logs if entry["event"] == "webhook_refused"] == [detail] * 2


async def test_no_signature_at_all(tmp_path: Path) -> None:
    """403, by POST and by GET, for a call as for a status."""
    async with gateway(tmp_path) as held, aiohttp.ClientSession() as http:
        for method, path in (("POST", "answer"), ("GET", "answer"), ("POST", "status")):
            async with http.request(method, f"{held.gateway.url}/{path}/twilio", params=CALL) as said:
                assert (said.status, await said.text()) == (403, "forbidden\n")


@pytest.mark.parametrize("route", ["answer", "status"])
async def test_a_request_that_comes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, route: str) -> None:
    """At once it gets the same answer, and nothing is done twice; later it is refused, which is no wrong signature."""
    text = f"public_url: {PUBLIC}\nproviders: {{plivo: {{}}}}\n"
    form = {"CallUUID": "U1", "From": "14155550123", "To": "14255550100", "CallStatus": "completed"}
    monkeypatch.setattr(answer, "time", clock := Clock())
    said = []
    served = gateway(tmp_path, text=text, clock=clock.time, PLIVO_AUTH_TOKEN=TOKEN)
    async with served as held, aiohttp.ClientSession() as http:
        with capture_logs() as logs:
            for nonce, after_s in (("1", 0), ("1", 1), ("2", 0), ("1", 300)):
                clock.now_s += after_s
                signed = signature_v3(TOKEN, "POST", f"{PUBLIC}/{route}/plivo", form, nonce)
                headers = {"X-Plivo-Signature-V3": signed, "X-Plivo-Signature-V3-Nonce": nonce}
                async with http.post(f"{held.gateway.url}/{route}/plivo", data=form, headers=headers) as response:
                    said.append((response.status, await response.text()))
        assert await held.metric("gateway_calls_refused_total", reason="bad_signature") == 0
        assert await held.metric("gateway_calls_refused_total", reason="replayed") == 1
    assert said[0] == said[1]
    assert (said[2] == said[0]) is (route == "status")
    assert [status for status, _ in said] == ([200] * 3 if route == "answer" else [204] * 3) + [403]
    done = [entry for entry in logs if entry["event"] in {"call_answered", "call_status"}]
    assert len(done) == 2
    assert [entry["reason"] for entry in logs if entry["event"] == "webhook_refused"] == ["replayed"]


class Clock:
    """Unix time that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def time(self) -> float:
        return self.now_s


@pytest.mark.parametrize("path", ["/answer/nobody", "/answer/twilio/nowhere", "/status/nobody"])
async def test_unknown_providers_and_lines(tmp_path: Path, path: str) -> None:
    """404, also where the request is signed."""
    async with gateway(tmp_path) as held:
        assert (await post(held, path))[0] == 404


async def test_a_webhook_that_names_no_call(tmp_path: Path) -> None:
    """400 says what was expected."""
    async with gateway(tmp_path) as held:
        status, _, text = await post(held, "/answer/twilio", {"To": "+14255550100"})
        assert await held.metric("gateway_calls_refused_total", reason="not_a_call") == 1
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
    assert {
        "event": "call_status",
        "provider": "twilio",
        "call": "CA1",
        "status": "completed",
        "ended_here": False,
        "log_level": "info",
    } in logs


async def test_a_status_callback_ends_a_call(tmp_path: Path) -> None:
    """A call that its provider reports as over ends, though its stream is open; one that is ringing does not."""
    async with gateway(tmp_path) as held:
        token = stream_of((await post(held, "/answer/twilio"))[2])[1]
        headers = upgrade_headers(f"/stream/twilio/support/{token}")
        async with bare_phone(f"{held.stream_url}/support/{token}", headers=headers) as phone:
            await phone.start()
            await phone.next("media")
            for call_id, status in (("CA1", "in-progress"), ("CA2", "completed")):
                told = {**CALL, "CallSid": call_id, "CallStatus": status}
                assert (await post(held, "/status/twilio", told))[0] == 204
            assert len(held.gateway.calls) == 1
            with capture_logs() as logs:
                assert (await post(held, "/status/twilio", {**CALL, "CallStatus": "completed"}))[0] == 204
            assert await phone.closed() == 1000
        end = await held.end_of("CA1")
    assert (end["reason"], end["by"], end["detail"]) == ("caller_hung_up", "caller", "twilio says completed")
    assert [entry["ended_here"] for entry in logs if entry["event"] == "call_status"] == [True]


async def test_a_callback_that_says_nothing_is_noted(tmp_path: Path) -> None:
    """204: a provider that is answered with an error would send it again and again."""
    async with gateway(tmp_path) as held:
        with capture_logs() as logs:
            assert (await post(held, "/status/twilio", {"AccountSid": "AC1"}))[0] == 204
    assert [entry["provider"] for entry in logs if entry["event"] == "status_unread"] == ["twilio"]


PORT = "public_url: https://voice.example.com:8443\nproviders: {twilio: {}}\n"


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        (PORT, "https://voice.example.com"),
        (PORT, "https://voice.example.com:8443"),
        (PORT.replace(":8443", ":443"), "https://voice.example.com"),
        (PORT.replace(":8443", ""), "https://voice.example.com:443"),
        (PORT.replace(":8443", "").replace("voice", "Voice"), "https://voice.example.com"),
    ],
)
async def test_the_url_may_be_signed_as_the_vendor_s_validator_takes_it(tmp_path: Path, text: str, signed: str) -> None:
    """With and without its port, of the webhook and of the stream's own request."""
    async with gateway(tmp_path, text=text) as held:
        status, _, document = await post(held, "/answer/twilio", sign=f"{signed}/answer/twilio")
        assert status == 200
        path = f"/stream/twilio/support/{stream_of(document)[1]}"
        proof = {"X-Twilio-Signature": signature(TOKEN, signed.replace("https", "wss") + path)}
        async with aiohttp.ClientSession() as http, http.ws_connect(held.gateway.url + path, headers=proof):
            pass


@pytest.mark.parametrize("sign", ["https://voice.example.com", "https://voice.example.com:8443"])
async def test_a_target_may_be_a_whole_url(tmp_path: Path, sign: str) -> None:
    """RFC 9112 §3.2.2: answered like any other, whatever host it names."""
    proof = signature(TOKEN, f"{sign}/answer/twilio", CALL)
    body = urlencode(CALL)
    async with gateway(tmp_path, text=PORT) as held:
        url = URL(held.gateway.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(
            f"POST http://elsewhere.example:8443/answer/twilio HTTP/1.1\r\nHost: elsewhere.example:8443\r\n"
            f"X-Twilio-Signature: {proof}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
        )
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()


async def test_while_a_secret_is_replaced_both_are_good(tmp_path: Path) -> None:
    """The new one and the old one; with a line feed behind them, as mounted secrets have it."""
    text = "public_url: https://voice.example.com/phone\nproviders: {twilio: {auth_token: ['${NEW}', '${OLD}']}}\n"
    async with gateway(tmp_path, text=text, NEW="next\n", OLD=f" {TOKEN}\r\n") as held:
        assert (await post(held, "/answer/twilio"))[0] == 200
    async with gateway(tmp_path, TWILIO_AUTH_TOKEN="next", TWILIO_AUTH_TOKEN_OLD=TOKEN) as held:
        assert (await post(held, "/answer/twilio"))[0] == 200
    async with gateway(tmp_path, TWILIO_AUTH_TOKEN="next") as held:
        assert (await post(held, "/answer/twilio"))[0] == 403


async def test_an_account_under_a_name_of_its_own(tmp_path: Path) -> None:
    """It has its own routes and secrets; what it answers leads to its own stream."""
    text = GATEWAY.replace("{twilio: {}}", "{twilio: {}, twilio-eu: {provider: twilio}}")
    async with gateway(tmp_path, text=text, TWILIO_AUTH_TOKEN="other", TWILIO_EU_AUTH_TOKEN=TOKEN) as held:
        assert (await post(held, "/answer/twilio"))[0] == 403
        status, _, document = await post(held, "/answer/twilio-eu")
        assert status == 200
        stream, token, _ = stream_of(document)
        assert stream == "wss://voice.example.com/phone/stream/twilio-eu/support"
        assert await opened(held, f"/stream/twilio/support/{token}") == 403
        assert await opened(held, f"/stream/twilio-eu/support/{token}") == 101


async def initiated(held: Rig, private_key: str) -> tuple[int, str]:
    """Status and text of the answer to Telnyx' ``call.initiated``, signed."""
    payload = {"call_control_id": "v3:1", "direction": "incoming", "from": "+14155550123", "to": NUMBER}
    body = json.dumps({"data": {"event_type": "call.initiated", "id": "event-1", "payload": payload}}).encode()
    stamp = str(int(time.time()))
    headers = {
        "telnyx-timestamp": stamp,
        "telnyx-signature-ed25519": telnyx.signature(private_key, stamp, body),
        "Content-Type": "application/json",
    }
    url = f"{held.gateway.url}/answer/telnyx"
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as said:
        return said.status, await said.text()


@pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
async def test_a_telnyx_key_may_end_in_a_line_feed(tmp_path: Path, line_end: str) -> None:
    """As a mounted secret does: the call is answered by a command with the key and nothing else."""
    account = open_account("telnyx", "")
    private, public = account.secrets["private_key"], account.settings["public_key"]
    async with SimulatedApi.serving() as api:
        text = f"public_url: {PUBLIC}\nproviders: {{telnyx: {{api_url: '{api.url}'}}}}\n"
        key, shown = f"KEY1{line_end}", public + line_end
        async with gateway(tmp_path, text=text, TELNYX_API_KEY=key, TELNYX_PUBLIC_KEY=shown) as held:
            await initiated(held, private)
    assert [request.headers["authorization"] for request in api.requests] == ["Bearer KEY1"]


async def test_a_key_that_no_header_can_carry_is_no_fault_of_ours(tmp_path: Path) -> None:
    """Each time that Telnyx asks: the second is no replay of the first."""
    account = open_account("telnyx", "")
    private, public = account.secrets["private_key"], account.settings["public_key"]
    async with SimulatedApi.serving() as api:
        text = f"public_url: {PUBLIC}\nproviders: {{telnyx: {{api_url: '{api.url}'}}}}\n"
        async with gateway(tmp_path, text=text, TELNYX_API_KEY="KEY\n1", TELNYX_PUBLIC_KEY=public) as held:
            for _ in range(2):
                assert await initiated(held, private) == (502, "the provider refused\n")
    assert api.requests == []
