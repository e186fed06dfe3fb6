"""``examples/delivery_receiver.py`` takes what the gateway sends, once, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, web

from gateway.records.delivery.events import Facts
from gateway.records.delivery.message import CallParts, message
from gateway.records.delivery.sending import Sender
from gateway.records.rows import CallRow, TurnRow
from tests.records.delivery.receiving import SECRET, Server
from tests.records.delivery.stage import START
from tests.test_examples import example

CALL = CallRow(call_key="k1", call_id="CA1", provider="twilio", line="support", started=START, state="ended")
TURN = TurnRow(call_key="k1", n=0, who="caller", item_id="i", started_ms=0, words="Hello.")
BODY = message("call.ended", Facts(START), CallParts(CALL, [TURN]), ["transcript"], words=True)


@asynccontextmanager
async def receiver(secret: str = SECRET) -> AsyncIterator[tuple[Any, str]]:
    """The example on a free port: what it has taken, and its address."""
    module = example("delivery_receiver")
    receiver = module.Receiver(secret)
    runner = web.AppRunner(module.application(receiver), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield receiver, f"http://127.0.0.1:{runner.addresses[0][1]}/calls"
    finally:
        await runner.cleanup()


async def test_it_takes_a_message_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The second time it says that it has it."""
    async with receiver() as (example, url), Sender() as sender:
        for _ in range(2):
            assert (await sender.send(Server(url).receiver(), "msg_1", BODY)).kind == "delivered"
        assert list(example.taken) == ["msg_1"]
    assert capsys.readouterr().out == "call.ended support CA1\n  caller: Hello.\n"


async def test_it_refuses_what_is_not_signed_with_its_secret() -> None:
    """Nor does it take what is not signed at all."""
    async with receiver("whsec_" + "b3RoZXIh" * 4) as (example, url), Sender() as sender, ClientSession() as http:
        outcome = await sender.send(Server(url).receiver(), "msg_1", BODY)
        assert (outcome.kind, outcome.detail) == ("failed", "answered with 401")
        async with http.post(url, data=BODY) as answer:
            assert answer.status == 401
        assert not example.taken
