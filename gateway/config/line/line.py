"""A phone line: its settings as the file writes them, and the line as calls use it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Tag

from gateway.audio.sound import Sound
from gateway.config.line.agent import Agent
from gateway.config.line.greeting import AnyGreeting
from gateway.config.line.hours import Hours, nearest_time_zone
from gateway.config.line.keys import Digits, Key, KeyAction
from gateway.config.line.models import Engine, ModelChain, engine_of
from gateway.config.line.placeholders import OF_THE_CALL
from gateway.config.line.time_zones import time_zone
from gateway.config.line.tools import Tool
from gateway.config.line.transfers import AnyTarget, DestinationOrName, TargetName
from gateway.config.line.turns import (
    DEFAULT_TURN_DETECTION,
    AnyTranscription,
    Echo,
    Language,
    NoiseReduction,
    Transcription,
    TurnDetection,
)
from gateway.config.line.voices import DEFAULT_VOICE, Voice
from gateway.config.numbers import PhoneNumber, Region
from gateway.config.reading.section import (
    WORD_OR_WHOLE,
    Number,
    Section,
    Switch,
    Text,
    Whole,
    Wording,
    or_none,
)
from gateway.function import Function

OWN_METADATA = ("call_id", "line")
"""Metadata of the Voice Live session that the gateway writes itself."""

_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


def _variable(name: str) -> str:
    if name in OF_THE_CALL:
        raise ValueError("is filled in for each call, expected another name")
    if not re.fullmatch(_VARIABLE, name):
        raise ValueError("is not fit for a placeholder, expected letters, digits and _")
    return str(name)


VariableName = Annotated[
    str,
    AfterValidator(_variable),
    Field(json_schema_extra={"pattern": rf"^(?!({'|'.join(OF_THE_CALL)})$){_VARIABLE}$"}),
]


def _time_zone(name: str) -> str:
    try:
        time_zone(name)
    except ValueError:
        near = nearest_time_zone(name)
        hint = f"did you mean {near}?" if near else "expected such as Europe/Berlin"
        raise ValueError(f"is not a time zone, {hint}") from None
    return str(name)


OrderlyEnd = Literal["bot_hung_up", "silence", "time_limit"]
"""Ends of a call that is not cut off, in the words of the log and the metrics."""


class Silence(Section):
    """What happens when the caller says nothing."""

    after_s: Annotated[Number, Field(ge=2, le=300)]
    """Seconds of silence on both sides before the bot speaks up."""
    say: Text
    """What it says then, word for word."""
    times: Annotated[Whole, Field(ge=1, le=10)] = 2
    """How often it speaks up before the call ends."""


class Rescue(Section):
    """What happens when the bot cannot go on, such as when Voice Live fails: words, then a transfer."""

    say: Text | None = None
    """What the provider's own voice says, where the provider has one."""
    transfer: DestinationOrName | None = None
    """Where the call then goes: the name of one of transfers, a phone number in quotes, or a sip: address."""


class Afterwards(Rescue):
    """What follows a call that ended in order: words, then a transfer; else the call ends."""

    ends: Annotated[tuple[OrderlyEnd, ...], Field(min_length=1, json_schema_extra={"uniqueItems": True})] = (
        "bot_hung_up",
        "silence",
        "time_limit",
    )
    """The ends that it follows: the bot said goodbye, the caller said nothing, the call lasted as long as it may."""


class LineLimits(Section):
    """Bounds of one line."""

    duration_s: Annotated[Whole, Field(ge=10, le=3600)] = 1800
    """Seconds after which a call ends; Voice Live sessions last an hour at most."""
    calls: Annotated[Whole, Field(ge=1)] | None = None
    """Calls at once on this line; without it, only the gateway's own limit counts."""
    tool_calls: Annotated[Whole, Field(ge=1, le=1000)] = 100
    """Tools that the model may call in one call; end_call and transfer_call are not counted."""
    secret_attempts: Annotated[Whole, Field(ge=1, le=100)] = 5
    """Times that the caller may key in the secret digits of one tool in one call."""


