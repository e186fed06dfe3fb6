"""The voice leg at older versions of the API."""

import pytest

from gateway.voice.commands import SayText
from gateway.voice.events import ResponseStarted
from tests.voice.listener import listening, session_of


@pytest.mark.parametrize(
    ("api_version", "members"),
    [
        ("2025-10-01", {"instructions"}),
        ("2026-01-01-preview", {"instructions", "metadata"}),
        ("2026-07-15", {"pre_generated_assistant_message", "metadata"}),
    ],
)
async def test_an_older_version_is_asked_for_what_it_knows(api_version: str, members: set[str]) -> None:
    """A text is then said by the model, and comes without the id of its request."""
    async with listening(api_version=api_version) as listener:
        session = await session_of(listener)
        listener.leg.send(SayText("Hello.", "g1"))
        await listener.until(ResponseStarted)
        (asked,) = [record.event for record in session.received if record.type == "response.create"]
        assert set(asked["response"]) == members
