"""The script of the emulator, a YAML file as typed models: what it hears and says, and its faults."""

import itertools
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from gateway.sim.emulator.dialect import DialectName
from gateway.sim.emulator.faults import Faults, StrictModel
from gateway.sim.emulator.refusing.rules import MODELS, Refuse
from gateway.sim.yaml_model import load


class Call(StrictModel):
    """A function that the bot calls. A string as arguments is sent as it stands, broken JSON included."""

    name: str
    arguments: dict[str, Any] | str = Field(default_factory=dict)


class McpCall(StrictModel):
    """A tool of an MCP server that the service calls by itself, and what comes back: an output or an error."""

    server_label: str
    name: str
    arguments: dict[str, Any] | str = Field(default_factory=dict)
    output: str | None = None
    error: str | None = None
    takes_s: float = Field(default=0, ge=0)
    response_done_first: bool = True
    """``True`` if ``response.done`` comes before the call's end, however short the call is."""
    approval: Literal["own_response", "outside", "call_first"] = "own_response"
    """The place of a call that needs approval: behind the request, in a response of its own or of none; or before it.

    ``call_first`` shows the call, then the request, in one response; approved, it runs outside of any.
    """
    completed_twice: bool = False
    """``True`` if the event that reports the call's end is sent twice."""

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.output is None) == (self.error is None):
            raise ValueError("give either output or error")
        return self


class McpServer(StrictModel):
    """The list of an MCP server's tools; by default those that the script calls, at once.

    A server of which the script says nothing, at an address that nobody can reach, fails.
    """

    tools: list[str] | None = None
    listing: Literal["completed", "failed"] = "completed"
    listing_takes_s: float = Field(default=0, ge=0)


class Answer(StrictModel):
    """The content of one response: words, calls, or words and then calls."""

    say: str | None = None
    call: Call | None = None
    calls: list[Call] = Field(default_factory=list)
    mcp: McpCall | list[McpCall] = Field(default_factory=list)
    after_call: "Answer | str | None" = None
    """The response that follows once the calls' outputs are there."""
    after_denial: "Answer | str | None" = None
    """The response that follows where the client does not approve of an MCP call."""
    ending: Literal["completed", "max_output_tokens", "content_filter", "failed"] = "completed"
    """The end of the response: whole, cut off by a limit (``incomplete``), or ``failed`` without any output."""
    silent: bool = False
    """``True`` if the response ends before its first output, whatever its ending."""

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if self.call is not None and self.calls:
            raise ValueError("give either call or calls")
        if self.say is None and not self.makes_calls:
            raise ValueError("give say, call, calls or mcp")
        if self.after_call is not None and not self.makes_calls:
            raise ValueError("after_call needs a call before it")
        if self.after_denial is not None and not self.all_mcp:
            raise ValueError("after_denial needs mcp before it")
        return self

    @cached_property
    def all_calls(self) -> list[Call]:
        """The calls under ``call`` or ``calls``."""
        return [self.call] if self.call is not None else self.calls

    @cached_property
    def all_mcp(self) -> list[McpCall]:
        """The calls under ``mcp`` as a list."""
        return [self.mcp] if isinstance(self.mcp, McpCall) else self.mcp

    @property
    def makes_calls(self) -> bool:
        """True if there is a call of either kind in the answer."""
        return bool(self.all_calls or self.all_mcp)

    @cached_property
    def next_answer(self) -> "Answer | None":
        """The answer under ``after_call``."""
        return Answer(say=self.after_call) if isinstance(self.after_call, str) else self.after_call

    @cached_property
    def denied_answer(self) -> "Answer | None":
        """The answer under ``after_denial``."""
        return Answer(say=self.after_denial) if isinstance(self.after_denial, str) else self.after_denial


Transcription = Literal["normal", "never", "failed", "empty", "empty_duplicate"]
"""The outcome of a turn's transcription."""


class Turn(Answer):
    """One turn of the caller: the words that were heard, which need not be those that were said, and the answer."""

    heard: str | None = None
    filler: bool = False
    """``True`` if it is a filler word alone, which ``remove_filler_words`` takes for no speech."""
    transcription: Transcription | None = None
    """The outcome of this turn's transcription; by default, the script's for all turns."""


class Latency(StrictModel):
    """The delays of the service, in milliseconds. The defaults are of the order that recorded sessions show."""

    handshake: float = Field(default=0, ge=0)
    update: float = Field(default=70, ge=0)
    """The time from ``session.update`` to ``session.updated``."""
    detection: float = Field(default=0, ge=0)
    """The delay with which voice activity is reported, in audio time."""
    transcription: float = Field(default=150, ge=0)
    """The time from ``speech_stopped`` to the transcript."""
    create: float = Field(default=60, ge=0)
    """The time from a response's request to ``response.created``."""
    first_delta: float = Field(default=250, ge=0)
    """The time from ``response.created`` to the first output item."""
    first_audio: float = Field(default=150, ge=0)
    """The time from the first words of the transcript to the first audio."""

    @classmethod
    def none(cls) -> Self:
        """Return delays of 0, for tests."""
        return cls(update=0, transcription=0, create=0, first_delta=0, first_audio=0)


