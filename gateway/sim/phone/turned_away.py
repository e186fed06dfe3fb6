"""A call that the gateway does not take: what its answer says to the caller, until it connects or ends the call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from xml.etree import ElementTree as Xml

from gateway.errors import GatewayError
from gateway.sim.phone.continuation import Redirect, Step, Verb, verbs_of

_OF_AN_END = frozenset(
    {"Say", "Speak", "SpeakSentence", "Dial", "Transfer", "Play", "PlayAudio", "Pause", "Wait", "Redirect"}
)
"""Elements with which a document begins that connects no stream."""

Reply = TypeVar("Reply")


class TurnedAwayError(GatewayError):
    """The gateway answered the call without a stream; ``steps`` are what the caller met."""

    def __init__(self, answer_url: str, steps: Sequence[Step]) -> None:
        answered = ", then ".join(f"{step.kind} {step.text}".strip().replace("_", " ") for step in steps)
        super().__init__(f"{answer_url} did not take the call: {answered}")
        self.steps = tuple(steps)


async def connected(
    url: str, ask: Callable[[str], Awaitable[Reply]], verbs: Callable[[Reply, str], Sequence[Verb] | None]
) -> Reply:
    """Return the answer that connects the call, after all waits; ``verbs`` returns ``None`` for such an answer.

    Raises ``TurnedAwayError`` where the call ends instead.
    """
    steps: list[Step] = []
    asked = url
    while True:
        reply = await ask(asked)
        found = verbs(reply, asked)
        if found is None:
            return reply
        again = ""
        for verb in found:
            if isinstance(verb, Redirect):
                again = verb.url
                break
            steps.append(verb)
            if verb.kind == "wait":
                await asyncio.sleep(float(verb.text))
            elif verb.kind != "say":
                break
        if not again:
            last = steps[-1].kind if steps else ""
            raise TurnedAwayError(url, steps if last in ("hang_up", "failed") else [*steps, Step("hang_up")])
        asked = again


def verbs_of_an_end(document: str, url: str) -> Sequence[Verb] | None:
    """Return the verbs of an XML document that connects no stream; ``None`` for any other document."""
    try:
        root = Xml.fromstring(document)  # noqa: S314 -- the document of the gateway under test
    except Xml.ParseError:
        return None
    return verbs_of(document, url) if len(root) and root[0].tag in _OF_AN_END else None
