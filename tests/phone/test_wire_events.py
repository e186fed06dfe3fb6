"""What every wire makes of its golden call, member by member, and how it says what was odd.

``wire_events.json`` has, as recorded, the events of each message of the transcripts, for a stream that our answer
document vouched for and for one that it did not, and what is noted of members that are of another shape.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.config.providers import settings_of
from gateway.errors import GatewayError
from gateway.phone.commands import AskForLife, EndStream, SendDigits, SendMark, StopPlayback, TransferCall
from gateway.phone.events import CallerAudio, OddMessage, PhoneEvent, WireReply
from gateway.phone.provider import Codec, Grant, Upgrade
from gateway.served import make_provider
from tests.conformance.transcripts import golden
from tests.conformance.wires import begun, changed, free, fresh, start_of

GRANTS = {"vouched for": ("support", "+14155550199", "+14255550199"), "of its own": ("", "", "")}
COMMANDS = (SendMark("m-1"), StopPlayback(), SendDigits("1#"), TransferCall("+14155550111"), AskForLife(), EndStream())
SHAPES: tuple[object, ...] = ([[]], {"a": [{}]}, True)
EXPECTED: Mapping[str, Mapping[str, Any]] = json.loads(Path(__file__).with_name("wire_events.json").read_text("utf-8"))


def shown(event: PhoneEvent | WireReply) -> str:
    """Return an event in words; audio by its length and its first bytes, what is rare where it is so."""
    if isinstance(event, CallerAudio):
        return f"{len(event.audio)} bytes of audio: {event.audio[:8].hex()}"
    fields = {field: getattr(event, field) for field in event.__struct_fields__ if field != "playout"}
    for rare in ("frame_header", "big_endian"):
        if not fields.get(rare):
            fields.pop(rare, None)
    return f"{type(event).__name__}: " + ", ".join(f"{field}={value}" for field, value in fields.items())


def decoded(codec: Codec, message: str | bytes) -> list[str]:
    """Return the events of a message, or its refusal."""
    try:
        return [shown(event) for event in codec.decode(message)]
    except GatewayError as error:
        return [f"{type(error).__name__}: {error}"]


def events(name: str, granted: str) -> list[str]:
    """Return the events of the golden call."""
    line, caller, called = GRANTS[granted]
    codec = make_provider(name, settings_of(name)()).codec(Upgrade(), Grant(line, "", caller, called))
    return [event for message in golden(name).messages for event in decoded(codec, message)]


def oddities(name: str) -> dict[str, list[str]]:
    """Return what is noted where a member that nobody needs is an array, or an object."""
    noted: dict[str, list[str]] = {}
    for place in free(name):
        for value in SHAPES:
            if name == "genesys" and place in ("type", "version"):
                continue
            read = fresh(name).decode(json.dumps(changed(start_of(name), place, value)))
            for event in read:
                if isinstance(event, OddMessage):
                    noted.setdefault(place, []).append(event.detail)
    return noted


def written(name: str) -> dict[str, list[str]]:
    """Return the messages that carry commands out, once the call has started."""
    codec = begun(name)
    return {
        type(command).__name__: [
            message if isinstance(message, str) else message.hex() for message in codec.encode(command)
        ]
        for command in COMMANDS
    }


def everything(name: str) -> dict[str, Any]:
    """Return all that a wire makes of its golden call."""
    return {granted: events(name, granted) for granted in GRANTS} | {"odd": oddities(name), "out": written(name)}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_wire_tells_each_member_that_the_call_needs(name: str) -> None:
    """Numbers come of the answer document where there was one, else of the start; what is odd is named by its place."""
    assert everything(name) == EXPECTED[name]