class Script(StrictModel):
    """A dialogue and the behaviour of the service that leads it. The n-th turn answers the n-th turn of the caller."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    greeting: str = "Thank you for calling Contoso. How can I help?"
    turns: list[Turn] = Field(min_length=1)
    at_the_end: Literal["repeat", "last"] = "last"
    """After the last turn: all of them again, or the last one again and again."""
    unprompted: str = "Are you still there?"
    """The answer to a bare response.create when the greeting was said and no turn waits for an answer."""
    instructed: str = "Thank you, I have made a note of that."
    """The answer, then, to a response.create with instructions of its own, which nobody here understands."""
    default_after_call: str = "Thank you, I have made a note of that."
    interim: str = "One moment, please."
    """The words of an interim response that a model writes."""
    input_text: Literal["refused", "taken"] = "refused"
    """``input_text.delta`` and ``.done``, which the SDK has and the service refuses in practice."""
    default_after_denial: str = "All right, then I leave it as it is."
    mcp_servers: dict[str, McpServer] = Field(default_factory=dict)
    """The MCP servers by their ``server_label``."""
    language: str | None = None
    """The language of the bot's voice; by default, the language of the session's voice."""
    overlapped: Literal["refused", "answered", "ignored"] = "refused"
    """A turn that ends beside a running response: the service's own answer is refused by an error, follows the
    response, or does not come."""
    vad: Literal["audio", "scripted"] = "audio"
    """``scripted``: audio is counted and never analysed, turns happen when a test says so."""
    transcription: Transcription = "normal"
    pace: float = Field(default=16, gt=0)
    """The speed at which audio is generated, in multiples of real time."""
    burst: int = Field(default=2, ge=1)
    """The audio deltas that are sent at the same moment."""
    late_deltas: int = Field(default=1, ge=0)
    """The audio deltas of a response that are still sent after it was interrupted or cancelled."""
    done_events_on_cancel: bool = True
    """``True`` if ``….done`` events of the item precede the ``response.done`` of a cancelled response."""
    latency_ms: Latency = Latency()
    dialect: DialectName | None = None
    """The names of server events: ``voice_live``, or ``ga``, which are OpenAI's; by default, those of the version."""
    strict: bool = True
    """False accepts unknown fields, and changes of fields that are fixed, without an error."""
    faults: Faults = Faults()
    refuse: Refuse = Refuse()
    echo: dict[str, Any] = Field(default_factory=dict)
    """Members that an accepted session shows, whatever the client asked for; a mapping overrides its own members."""
    host: str | None = None
    """The host that clients ask for, whatever they connect to; by default, their ``Host`` header."""

    def mcp_tools(self, server_label: str) -> list[str]:
        """Return the tools of a server that the script calls, in their order."""
        names: dict[str, None] = {}
        waiting: list[Answer] = list(reversed(self.turns))
        while waiting:
            answer = waiting.pop()
            names |= {call.name: None for call in answer.all_mcp if call.server_label == server_label}
            waiting += [following for following in (answer.denied_answer, answer.next_answer) if following is not None]
        return list(names)

    @classmethod
    def default(cls) -> Self:
        """Return a friendly dialogue about a delivery; every line of it is recorded.

        Its words of the caller are those of three recordings that come with the gateway. See :meth:`for_anyone`.
        """
        answers = [Turn(heard=heard, say=say) for heard, say in _DIALOGUE.items()]
        return cls(turns=[*answers, *(Turn(say=say) for say in _NEUTRAL)])

    @classmethod
    def for_anyone(cls) -> Self:
        """Return the same dialogue for callers who may say anything: it does not claim to know what they said."""
        return cls(turns=[Turn(say=say) for say in (*_DIALOGUE.values(), *_NEUTRAL)])

    @classmethod
    def answering(cls, words: Sequence[str]) -> Self:
        """Return a dialogue with a caller who says exactly these words, one turn each."""
        neutral = itertools.cycle(_NEUTRAL)
        answers = [Turn(heard=heard, say=_DIALOGUE.get(heard) or next(neutral)) for heard in words]
        return cls(turns=[*answers, *(Turn(say=say) for say in _NEUTRAL)])

    @classmethod
    def without_words(cls) -> Self:
        """Return a dialogue that fits any words of the caller, and has no transcript of them."""
        return cls(turns=[Turn(say=say) for say in _NEUTRAL], at_the_end="repeat", transcription="never")


_ORDER_STATUS = (
    "I can help with that. Your order left our warehouse this morning, and the courier expects to bring it to you "
    "tomorrow between nine and twelve. Half an hour before, you will get a message with a link, so that you can see "
    "where the van is. Until tonight you can still change the day or the place."
)
_DIALOGUE = {
    "Hi. I would like to know where my order is.": _ORDER_STATUS,
    "Sorry, can I change the delivery to Friday?": (
        "Of course. I have moved the delivery to Friday morning. Is there anything else?"
    ),
    "No, that is all. Thank you, goodbye.": "You are welcome. Goodbye.",
}
"""The recorded caller's words, and the answer."""
_NEUTRAL = (
    "I see. Please tell me a little more.",
    "Thank you, I have made a note of that.",
    "Of course. What else can I do for you?",
)
"""Answers that fit any words."""


def load_script(path: Path | str) -> Script:
    """Load the script from a YAML file; ConfigError with file, line and column where it is not one."""
    parts = (Turn, Call, McpCall, McpServer, Faults, Latency, *MODELS)
    return load(path, Script, "script", "greeting, turns", parts)
