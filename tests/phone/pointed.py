"""What is asked of a provider's API to point a number at the gateway, and what is changed there: letter by letter.

``pointing.json`` beside a provider's test has the requests as they were recorded, and what a refusal says: a change
there is to be read against the vendor's API reference.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gateway.config.providers import ProviderSettings, settings_of
from gateway.errors import GatewayError
from gateway.phone.pointing import ByApi, Change, Pointing, Urls
from gateway.served import make_provider
from gateway.text import json_bytes
from tests.phone.test_wire_documents import of_request

NUMBER = "+14255550100"
URLS = Urls("https://gw.example.com/answer", "https://gw.example.com/status", "https://static.example.com/sorry")
KEY = SecretStr("key")
OLD, OLD_FALLBACK = "https://old.example.com/answer", "https://old.example.com/fallback"
Answers = Mapping[str, Sequence[object]]
"""What the API answers: to each request, in order."""
COMPATIBLE: Answers = {
    "known": [{"incoming_phone_numbers": [{"sid": "PN1", "voice_url": OLD, "voice_fallback_url": OLD_FALLBACK}, {}]}],
    "bare": [{"incoming_phone_numbers": [{"sid": "PN/1", "voice_url": None}]}],
    "none": [{"incoming_phone_numbers": []}],
    "odd": [{"incoming_phone_numbers": [{}]}],
    "no JSON object": [[]],
}
"""Those of Twilio and of the providers that took its API over."""


def point(name: str, section: ProviderSettings) -> Pointing:
    """The pointing of a number at an account."""
    pointing = make_provider(name, section).pointing
    assert isinstance(pointing, ByApi)
    return pointing.point(NUMBER, URLS)


def pointed(name: str, section: ProviderSettings, answers: Sequence[object]) -> dict[str, Any]:
    """Return the requests that are made, and the change or the refusal that comes of their answers."""
    pointing = point(name, section)
    asked: list[dict[str, Any]] = []
    end: Any = None
    try:
        asked.append(of_request(next(pointing)))
        for answer in answers:
            request = pointing.send(json_bytes(answer))
            assert (request.gone, request.repeatable) == ((), True), "it may be done twice, and nothing counts as gone"
            asked.append(of_request(request))
    except StopIteration as done:
        change = done.value
        assert isinstance(change, Change)
        assert (change.request.gone, change.request.repeatable) == ((), True)
        end = [change.what, change.before, change.after, change.fallback_before, change.fallback_after]
        end.append(of_request(change.request))
    except GatewayError as error:
        end = f"{type(error).__name__}: {error}"
    assert end is not None, "it asks for more"
    return {"asked": asked, "end": end}


def everything(name: str, section: ProviderSettings, answers: Answers) -> dict[str, Any]:
    """Return what comes of each kind of answers, and of an account without its credentials."""
    read = {what: pointed(name, section, given) for what, given in answers.items()}
    return read | {"nothing set": pointed(name, settings_of(name)(), [])}


def recorded(test: str) -> object:
    """Return the ``pointing.json`` beside a test."""
    recorded: object = json.loads(Path(test).with_name("pointing.json").read_text("utf-8"))
    return recorded