class InterimResponse(Section):
    """Words that fill a wait; only with text models and an Azure voice."""

    triggers: Annotated[tuple[Literal["latency", "tool"], ...], Field(min_length=1)] = ("latency",)
    """Waits to fill: for a slow answer, for a tool."""
    latency_threshold_ms: Annotated[Whole, Field(ge=0, le=60_000)] = 2000
    """Milliseconds that count as a slow answer."""


class StaticInterim(InterimResponse):
    """One of a few fixed texts."""

    type: Literal["static_interim_response"]
    texts: Annotated[tuple[Text, ...], Field(min_length=1)]
    """The texts to choose from."""


class WrittenInterim(InterimResponse):
    """A text written by a small model for the occasion."""

    type: Literal["llm_interim_response"]
    model: Text = "gpt-4.1-mini"
    """The model that writes it."""
    instructions: Text | None = None
    """How it shall be written."""
    max_completion_tokens: Annotated[Whole, Field(ge=1)] = 50
    """How long it may be."""


class Settings(Section):
    """One phone line. Only numbers and instructions (or instructions_file, or agent) are required."""

    region: Region | None = None
    """The country whose habits numbers without a country code follow, two letters such as DE; it overrides that of the
    provider."""
    numbers: Annotated[tuple[PhoneNumber, ...], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
    """The line's phone numbers in quotes, in international format, with a region also as people write them there;
    extensions as they are; "*" takes what no other line takes."""
    instructions: Text | None = None
    """What the bot is, knows and does. {caller}, {called}, {line}, {now}, your variables and the stream's parameters
    are filled in."""
    instructions_file: Text | None = None
    """A text file with the instructions instead; its path starts at this file."""
    variables: Mapping[VariableName, Wording] = Field(default_factory=dict)
    """Your own placeholders for instructions and for what is said."""
    parameters: Annotated[tuple[VariableName, ...], Field(json_schema_extra={"uniqueItems": True})] = ()
    """Parameters that the phone stream brings for a call; placeholders may name them."""
    agent: Agent | None = None
    """A Foundry agent that answers instead of a model: it has its own instructions, model and tools."""
    timezone: Annotated[Text, AfterValidator(_time_zone)] = "UTC"
    """Where the line is, for {now} and hours: an IANA name such as Europe/Berlin."""
    hours: Hours | None = None
    """When the line is open, and what callers meet when it is not; without it, it always is."""
    greeting: Annotated[AnyGreeting | None, or_none(AnyGreeting)] = None
    """The first words, said word for word; or {prompt: …} in the model's words; or {play: …} from a file; or none."""
    voice: Voice = DEFAULT_VOICE
    """An Azure voice's name, an OpenAI voice's name, or a section with a type."""
    model: ModelChain | None = None
    """The Voice Live model; without it, that of gateway.yaml. Or several, [gpt-realtime, gpt-4.1-mini]: where the
    region lacks one, or its session cannot be opened, the next one answers."""
    strict: Switch = False
    """Whether calls must have the voice as it is here, and end where the service refuses it; else a simpler form of it
    will do."""
    tolerant: Switch = False
    """Whether calls may go without transcription, or with server_vad, where the service refuses what is configured."""
    language: Language | None = None
    """What callers speak, such as de-DE, or up to ten codes with commas; without it, it is detected."""
    turn_detection: Annotated[TurnDetection | None, or_none(TurnDetection)] = DEFAULT_TURN_DETECTION
    """How the end of the caller's turn is found; none leaves it to a key on the phone (commit_on)."""
    commit_on: Key | None = None
    """The key that ends the caller's turn when turn_detection is none, in quotes: "#"."""
    digits: Digits | None = None
    """Digits that the caller keys are given to the model; without it, keys that mean nothing else are passed over."""
    on_key: Mapping[Key, KeyAction] = Field(default_factory=dict)
    """What single keys do without the model, such as "0": {transfer: desk}."""
    transfers: Mapping[TargetName, AnyTarget] = Field(default_factory=dict)
    """Where calls may be transferred, by name: a number in quotes, a sip: address, or {to: …, description: …}."""
    noise_reduction: Annotated[NoiseReduction | None, or_none(NoiseReduction)] = None
    """A noise filter; azure_deep_noise_suppression can swallow words on a phone line."""
    echo_cancellation: Annotated[Echo | None, or_none(Echo)] = None
    """server_echo_cancellation, for phones that echo; the telephone network has its own."""
    transcription: Annotated[AnyTranscription | None, or_none(AnyTranscription)] = Transcription()
    """How the caller's words are written down, or none."""
    barge_in: Switch = True
    """Whether the caller may interrupt the bot."""
    silence: Silence | None = None
    """What happens when the caller says nothing; without it, nothing does."""
    after: Afterwards | None = None
    """What follows a call that ended in order; without it, the call is over."""
    on_failure: Rescue | None = None
    """What happens when the bot cannot go on; without it, the caller is hung up on."""
    limits: LineLimits = LineLimits()
    """Bounds of this line."""
    tools: Annotated[tuple[Tool, ...], Field(json_schema_extra={"uniqueItems": True})] = ()
    """What the bot can do besides talk: end_call hangs up after its last words were heard, transfer_call goes to one
    of transfers, send_digits presses keys; and functions over HTTP, in Python, and MCP servers."""
    tool_choice: Literal["auto", "none", "required"] = "auto"
    """Whether the bot decides by itself to use a tool, may not, or must."""
    parallel_tool_calls: Switch = False
    """Whether it may use several tools at once."""
    temperature: Annotated[Number, Field(ge=0.6, le=1.2)] | None = None
    """How freely a text model words its answers, 0.6 to 1.2; native models do not take it."""
    max_response_output_tokens: Annotated[
        Annotated[Literal["inf"], Tag("text")] | Annotated[Whole, Field(ge=1, le=4096), Tag("other")], WORD_OR_WHOLE
    ] = "inf"
    """How long one answer may be, 1 to 4096 tokens, or inf."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    """How long a reasoning model thinks; more costs seconds of silence on the phone."""
    interim_response: Annotated[StaticInterim | WrittenInterim, Field(discriminator="type")] | None = None
    """Words that fill a long wait; only with text models and an Azure voice."""
    metadata: Annotated[
        Mapping[Annotated[str, Field(max_length=64)], Annotated[Wording, Field(max_length=512)]],
        Field(max_length=16 - len(OWN_METADATA)),
    ] = Field(default_factory=dict)
    """Your own labels for the service's logs; the gateway adds call_id and line."""


@dataclass(frozen=True)
class Line:
    """One phone line, ready for calls. Immutable: a call keeps the one it began with."""

    name: str
    """The stem of its file."""
    file: Path
    settings: Settings
    instructions: str = field(repr=False)
    """As written; the placeholders are filled in for each call."""
    model: str
    """The line's model, or the deployment's; empty where an agent answers."""
    functions: tuple[Function, ...] = ()
    """Its tools over HTTP and in Python."""
    sounds: Mapping[str, Sound] = field(default_factory=dict)
    """The recordings that ``play`` names, by the name as written."""
    generation: str = ""
    """A short hash of what was read: which version of the line a call has."""
    fallbacks: tuple[str, ...] = ()
    """The models that are tried after ``model``, in their order."""

    @property
    def engine(self) -> Engine:
        """The engine behind the line's model; an agent has a text model."""
        return engine_of(self.model)

    @property
    def models(self) -> tuple[str, ...]:
        """All models in the order in which they are tried; none where an agent answers."""
        return (self.model, *self.fallbacks) if self.model else ()

    def answered_by(self, model: str) -> "Line":
        """Return the same line with ``model`` as the one that answers."""
        return replace(self, model=model)

    @property
    def following(self) -> Mapping[str, Rescue]:
        """The settings that may follow a call's stream, by their key."""
        both = {"after": self.settings.after, "on_failure": self.settings.on_failure}
        return {key: wanted for key, wanted in both.items() if wanted is not None}

    def number_of(self, wanted: Rescue) -> str:
        """Return the destination of ``after`` or ``on_failure``; nothing if the call ends."""
        named = self.settings.transfers.get(wanted.transfer or "")
        return named.to if named else wanted.transfer or ""

    @property
    def synthesizes(self) -> bool:
        """``True`` if Azure text to speech speaks for the line, so that a text can be said word for word."""
        return self.settings.voice.type.startswith("azure-") and self.settings.voice.type != "azure-realtime-native"
