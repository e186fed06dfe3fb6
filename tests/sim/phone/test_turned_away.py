"""What a simulated call meets that the gateway does not take."""

import pytest

from gateway.sim.phone.continuation import Redirect, Step, Verb
from gateway.sim.phone.turned_away import TurnedAwayError, connected, verbs_of_an_end
from tests.virtual_time import virtual_time

URL = "https://h/answer/twilio"


def test_only_a_document_that_connects_no_stream_is_one_of_an_end() -> None:
    """A busy one is not either, nor one that is no XML."""
    say = "<Response><Say>All busy.</Say><Hangup/></Response>"
    assert verbs_of_an_end(say, URL) == [Step("say", "All busy."), Step("hang_up")]
    wait = "<Response><Pause length='5'/><Play>m.mp3</Play><Redirect>/again</Redirect></Response>"
    assert verbs_of_an_end(wait, URL) == [Step("wait", "5"), Step("wait", "10"), Redirect("https://h/again")]
    for other in ("<Response><Connect/></Response>", "<Response><Reject/></Response>", "<Response/>", "no XML"):
        assert verbs_of_an_end(other, URL) is None


@virtual_time
async def test_a_call_waits_asks_again_and_is_connected() -> None:
    """At the address that the answer names."""
    asked: list[str] = []
    answers: dict[str, list[Verb] | None] = {URL: [Step("wait", "5"), Redirect("again")], "again": None}

    async def ask(url: str) -> str:
        asked.append(url)
        return url

    assert await connected(URL, ask, lambda reply, url: answers[reply]) == "again"
    assert asked == [URL, "again"]


@pytest.mark.parametrize(
    ("verbs", "steps"),
    [
        ([Step("say", "Busy.")], [Step("say", "Busy."), Step("hang_up")]),
        ([Step("transfer", "+1")], [Step("transfer", "+1"), Step("hang_up")]),
        ([Step("hang_up")], [Step("hang_up")]),
    ],
)
async def test_a_call_that_is_not_connected_tells_what_it_met(verbs: list[Verb], steps: list[Step]) -> None:
    """To its end."""

    async def ask(url: str) -> str:
        return url

    with pytest.raises(TurnedAwayError) as raised:
        await connected(URL, ask, lambda reply, url: verbs)
    assert list(raised.value.steps) == steps
