"""A phone line: its settings as the file writes them, and the line as calls use it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from gateway.audio.sound import Sound
from gateway.config.full import WhenFull, or_busy
from gateway.config.line.agent import Agent
from gateway.config.line.greeting import AnyGreeting, Said
from gateway.config.line.hours import Hours, nearest_time_zone
from gateway.config.line.keys import Digits, Key, KeyAction
from gateway.config.line.models import Engine, ModelChain, engine_of
from gateway.config.line.placeholders import OF_THE_CALL
from gateway.config.line.time_zones import time_zone
from gateway.config.line.tools import Tool
from gateway.config.line.transfers import AnyTarget, DestinationOrName, TargetName
from gateway.config.line.trouble import OnTrouble
from gateway.config.line.turns import (
    DEFAULT_TURN_DETECTION,
    AnyBargeIn,
    AnyTranscription,
    BargeIn,
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
from gateway.config.records.deliver import Receivers
from gateway.config.records.recording import AnyRecording
from gateway.config.records.records import LineRecords
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


def _modalities(modalities: tuple[str, ...]) -> tuple[str, ...]:
    if sorted(modalities) not in (["text"], ["audio", "text"]):
        raise ValueError("are not modalities of a call, expected [text, audio], or [text] for a line that only listens")
    return modalities


OrderlyEnd = Literal["bot_hung_up", "silence", "time_limit"]
"""Ends of a call that is not cut off, in the words of the log and the metrics."""


class Silence(Section):
    """Reminds a caller who says nothing, then ends the call."""

    after_s: Annotated[Number, Field(ge=2, le=300)]
    """Seconds of silence on both sides before a reminder."""
    say: Text
    """The reminder, word for word."""
    times: Annotated[Whole, Field(ge=1, le=10)] = 2
    """Number of reminders before the call ends."""


class Rescue(Section):
    """Handles a call in which the bot cannot go on, such as when Voice Live fails: words, then a transfer."""

    say: Text | None = None
    """A text that the provider's own voice says, if the provider has one."""
    transfer: DestinationOrName | None = None
    """The target of the call afterwards: the name of one of transfers, a phone number in quotes, or a sip: address."""


class Parting(Rescue):
    """Ends a call that still goes on when the gateway stops: words of the bot, then a transfer."""

    say: Text | None = None
    """A text that the bot says, word for word; without it, that of on_failure."""
    transfer: DestinationOrName | None = None
    """The target of the call afterwards, as in on_failure; without it, that of on_failure."""


class Afterwards(Rescue):
    """Continues a call that ended in an orderly way: words, then a transfer or the end of the call."""

    ends: Annotated[tuple[OrderlyEnd, ...], Field(min_length=1, json_schema_extra={"uniqueItems": True})] = (
        "bot_hung_up",
        "silence",
        "time_limit",
    )
    """The ends after which it happens: the bot hung up, the caller said nothing, the call reached its time limit."""


class LineLimits(Section):
    """Bounds of one line."""

    duration_s: Annotated[Whole, Field(ge=10, le=43_200)] = 1800
    """Seconds after which a call ends. Voice Live sessions last an hour; a longer call goes on with another one."""
    calls: Annotated[Whole, Field(ge=1)] | None = None
    """Maximum number of simultaneous calls on this line; without it, only the gateway's own limit applies."""
    no_audio_s: Annotated[Whole, Field(ge=20, le=3600)] | None = None
    """Seconds without audio of the caller after which a call ends whose stream is alive; without it, none does."""
    calls_per_hour: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    """Maximum number of calls in an hour on this line; without it, they are not limited."""
    caller_calls: Annotated[Whole, Field(ge=1)] | None = None
    """Maximum number of simultaneous calls of one caller on this line; withheld numbers are not limited."""
    caller_calls_per_hour: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    """Maximum number of calls in an hour of one caller on this line; withheld numbers are not limited."""
    tool_calls: Annotated[Whole, Field(ge=1, le=1000)] = 100
    """Maximum number of tool calls of the model in one call; end_call and transfer_call are not counted."""
    secret_attempts: Annotated[Whole, Field(ge=1, le=100)] = 5
    """Maximum number of entries of secret digits for one tool in one call."""


class OneFunction(Section):
    """The one function that every answer calls."""

    function: Text
    """The name of a tool of the line: a built-in one, or one over HTTP or in Python."""


class InterimResponse(Section):
    """Words that fill a wait; only with text models and an Azure voice."""

    triggers: Annotated[tuple[Literal["latency", "tool"], ...], Field(min_length=1)] = ("latency",)
    """The waits to fill: latency for a slow answer, tool for a tool."""
    latency_threshold_ms: Annotated[Whole, Field(ge=0, le=60_000)] = 2000
    """Milliseconds after which an answer counts as slow."""


