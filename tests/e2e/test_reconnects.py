"""A stream that its provider loses and opens again: another session for the same call."""

from pathlib import Path

import aiohttp

from tests.e2e.exchange import exchange
from tests.e2e.rig import LINE, instant
from tests.e2e.test_stolen_tokens import Answered, refused
from tests.virtual_time import virtual_time


@virtual_time
async def test_exotel_opens_a_lost_stream_again(tmp_path: Path) -> None:
    """The first call ends as lost, the second greets anew, and there is no third; an open one has no second."""
    async with exchange(tmp_path, ["exotel"], {"support": LINE}, instant()) as held, aiohttp.ClientSession() as http:
        answered = Answered(held, "exotel", http)
        opening = await answered.webhook.call_in()
        for number in (1, 2):
            async with answered.stream(opening) as phone:
                await held.told("support", "reply_started", number)
                assert await refused(answered, opening)
                await phone.drop()
                end = await held.told("support", "call_ended", number)
            assert end["reason"] == "stream_lost"
        assert await refused(answered, opening)
        assert len(held.fields("support", "call_started")) == 2
        sessions = [ready["session_id"] for ready in held.fields("support", "session_ready")]
        assert len(set(sessions)) == 2
