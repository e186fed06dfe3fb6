"""Golden transcripts: messages as the vendor's documents write them, and what they mean here.

``tests/transcripts/<name>/*.jsonl`` has one JSON object a line, each with one member:

{"about": …}    first line of one transcript: the parts of the start and of audio (:class:`About`)
{"stream": …}   how the stream came: grant and upgrade; left out where nothing vouched for it
{"in": …}       a message of the provider
{"event": …}    an event that the message before is decoded to, as {"DigitPressed": {"digit": "5"}}
{"command": …}  a command of ours, as {"SendMark": {"name": "g1-1"}}
{"out": …}      a message that the command before is encoded to, or the reply that the message before wants at once

A message is a JSON string where it is text, ``{"binary": "<base64>"}`` where it is not. Audio in events and commands is
base64. Members of events that have their default are left out.
"""

import base64
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from gateway.config.providers import settings_of
from gateway.phone.commands import PhoneCommand, StreamCommand
from gateway.phone.events import CallStarted, PhoneEvent, Playout, WireReply
from gateway.phone.provider import Codec, Grant, Provider, Upgrade
from gateway.phone.providers import PROVIDERS
from gateway.served import make_provider
from tests.conformance.unfinished import to_be_changed

TRANSCRIPTS = Path(__file__).parent.parent / "transcripts"
COMMANDS = {kind.__name__: kind for kind in (*get_args(PhoneCommand), *get_args(StreamCommand))}
EVENTS = {kind.__name__: kind for kind in get_args(PhoneEvent)}
HOW = "tests/conformance/transcripts.py says how a line is written"
Message = str | bytes
Kind = TypeVar("Kind")


class Stream(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How a stream came: what our answer granted it, and the request that opened it."""

    grant: Grant = Grant()
    upgrade: Upgrade = Upgrade()


class About(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the kit must know of a wire. A place is the path of a member, as ``start.tracks.0``."""

    needs: list[str]
    """The places of the start without which a stream cannot be carried."""
    means: list[str] = []
    """Places that say something where they are a number or a text, so that another value is not the same call."""
    call_id: str = ""
    """The place of the call's id in the start; empty where it stands in a header."""
    parameters: str = ""
    """The place of what the operator passes through; ``.`` for beside the start's own members; empty for nowhere."""
    audio: str = ""
    """The place of the base64 in a message of audio; empty where audio is a binary message."""
    audio_number: str = ""
    """The place of the number by which messages of audio are put into order."""
    linear: dict[str, Any] | None = None
    """The changes to the start that give linear audio; nothing where there is none."""
    big_endian: bool = False
    """``True`` if linear audio is in network byte order."""
    answers: list[Any] = []
    """The JSON with which its REST API answers the steps of ``Webhooks.answer``, in order."""
    in_order: bool = False
    """``True`` if messages are numbered, so that one cannot stand elsewhere."""


@dataclass
class Step:
    """A message or a command, and what comes of it."""

    number: int
    act: Message | PhoneCommand | StreamCommand
    events: list[PhoneEvent] = field(default_factory=list)
    out: list[Message] = field(default_factory=list)

    @property
    def is_in(self) -> bool:
        """Whether it is a message of the provider."""
        return isinstance(self.act, str | bytes)

    def carried_out(self, codec: Codec) -> tuple[list[PhoneEvent], list[Message]]:
        """Return the events and messages that a wire makes of it."""
        if not isinstance(self.act, str | bytes):
            return [], list(codec.encode(self.act))
        found = codec.decode(self.act)
        replies = [message for event in found if isinstance(event, WireReply) for message in event.messages]
        return [event for event in found if not isinstance(event, WireReply)], replies


@dataclass
class Transcript:
    """A file of steps."""

    provider: str
    name: str
    about: About | None = None
    stream: Stream = field(default_factory=Stream)
    steps: list[Step] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"

    @property
    def path(self) -> str:
        """The file, from the project."""
        return f"tests/transcripts/{self.provider}/{self.name}.jsonl"

    def codec(self) -> Codec:
        """Make a fresh wire for it."""
        return made(self.provider, self.stream.grant, self.stream.upgrade)

    @property
    def messages(self) -> list[Message]:
        """The messages of the provider."""
        return [step.act for step in self.steps if isinstance(step.act, str | bytes)]


def made(provider: str, grant: Grant, upgrade: Upgrade | None = None) -> Codec:
    """Make the wire of a stream that came with this grant."""
    return bare(provider).codec(upgrade or Upgrade(), grant)


@functools.cache
def bare(provider: str) -> Provider:
    """Return the provider without any setting."""
    section = settings_of(provider)
    with to_be_changed(f"gateway/phone/providers/{provider}/provider.py", f"make, given class {section.__name__},"):
        return make_provider(provider, section(), "https://gw.example.com")


def message_of(value: object) -> Message:
    """Read a message."""
    if isinstance(value, dict) and value.keys() == {"binary"}:
        return base64.b64decode(value["binary"])
    assert isinstance(value, str), f'a message is "text" or {{"binary": "<base64>"}}, not {value!r}; {HOW}'
    return value


def of_message(message: Message) -> object:
    """Write a message."""
    return message if isinstance(message, str) else {"binary": base64.b64encode(message).decode()}


def read_of(value: Any, kinds: Mapping[str, type[Kind]]) -> Kind:
    """Read an event or a command."""
    ((name, fields),) = value.items()
    assert name in kinds, f"{name} is none of {', '.join(kinds)}; {HOW}"
    return msgspec.convert({"playout": {}} | fields if name == CallStarted.__name__ else fields, kinds[name])


def of_event(event: PhoneEvent) -> dict[str, Any]:
    """Write an event, without members that have their default."""
    return {type(event).__name__: _changed(event)}


def _changed(struct: msgspec.Struct) -> dict[str, Any]:
    defaults = {each.name: each.default for each in msgspec.structs.fields(struct)} | {"parameters": {}}
    written: dict[str, Any] = {}
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, Playout):
            written |= {name: _changed(value)} if value != Playout() else {}
        elif value != defaults[name]:
            written[name] = msgspec.to_builtins(value)
    return written