class StaticInterim(InterimResponse):
    """One of a few fixed texts."""

    type: Literal["static_interim_response"]
    texts: Annotated[tuple[Text, ...], Field(min_length=1)]
    """The texts to choose from."""


class WrittenInterim(InterimResponse):
    """A text written by a small model for the occasion."""

    type: Literal["llm_interim_response"]
    model: Text = "gpt-4.1-mini"
    """The model that writes the text."""
    instructions: Text | None = None
    """Instructions for the model that writes the text."""
    max_completion_tokens: Annotated[Whole, Field(ge=1)] = 50
    """Maximum length of the text in tokens."""


class Settings(Section):
    """One phone line. Only numbers and instructions (or instructions_file, or agent) are required."""

    region: Region | None = None
    """The country by whose rules numbers without a country code are read, two letters such as DE; it overrides the
    provider's."""
    numbers: Annotated[tuple[PhoneNumber, ...], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
    """The line's phone numbers, in quotes: in international format, or as people write them in the region; extensions
    as they are. "*" matches every number of no other line."""
    instructions: Text | None = None
    """The instructions for the model. {caller}, {called}, {line}, {now}, your variables and the stream's parameters are
    filled in."""
    instructions_file: Text | None = None
    """A text file that contains the instructions; the path is relative to this file."""
    variables: Mapping[VariableName, Wording] = Field(default_factory=dict)
    """Values of your own placeholders in the instructions and in texts to say."""
    parameters: Annotated[tuple[VariableName, ...], Field(json_schema_extra={"uniqueItems": True})] = ()
    """Names of parameters that the phone stream brings for a call; placeholders may use them."""
    agent: Agent | None = None
    """A Foundry agent that answers instead of a model: it has its own instructions, model and tools."""
    timezone: Annotated[Text, AfterValidator(_time_zone)] = "UTC"
    """The time zone for {now} and hours: an IANA name such as Europe/Berlin."""
    hours: Hours | None = None
    """The opening hours, and what callers get outside them; without it, the line is always open."""
    greeting: Annotated[AnyGreeting | None, or_none(AnyGreeting)] = None
    """The bot's first words: a text to say word for word, {prompt: …} for the model's own words, {play: …} for a file,
    or none."""
    history: Annotated[tuple[Said, ...], Field(max_length=50)] = ()
    """Messages with which the conversation begins, before the greeting: [{system: …}, {user: …}, {assistant: …}]."""
    voice: Voice = DEFAULT_VOICE
    """An Azure voice's name, an OpenAI voice's name, or a section with a type."""
    model: ModelChain | None = None
    """The Voice Live model; defaults to that of gateway.yaml. Or several, [gpt-realtime, gpt-4.1-mini]: if the
    region lacks one, or its session cannot be opened, the next one answers."""
    modalities: Annotated[
        tuple[Literal["text", "audio"], ...],
        AfterValidator(_modalities),
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    ] = ("text", "audio")
    """[text] for a line that only listens: callers are transcribed, nobody answers them; else [text, audio]."""
    strict: Switch = False
    """End a call in which the service refuses the voice as configured; else a simpler form of the voice is used."""
    tolerant: Switch = False
    """Continue a call without transcription, or with server_vad, if the service refuses the configured one."""
    language: Language | None = None
    """The callers' language, such as de-DE, or up to ten codes with commas; without it, the language is detected."""
    turn_detection: Annotated[TurnDetection | None, or_none(TurnDetection)] = DEFAULT_TURN_DETECTION
    """Detects the end of the caller's turn; with none, a key on the phone ends it (commit_on)."""
    commit_on: Key | None = None
    """The key that ends the caller's turn when turn_detection is none, in quotes: "#"."""
    digits: Digits | None = None
    """Gives the digits that the caller presses to the model; without it, keys without another meaning are ignored."""
    on_key: Mapping[Key, KeyAction] = Field(default_factory=dict)
    """Actions of single keys, without the model, such as "0": {transfer: desk}."""
    transfers: Mapping[TargetName, AnyTarget] = Field(default_factory=dict)
    """The targets of transfers, by name: a number in quotes, a sip: address, or {to: …, description: …}."""
    noise_reduction: Annotated[NoiseReduction | None, or_none(NoiseReduction)] = None
    """A noise filter; azure_deep_noise_suppression can swallow words on a phone line."""
    echo_cancellation: Annotated[Echo | None, or_none(Echo)] = None
    """server_echo_cancellation, for phones that echo; the telephone network has its own."""
    transcription: Annotated[AnyTranscription | None, or_none(AnyTranscription)] = Transcription()
    """Transcribes the caller's words; none switches it off."""
    barge_in: AnyBargeIn = True
    """Let the caller interrupt the bot: true, false, or rules, such as {min_speech_ms: 300}."""
    silence: Silence | None = None
    """Reminds a caller who says nothing, then ends the call; without it, silence has no effect."""
    after: Afterwards | None = None
    """Continues a call that ended in an orderly way; without it, the call ends."""
    on_failure: Rescue | None = None
    """Handles a call in which the bot cannot go on; without it, the gateway hangs up."""
    on_trouble: OnTrouble | None = None
    """Keeps a call whose Voice Live session is lost: words for the caller, and tries at another session; without it,
    that of gateway.yaml."""
    when_full: Annotated[WhenFull | None, or_busy(WhenFull)] = None
    """Answers a call for which there is no room: busy, or words, a wait, a transfer; defaults to that of gateway.yaml,
    else busy."""
    deliver: Receivers | None = None
    """The receivers of the events of calls, in place of those of gateway.yaml; [] delivers nothing."""
    on_shutdown: Parting | None = None
    """Ends a call that still goes on when the gateway stops and its drain is over; without it, the bot does what
    on_failure says."""
    limits: LineLimits = LineLimits()
    """Bounds of this line."""
    records: LineRecords = LineRecords()
    """The records of this line's calls, where they are kept otherwise than gateway.yaml says."""
    recording: AnyRecording = None
    """Records the calls: false, true, or keys with values, such as {announce: This call is recorded.}."""
    tools: Annotated[tuple[Tool, ...], Field(json_schema_extra={"uniqueItems": True})] = ()
    """The tools of the bot: end_call hangs up after its last words were heard, transfer_call transfers to one of
    transfers, send_digits presses keys; also functions over HTTP and in Python, and MCP servers."""
    tool_choice: Annotated[
        Annotated[Literal["auto", "none", "required"], Tag("[word]")] | Annotated[OneFunction, Tag("[section]")],
        Discriminator(lambda value: "[section]" if isinstance(value, dict) else "[word]"),
    ] = "auto"
    """Tool use: auto leaves it to the model, none forbids it, required forces it, {function: name} forces that one."""
    parallel_tool_calls: Switch = False
    """Let the model call several tools at once."""
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    """Randomness of the answers, 0 to 2; 0.6 to 1.2 is documented. A text model that reasons takes 1 alone."""
    max_response_output_tokens: Annotated[
        Annotated[Literal["inf"], Tag("text")] | Annotated[Whole, Field(ge=1, le=4096), Tag("other")], WORD_OR_WHOLE
    ] = "inf"
    """Maximum length of one answer, 1 to 4096 tokens, or inf."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    """Effort of a reasoning model; more effort means more seconds of silence on the phone."""
    interim_response: Annotated[StaticInterim | WrittenInterim, Field(discriminator="type")] | None = None
    """Words that fill a long wait; only with text models and an Azure voice."""
    metadata: Annotated[
        Mapping[Annotated[str, Field(max_length=64)], Annotated[Wording, Field(max_length=512)]],
        Field(max_length=16 - len(OWN_METADATA)),
    ] = Field(default_factory=dict)
    """Your own labels for the service's logs; the gateway adds call_id and line."""

    @property
    def only_listens(self) -> bool:
        """``True`` if nobody answers the caller, who is transcribed."""
        return "audio" not in self.modalities

    @property
    def greeting_interruptible(self) -> bool:
        """``True`` if the caller may interrupt the greeting."""
        return self.barge_in_rules.greeting and (self.greeting is None or self.greeting.interruptible)

    @property
    def barge_in_rules(self) -> BargeIn:
        """The rules by which the caller interrupts the bot; the default ones where the line has none."""
        return self.barge_in if isinstance(self.barge_in, BargeIn) else BargeIn()


@dataclass(frozen=True)
class Line:
    """One phone line, ready for calls. Immutable: a call keeps the one it began with."""

    name: str
    """The stem of its file."""
    file: Path
    settings: Settings
    instructions: str = field(repr=False)
    """The instructions as written; the placeholders are filled in for each call."""
    model: str
    """The line's model, or the deployment's; empty where an agent answers."""
    functions: tuple[Function, ...] = ()
    """Its tools over HTTP and in Python."""
    sounds: Mapping[str, Sound] = field(default_factory=dict)
    """The recordings that ``play`` names, by the name as written."""
    trouble: OnTrouble = field(default_factory=OnTrouble)
    """The rules for a lost session, the line's or the deployment's."""
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
        """Return the destination of ``after``, ``on_failure`` or ``on_shutdown``; nothing if the call ends."""
        named = self.settings.transfers.get(wanted.transfer or "")
        return named.to if named else wanted.transfer or ""

    @property
    def synthesizes(self) -> bool:
        """``True`` if Azure text to speech speaks for the line, so that a text can be said word for word."""
        return self.settings.voice.type.startswith("azure-") and self.settings.voice.type != "azure-realtime-native"
