"""Cloudonix' end of a call: its webhook's headers, its ids, its REST API."""

import json

import aiohttp
import pytest

from gateway.audio.formats import PCMU
from gateway.sim.caller.dial import dial
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import SimCall, StreamOpening
from gateway.sim.providers.cloudonix import CloudonixWire
from tests.sim.providers.stub_gateway import cxml, stub_gateway

SECRETS = {"domain": "example.cloudonix.net", "api_key": "XI1"}
BEARER = {"Authorization": "Bearer XI1"}


def test_the_stream_names_the_call_otherwise_than_the_rest_api() -> None:
    """``callSid`` is not the session's token."""
    wire = CloudonixWire(SimCall("+2", "+1", "abc", "MZ1", PCMU, SECRETS), StreamOpening("ws://gw/stream"))
    connected, start = map(json.loads, wire.opening())
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["start"]["callSid"] == "CAabc"
    assert start["start"]["accountSid"] == "example.cloudonix.net"
    assert start["streamSid"] == start["start"]["streamSid"] == "MZ1"


async def test_a_call_from_the_webhook_to_the_status_callback() -> None:
    """JSON with the key, the domain and the session in headers; nothing on the upgrade."""
    async with stub_gateway(cxml()) as gateway:
        async with dial(
            "cloudonix",
            answer_url=f"{gateway.url}/answer",
            status_url=f"{gateway.url}/status",
            to="+2",
            from_="+1",
            secrets=SECRETS,
        ) as phone:
            pass
        answer, status = gateway.asked
        body = json.loads(answer.body)
        assert (body["From"], body["To"], body["CallStatus"]) == ("+1", "+2", "in-progress")
        assert body["Session"] == body["SessionData"]["token"] == answer.headers["x-cx-session"] == phone.call_id
        assert (answer.headers["x-cx-apikey"], answer.headers["x-cx-domain"]) == ("XI1", "example.cloudonix.net")
        assert json.loads(status.body)["CallStatus"] == "completed"
        assert "authorization" not in gateway.streams[0].headers


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "event"),
    [
        ("DELETE", "/customers/self/domains/example.cloudonix.net/sessions/{}", {}, 204, "hang_up"),
        (
            "POST",
            "/calls/example.cloudonix.net/sessions/{}/application",
            {"cxml": "<Response><Dial>+3</Dial></Response>"},
            202,
            "transfer",
        ),
    ],
)
async def test_the_rest_api(method: str, path: str, body: dict[str, str], status: int, event: str) -> None:
    """By the session's token and the key; a session that is over is not found."""
    async with SimulatedApi.serving() as api, stub_gateway(cxml()) as gateway, aiohttp.ClientSession() as http:
        async with dial("cloudonix", answer_url=f"{gateway.url}/answer", secrets=SECRETS, api=api) as phone:
            url = api.url + path.format(phone.call_id)
            async with http.request(method, url, json=body) as response:
                assert response.status == 401
            if event == "transfer":
                api.transfer_refusal = 409
                assert (await http.request(method, url, json=body, headers=BEARER)).status == 409
                api.transfer_refusal = None
            async with http.request(method, url, json=body, headers=BEARER) as response:
                assert response.status == status
            await phone.closed.wait()
            async with http.request(method, url, json=body, headers=BEARER) as response:
                assert response.status == 404
        assert [order.event for order in phone.messages] == [event]


async def test_a_document_that_dials_nobody() -> None:
    """It is refused, and the call goes on."""
    async with (
        SimulatedApi.serving() as api,
        stub_gateway(cxml()) as gateway,
        aiohttp.ClientSession() as http,
        dial("cloudonix", answer_url=f"{gateway.url}/answer", secrets=SECRETS, api=api) as phone,
    ):
        url = f"{api.url}/calls/example.cloudonix.net/sessions/{phone.call_id}/application"
        async with http.post(url, json={"cxml": "<Response/>"}, headers=BEARER) as response:
            assert response.status == 400
        assert not phone.closed.is_set()