def read(provider: str, path: Path) -> Transcript:
    """Read a transcript. Raises AssertionError that names the line which cannot be read."""
    transcript = Transcript(provider, path.stem)
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            ((kind, value),) = json.loads(text).items()
            _take(transcript, number, kind, value)
        except (AssertionError, ValueError, IndexError, AttributeError, msgspec.ValidationError) as error:
            raise AssertionError(f"{transcript.path}:{number}: {error}; {HOW}") from error
    return transcript


def _take(transcript: Transcript, number: int, kind: str, value: Any) -> None:
    match kind:
        case "about":
            transcript.about = msgspec.convert(value, About)
        case "stream":
            transcript.stream = msgspec.convert(value, Stream)
        case "in":
            transcript.steps.append(Step(number, message_of(value)))
        case "command":
            transcript.steps.append(Step(number, read_of(value, COMMANDS)))
        case "event":
            transcript.steps[-1].events.append(read_of(value, EVENTS))
        case "out":
            transcript.steps[-1].out.append(message_of(value))
        case _:
            raise AssertionError(f"{kind!r} is no kind of line")


@functools.cache
def transcripts(provider: str) -> Sequence[Transcript]:
    """Return the transcripts of a provider."""
    return [read(provider, path) for path in sorted((TRANSCRIPTS / provider).glob("*.jsonl"))]


def every_transcript() -> list[Transcript]:
    """Return the transcripts of all providers."""
    return [transcript for provider in PROVIDERS for transcript in transcripts(provider)]


def golden(provider: str) -> Transcript:
    """Return the transcript that says how the wire is built."""
    found = [transcript for transcript in transcripts(provider) if transcript.about is not None]
    assert len(found) == 1, f'{provider}: begin one of tests/transcripts/{provider}/*.jsonl with {{"about": …}}; {HOW}'
    return found[0]


def about(provider: str) -> About:
    """Return what is to be known of a wire."""
    known = golden(provider).about
    assert known is not None
    return known
