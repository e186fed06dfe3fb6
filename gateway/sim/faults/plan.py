"""The file of faults as typed models, what a seed makes of a fault, and what has struck."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
SecondsOrRange = Seconds | tuple[Seconds, Seconds]
"""Seconds, or two of them between which the seed draws."""
CountOrRange = Count | tuple[Count, Count]
"""A number from 1, or two of them between which the seed draws, both included."""


class _Part(BaseModel):
    """A part of the file: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _ranges_go_up(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple) and value[0] > value[1]:
                raise ValueError(f"{name}: the range {list(value)} goes down, expected [from, to]")
        return self


class ServiceMoment(_Part):
    """A moment of a session: ``s`` seconds after its start, a place in a reply, or the nth server event of a type."""

    s: SecondsOrRange | None = None
    reply: CountOrRange | None = None
    """The number of the response, from 1; the greeting is one."""
    delta: CountOrRange | None = None
    """Right after this audio delta of the reply; without it, right after its ``response.created``."""
    event: str | None = None
    nth: CountOrRange = 1

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if [self.s is not None, self.reply is not None, self.event is not None].count(True) != 1:
            raise ValueError("give one of s, reply or event")
        if self.delta is not None and self.reply is None:
            raise ValueError("delta needs reply")
        if "nth" in self.model_fields_set and self.event is None:
            raise ValueError("nth needs event")
        return self


class PhoneMoment(_Part):
    """A moment of a stream: ``s`` seconds after its first frame, or ``heard_s`` into what the caller hears."""

    s: SecondsOrRange | None = None
    reply: CountOrRange | None = None
    """The number of times that the bot has become audible, from 1."""
    heard_s: SecondsOrRange = 0.0

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if (self.s is None) == (self.reply is None):
            raise ValueError("give one of s or reply")
        if "heard_s" in self.model_fields_set and self.reply is None:
            raise ValueError("heard_s needs reply")
        return self


class Fault(_Part):
    """A fault; it strikes with ``probability``, as the seed draws."""

    probability: Share = 1.0


# The service's side


class ServiceFault(Fault):
    """A fault of the service, on the call's nth connection, on some, or on ``every`` one. Refused ones count too."""

    connection: Count | list[Count] | Literal["every"] = 1

    def concerns(self, number: int) -> bool:
        """Return whether the fault belongs to the connection with that number."""
        match self.connection:
            case int(only):
                return number == only
            case list(some):
                return number in some
            case _:
                return True


class Refuse(ServiceFault):
    """Refuses the handshake: by an HTTP status, without one by a TCP reset."""

    kind: Literal["refuse"]
    status: int | None = Field(default=None, ge=400, le=599)
    retry_after_s: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _needs_a_status(self) -> Self:
        if self.retry_after_s is not None and self.status is None:
            raise ValueError("retry_after_s needs a status")
        return self


class NoAnswer(ServiceFault):
    """Takes the handshake, and never answers it."""

    kind: Literal["no_answer"]


class Cut(ServiceFault):
    """Ends the session by a close frame."""

    kind: Literal["cut"]
    when: ServiceMoment
    code: int = Field(default=1011, ge=1000, le=4999)
    reason: str = ""


class Reset(ServiceFault):
    """Ends the connection by a TCP reset."""

    kind: Literal["reset"]
    when: ServiceMoment


class HalfOpen(ServiceFault):
    """Leaves the connection open, and neither reads nor writes any more, nor answers a ping."""

    kind: Literal["half_open"]
    when: ServiceMoment


class Mute(ServiceFault):
    """Brings no output for responses that begin from ``when`` on: for ``for_s``, or until they are cancelled.

    The socket is alive. ``answers`` is what a request still brings: ``response.created``, nothing, or an error.
    """

    kind: Literal["mute"]
    when: ServiceMoment = ServiceMoment(reply=1)
    answers: Literal["created", "nothing", "error"] = "created"
    for_s: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _from_then_on(self) -> Self:
        if self.when.event is not None or self.when.delta is not None:
            raise ValueError("when: a service falls silent from a reply on, or after some time; give s or reply alone")
        return self


