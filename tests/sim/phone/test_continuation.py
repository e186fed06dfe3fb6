"""What a simulated provider does with a call when its stream has ended."""

from collections.abc import Sequence

import pytest

from gateway.errors import GatewayError, WireError
from gateway.sim.phone.continuation import Fetch, Redirect, Step, Verb, followed, verbs_of

URL = "https://gw.example.com/answer/x"
SORRY, END = Step("say", "Sorry."), Step("hang_up")
RESCUE = Step("transfer", "+14255550177")


def answers(documents: dict[str, Sequence[Verb]], asked: list[tuple[str, str]]) -> Fetch:
    """Return what fetches these documents and keeps what was asked; others cannot be had."""

    async def fetch(url: str, failed: str) -> Sequence[Verb]:
        asked.append((url, failed))
        if url not in documents:
            raise GatewayError(f"{url} cannot be reached")
        return documents[url]

    return fetch


async def test_verbs_are_carried_out_to_the_first_end() -> None:
    """Behind a hang-up nothing is done; a call without one ends all the same."""
    fetch = answers({}, [])
    assert await followed([SORRY, END, RESCUE], fetch) == (SORRY, END)
    assert await followed([SORRY, RESCUE], fetch) == (SORRY, RESCUE, END)


async def test_what_is_asked_for_takes_the_place_of_what_stands_behind() -> None:
    """A redirect leaves its document."""
    asked: list[tuple[str, str]] = []
    fetch = answers({URL: [SORRY]}, asked)
    assert await followed([Redirect(URL), RESCUE], fetch) == (SORRY, END)
    assert asked == [(URL, "")]


async def test_a_document_that_cannot_be_had_is_asked_of_the_fallback() -> None:
    """Which is told what failed; without a fallback the provider ends the call with an error of its own."""
    asked: list[tuple[str, str]] = []
    fetch = answers({"https://else": [RESCUE]}, asked)
    assert await followed([Redirect(URL)], fetch, "https://else") == (RESCUE, END)
    assert asked == [(URL, ""), ("https://else", URL)]
    assert [step.kind for step in await followed([Redirect(URL), SORRY], fetch)] == ["failed"]
    assert await followed([Redirect(URL, goes_on=True), SORRY], fetch) == (SORRY, END)


async def test_a_circle_of_documents_is_left() -> None:
    """One that names itself is not asked for ever."""
    (step,) = await followed([Redirect(URL)], answers({URL: [Redirect(URL)]}, []))
    assert step.kind == "failed"


@pytest.mark.parametrize(
    ("verb", "read"),
    [
        ("<Say>Sorry.</Say>", SORRY),
        ("<Speak>Sorry.</Speak>", SORRY),
        ("<SpeakSentence>Sorry.</SpeakSentence>", SORRY),
        ("<Dial>+14255550177</Dial>", RESCUE),
        ("<Dial><Number>+14255550177</Number></Dial>", RESCUE),
        ("<Transfer><PhoneNumber>+14255550177</PhoneNumber></Transfer>", RESCUE),
        ("<Redirect>/next</Redirect>", Redirect("https://gw.example.com/next")),
        ('<Redirect redirectUrl="/next"/>', Redirect("https://gw.example.com/next")),
        ("<Hangup/>", END),
        ("<Gather/>", Step("failed", "no verb of a call's end: Gather")),
    ],
)
def test_the_verbs_of_all_dialects_are_read(verb: str, read: Verb) -> None:
    """TwiML and its kin, Plivo XML and BXML."""
    assert verbs_of(f"<Response>{verb}</Response>", URL) == [read]


def test_what_is_no_document_is_told() -> None:
    """With the address that gave it."""
    with pytest.raises(WireError, match=f"the answer of {URL} is not XML"):
        verbs_of("no", URL)
