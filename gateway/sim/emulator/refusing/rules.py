"""The rules of a script by which the emulator refuses: what, when, and how."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from gateway.sim.emulator.faults import StrictModel

_MISSING = object()

How = Literal["named", "in_text", "invalid_message", "unnamed", "close", "reset", "silence"]
"""The way of a refusal.

``named``: an error whose ``param`` is the member. ``in_text``: ``param`` is null, the message names the member.
``invalid_message``: ``invalid_session_update_message`` with param ``type``; the message names the member as a validator
does. ``unnamed``: neither ``param`` nor the message names anything. ``close``: a close frame with 1008. ``reset``: a
TCP reset. ``silence``: no answer ever.
"""
AgentKind = Literal["any", "configured", "bare", "voice"]
"""An agent that takes everything; that refuses voice, turn detection and transcription; that needs voice and turn
detection; that fails on this route."""
Then = Literal["stay", "close", "reset"]
"""The end of a connection after an error: none, a close frame with 1008, or a TCP reset."""


class Rule(StrictModel):
    """A refusal, and the connections for which it holds."""

    models: list[str] = Field(default_factory=list)
    """The models, with ``*`` for any characters; without it, every model and agent."""
    connections: list[int] = Field(default_factory=list)
    """The connections by their number, the first is 1; without it, all."""
    code: str | None = None
    message: str | None = None
    param: str | None = None

    def holds_for(self, model: str, connection: int) -> bool:
        """Return whether the rule holds for this connection."""
        named = not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)
        return named and (not self.connections or connection in self.connections)


class UpdateRule(Rule):
    """A refusal of ``session.update``, before or after one was accepted."""

    member: str | None = None
    """The member that is refused, ``turn_detection.languages`` for one inside; without it, the whole update."""
    value: Any = None
    """The value that is refused, a mapping by the members that it names; without it, any."""
    attempts: list[int] = Field(default_factory=list)
    """The attempts of a connection that are refused, the first is 1; without it, all."""
    how: How = "named"

    @model_validator(mode="after")
    def _has_a_member(self) -> Self:
        if self.member is None and "value" in self.model_fields_set:
            raise ValueError("value needs a member")
        if self.member is None and self.how in ("named", "in_text") and self.param is None and self.message is None:
            raise ValueError(f"how: {self.how} needs a member")
        return self

    def matches(self, session: object, attempt: int) -> bool:
        """Return whether an update with this ``session`` is refused at this attempt."""
        if self.attempts and attempt not in self.attempts:
            return False
        if self.member is None:
            return True
        found = member_of(session, self.member)
        return found is not _MISSING and ("value" not in self.model_fields_set or _covers(self.value, found))


class OpeningRule(Rule):
    """An error in place of ``session.created``: a model of another region, a quota, a fault of the service."""

    code: str | None = "server_error"
    message: str | None = "The session could not be opened."
    type: str = "invalid_request_error"
    then: Then = "close"


class ResponseRule(Rule):
    """A refusal of ``response.create``."""

    member: str | None = None
    """The member of ``response`` that is refused, null included; without it, every ``response.create``."""
    times: int | None = Field(default=None, ge=1)
    """The number of first requests of a connection that are refused; without it, all."""
    how: Literal["named", "in_text", "unnamed"] = "named"


class TruncateRule(Rule):
    """A refusal of ``conversation.item.truncate``."""

    while_active: bool = False
    """``True`` refuses only while a response is active."""
    times: int | None = Field(default=None, ge=1)
    """The number of first truncations of a connection that are refused; without it, all."""


class Attempts(StrictModel):
    """The attempts that a client has until an update is accepted."""

    limit: int = Field(default=5, ge=1)
    counts: Literal["after_refusal", "from_start"] = "after_refusal"
    """The messages that count beside refused updates: all before acceptance, from the first refusal or from the start.

    Those that count are refused as well.
    """


class Refuse(StrictModel):
    """All refusals of a script; the default is a resource that has everything."""

    updates: list[UpdateRule] = Field(default_factory=list)
    opening: list[OpeningRule] = Field(default_factory=list)
    models: list[str] = Field(default_factory=list)
    """The models that the region lacks, with ``*`` for any characters: ``invalid_model`` in place of the session."""
    repeated_model: bool = False
    """``True`` refuses ``session.model`` even where it is the session's, as Pipecat reports it."""
    versions: bool = True
    """``True`` refuses members that are newer than the client's ``api-version``."""
    attempts: Attempts = Attempts()
    agent: AgentKind = "any"
    """The kind of the agents that clients ask for."""
    responses: list[ResponseRule] = Field(default_factory=list)
    truncates: list[TruncateRule] = Field(default_factory=list)


MODELS = (Refuse, UpdateRule, OpeningRule, ResponseRule, TruncateRule, Attempts)
"""All models here, for those that explain an unknown key."""


def member_of(body: object, path: str) -> Any:
    """Return the value of the member at a dotted path, or a mark of its absence that equals nothing."""
    for key in path.split("."):
        if not isinstance(body, Mapping) or key not in body:
            return _MISSING
        body = body[key]
    return body


def has_member(body: object, path: str) -> bool:
    """Return whether there is a member at a dotted path, null included."""
    return member_of(body, path) is not _MISSING


def _covers(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(key in found and _covers(value, found[key]) for key, value in wanted.items())
    return bool(wanted == found) and isinstance(wanted, bool) == isinstance(found, bool)
