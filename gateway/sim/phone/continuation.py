"""The continuation of a call after its stream: the verbs after it, and those that the gateway is asked for."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin
from xml.etree import ElementTree as Xml

from gateway.errors import GatewayError, WireError

REDIRECTS = 5
"""The number of documents that one call asks for, before the simulated provider gives up."""
_SAY = frozenset({"Say", "Speak", "SpeakSentence"})
_DIAL = frozenset({"Dial", "Transfer"})
_PAUSE = frozenset({"Pause", "Wait"})
_PLAY = frozenset({"Play", "PlayAudio"})
MUSIC_S = "10"
"""The seconds of every recording that a simulated provider plays."""


@dataclass(frozen=True)
class Step:
    """A step that the caller meets: words, a transfer, the end. ``failed``: an end with the provider's own error.

    The text of a ``wait``, with music or without, is its seconds.
    """

    kind: Literal["say", "transfer", "wait", "hang_up", "failed"]
    text: str = ""


@dataclass(frozen=True)
class Redirect:
    """Ask ``url`` how to go on. Where it ``goes_on``, no answer means the next verb; elsewhere the call then fails."""

    url: str
    goes_on: bool = False


Verb = Step | Redirect
Fetch = Callable[[str, str], Awaitable[Sequence[Verb]]]
"""Ask the first address for verbs; the second is the one that failed before, where this is the fallback."""


async def followed(verbs: Iterable[Verb], fetch: Fetch, fallback_url: str = "") -> tuple[Step, ...]:
    """Carry out verbs to the call's end, and return what the caller met."""
    left, steps, asked = list(verbs), list[Step](), 0
    while left:
        verb = left.pop(0)
        if isinstance(verb, Step):
            steps.append(verb)
            if verb.kind in ("hang_up", "failed"):
                return tuple(steps)
            continue
        asked += 1
        if asked > REDIRECTS:
            return (*steps, Step("failed", f"more than {REDIRECTS} documents"))
        left = await _asked(verb, left, fetch, fallback_url)
    return (*steps, Step("hang_up"))


async def _asked(verb: Redirect, behind: list[Verb], fetch: Fetch, fallback_url: str) -> list[Verb]:
    try:
        return list(await fetch(verb.url, "")) or (behind if verb.goes_on else [])
    except GatewayError as error:
        if verb.goes_on:
            return behind
        failed = Step("failed", str(error))
    if not fallback_url:
        return [failed]
    try:
        return list(await fetch(fallback_url, verb.url))
    except GatewayError as error:
        return [Step("failed", str(error))]


def redirected(document: str) -> Redirect | None:
    """Return the first verb of an XML document where it asks for another document."""
    try:
        verbs = verbs_of(document, "")
    except WireError:
        return None
    return verbs[0] if verbs and isinstance(verbs[0], Redirect) else None


def verbs_of(document: str, url: str) -> list[Verb]:
    """Return the verbs of an XML document that ``url`` gave. Raises ``WireError`` where it is none."""
    try:
        response = Xml.fromstring(document)  # noqa: S314 -- the document of the gateway under test
    except Xml.ParseError as error:
        raise WireError(f"the answer of {url} is not XML ({error}): {document[:120]!r}") from None
    return behind_stream(response, url)


def behind_stream(verbs: Iterable[Xml.Element], url: str) -> list[Verb]:
    """Return what elements of a document ask for; one that is not known here ends the call, and says so."""
    return [_verb(element, url) for element in verbs]


def _verb(element: Xml.Element, url: str) -> Verb:
    text = "".join(element.itertext()).strip()
    if element.tag in _SAY:
        return Step("say", text)
    if element.tag in _DIAL:
        return Step("transfer", text)
    if element.tag in _PAUSE:
        return Step("wait", element.get("length") or element.get("duration") or "1")
    if element.tag in _PLAY:
        return Step("wait", MUSIC_S)
    if element.tag == "Redirect":
        return Redirect(urljoin(url, element.get("redirectUrl", "") or text))
    return Step("hang_up") if element.tag == "Hangup" else Step("failed", f"no verb of a call's end: {element.tag}")
