"""A line's texts for one call, with their placeholders filled in. Pure."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.addresses import is_sip
from gateway.config.line.line import Line
from gateway.config.line.placeholders import fill
from gateway.config.line.time_zones import time_zone
from gateway.voice.commands import CreateResponse, SayText, SeedMessage, said_by_the_model

PARAMETER_LIMIT = 500
"""Characters that are used of a stream parameter; the rest is dropped."""

SIP_CALLER = "a SIP caller"
"""The text in place of a caller without a number: callers write that address themselves, and may put orders in."""
SIP_ADDRESS = "a SIP address"
UNKNOWN = "unknown"
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_ADDRESS = re.compile(r"\S{1,256}")
_OWN_WORDS = ("from", "caller", "to", "called")
"""Parameters of streams that hold the same addresses."""
_UNWRITTEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
"""Control characters, line breaks, and halves of characters, which JSON cannot carry."""


@dataclass(frozen=True)
class CallFacts:
    """The facts of a call when it starts; ``caller`` and ``called`` may be empty, ``started`` has a time zone."""

    call_id: str
    caller: str
    called: str
    started: datetime.datetime
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The parameters of the provider's stream, by name."""


def instructions_for(line: Line, call: CallFacts) -> str:
    """Return the line's instructions, with the call's facts filled in."""
    return fill(line.instructions, _values(line, call))


def history_for(line: Line, call: CallFacts) -> tuple[SeedMessage, ...]:
    """Return the messages with which the call's conversation begins."""
    values = _values(line, call)
    return tuple(
        SeedMessage(role, fill(text, values))  # type: ignore[arg-type]  # the roles are the section's own keys
        for said in line.settings.history
        for role, text in said.words.items()
    )


def greeting_for(line: Line, call: CallFacts) -> SayText | CreateResponse | None:
    """Return the line's first words; ``None`` where the caller speaks first, or a recording does.

    A response's instructions replace the session's, so these are given again; an agent keeps its own.
    """
    greeting = line.settings.greeting
    if greeting is None:
        return None
    if greeting.say is not None:
        return word_for_word(line, greeting.say, call)
    if greeting.prompt is None:
        return None
    wish = f"The call begins. Greet the caller: {fill(greeting.prompt, _values(line, call))}"
    return CreateResponse(wish if line.settings.agent is not None else f"{instructions_for(line, call)}\n\n{wish}")


def word_for_word(line: Line, text: str, call: CallFacts) -> SayText | CreateResponse:
    """Return the command that says a text: Azure text to speech gets the text, a model's own voice a request for it."""
    text = fill(text, _values(line, call))
    if line.synthesizes:
        return SayText(text)
    return said_by_the_model(text)


def missing(line: Line, call: CallFacts) -> tuple[str, ...]:
    """Return the parameters that the line's texts may name and the call's stream lacks; they are filled with ""."""
    return tuple(name for name in line.settings.parameters if name not in call.parameters)


def _values(line: Line, call: CallFacts) -> Mapping[str, str]:
    now = call.started.astimezone(time_zone(line.settings.timezone))
    return {
        **{name: _parameter(name, call.parameters.get(name, "")) for name in line.settings.parameters},
        **line.settings.variables,
        "caller": _address(call.caller, SIP_CALLER),
        "called": call.called if call.called in line.settings.numbers else _address(call.called, SIP_ADDRESS),
        "line": line.name,
        "now": f"{now:%A, %Y-%m-%d %H:%M}",
    }


def _address(text: str, by_sip: str) -> str:
    """Return a phone number; other text, which a caller could make up to talk to the model, is replaced."""
    if _NUMBER.fullmatch(text):
        return text
    return by_sip if _ADDRESS.fullmatch(text) and "{" not in text else UNKNOWN


def _parameter(name: str, text: str) -> str:
    """Return a parameter of the stream, shortened; the SIP address of a party is replaced."""
    if name.lower() in _OWN_WORDS and is_sip(text):
        return SIP_ADDRESS
    return _clean(text)


def _clean(text: str) -> str:
    return _UNWRITTEN.sub(" ", text).strip()[:PARAMETER_LIMIT]