class Errors(ServiceFault):
    """Sends ``count`` error events at once."""

    kind: Literal["errors"]
    when: ServiceMoment
    count: int = Field(default=5, ge=1, le=1000)
    code: str = "server_error"


class Malformed(ServiceFault):
    """Sends a frame that is no event."""

    kind: Literal["malformed"]
    when: ServiceMoment
    frame: str = '{"type": "response.audio.delta", "delta": '


class LateDeltas(ServiceFault):
    """Sends this many audio deltas of each response after it was cancelled."""

    kind: Literal["late_deltas"]
    count: int = Field(default=3, ge=1, le=1000)


class Expire(ServiceFault):
    """Ends the session at its ``expires_at``, which is ``after_s`` after its start."""

    kind: Literal["expire"]
    after_s: Annotated[float, Field(gt=0)]


# The phone's side


class Loss(Fault):
    """Loses this share of the caller's frames."""

    kind: Literal["loss"]
    share: Share
    when: PhoneMoment = PhoneMoment(s=0)
    for_s: Seconds | None = None


class Jitter(Fault):
    """Delays each of the caller's frames by up to ``max_ms``, in order."""

    kind: Literal["jitter"]
    max_ms: int = Field(ge=20, le=5000)
    when: PhoneMoment = PhoneMoment(s=0)
    for_s: Seconds | None = None


class Burst(Fault):
    """Holds the caller's frames for ``for_s``, and sends them at once."""

    kind: Literal["burst"]
    when: PhoneMoment
    for_s: Annotated[float, Field(gt=0)]


class StalledReader(Fault):
    """Reads nothing for ``for_s``, or for the rest of the call; frames are sent as ever."""

    kind: Literal["stalled_reader"]
    when: PhoneMoment
    for_s: Seconds | None = None


class Vanish(Fault):
    """Neither sends nor reads any more, and closes nothing: a phone without a network."""

    kind: Literal["vanish"]
    when: PhoneMoment


class PhoneReset(Fault):
    """Ends the connection by a TCP reset."""

    kind: Literal["reset"]
    when: PhoneMoment


AnyServiceFault = Refuse | NoAnswer | Cut | Reset | HalfOpen | Mute | Errors | Malformed | LateDeltas | Expire
AnyPhoneFault = Loss | Jitter | Burst | StalledReader | Vanish | PhoneReset


class FaultPlan(_Part):
    """All faults of a file. ``seed`` decides where the command line does not."""

    seed: int | None = Field(default=None, ge=0)
    service: list[Annotated[AnyServiceFault, Field(discriminator="kind")]] = Field(default_factory=list)
    phone: list[Annotated[AnyPhoneFault, Field(discriminator="kind")]] = Field(default_factory=list)


SERVICE_KINDS: tuple[type[ServiceFault], ...] = get_args(AnyServiceFault)
PHONE_KINDS: tuple[type[Fault], ...] = get_args(AnyPhoneFault)
MODELS: tuple[type[BaseModel], ...] = (*SERVICE_KINDS, *PHONE_KINDS, ServiceMoment, PhoneMoment)
"""The models of a file's parts."""


def kind_of(fault: type[Fault]) -> str:
    """Return the word by which the file names a kind of fault."""
    (word,) = get_args(fault.model_fields["kind"].annotation)
    return str(word)


@dataclass(frozen=True)
class Moment:
    """A moment: seconds, a place in a reply, or the nth event of a type; see the models of the file."""

    s: float | None = None
    reply: int | None = None
    delta: int | None = None
    event: str | None = None
    nth: int = 1
    heard_s: float = 0.0


@dataclass(frozen=True)
class Planned:
    """A fault that will strike, and when."""

    fault: Fault
    at: Moment


Side = Literal["service", "phone"]


@dataclass(frozen=True)
class Struck:
    """A fault that struck at ``at``, on the event loop's clock; ``connection`` is the service's, 0 for the phone."""

    at: float
    side: Side
    kind: str
    fault: Fault
    connection: int = 0
