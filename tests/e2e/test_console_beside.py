"""A console in a process of its own, beside two gateways: it reads their calls on their private listeners."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from structlog.testing import capture_logs

from gateway.config import load_deployment
from gateway.console.state import console_for
from tests.console.access.people import token_in
from tests.console.conftest import browser, text_of
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import GATEWAY, Rig, configuration, instant, rig

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OFFERS = f"{GATEWAY}listen: {{private: '127.0.0.1:0'}}\nconsole: {{enabled: false, key: '${{CONSOLE_KEY}}'}}\n"


async def gateway(stack: AsyncExitStack, folder: Path) -> Rig:
    """Run a gateway that shows its calls to who has the key."""
    file, live = configuration(folder, gateway=OFFERS), folder / "live"
    live.mkdir()
    return await stack.enter_async_context(rig(file, instant(), live=live, environ={"CONSOLE_KEY": KEY}))


async def test_calls_of_two_gateways_are_shown_and_one_is_ended(tmp_path: Path) -> None:
    """Each call with its gateway; the end reaches the one that has it; a gateway that goes is shown as unreachable."""
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        first = await gateway(stack, tmp_path / "first")
        with capture_logs() as logs:
            async with AsyncExitStack() as leaving:
                second = await gateway(leaving, tmp_path / "second")
                urls = [held.gateway.private_url for held in (first, second)]
                file = tmp_path / "gateway.yaml"
                file.write_text(f"console: {{gateways: {urls}, key: '${{CONSOLE_KEY}}'}}\nrecords: false\n", "utf-8")
                deployment = load_deployment(file, {"CONSOLE_KEY": KEY})
                client = await stack.enter_async_context(browser(console_for(deployment)))
                for held, name in ((first, "CA1"), (second, "CA2")):
                    phone = await (stack if held is first else leaving).enter_async_context(
                        bare_phone(held.stream_url, name)
                    )
                    await phone.start()
                    await phone.next("media")
                page = await text_of(client, "/")
                for url, name in zip(urls, ("CA1", "CA2"), strict=True):
                    assert f'data-part="call {url} twilio/{name}"' in page
                assert "Unreachable" not in page
                form = {"csrf": token_in(page), "provider": "twilio", "call_id": "CA2", "gateway": urls[1]}
                async with client.post("/calls/end", data=form | {"gateway": urls[0]}) as answer:
                    assert "Nothing was done" in await answer.text()
                async with client.post("/calls/end", data=form) as answer:
                    assert "was ended" in await answer.text()
                assert (await second.end_of("CA2"))["reason"] == "ended_by_operator"
                assert not first.fields("CA1", "call_ended")
            page = await text_of(client, "/")
            while "Unreachable" not in page:
                page = await text_of(client, "/")
            assert f'data-part="call {urls[0]} twilio/CA1"' in page
            async with client.post("/calls/end", data=form) as answer:
                assert "is not known" in await answer.text()
    assert next(entry["gateway"] for entry in logs if entry["event"] == "live_unreachable") == urls[1]
