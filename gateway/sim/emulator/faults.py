"""The faults that a script asks for."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class StrictModel(BaseModel):
    """A part of a script: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HandshakeFault(StrictModel):
    """A failure of the WebSocket handshake: an HTTP status, a TCP reset, or no answer ever."""

    status: int | None = Field(default=None, ge=300, le=599)
    never: bool = False
    reset: bool = False
    code: str | None = None
    """The code in the JSON body; by default, Azure's for the status."""
    message: str | None = None
    """The message in the JSON body; by default, Azure's for the status."""
    body: str | None = None
    """A body as it stands, in place of JSON."""
    retry_after_s: int | None = Field(default=None, ge=0)
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of the answer beside, or in place of, the ids of the request."""
    times: int | None = Field(default=None, ge=1)
    """The number of first handshakes that fail; without it, all do."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if [self.status is not None, self.never, self.reset].count(True) != 1:
            raise ValueError("give either status, never: true or reset: true")
        worded = {"code", "message", "body", "retry_after_s", "headers"} & self.model_fields_set
        if self.status is None and worded:
            raise ValueError(f"{min(worded)} needs a status")
        return self


class Cut(StrictModel):
    """An end of the connection: after some time, or right after the nth server event of a type."""

    after_s: float | None = Field(default=None, gt=0)
    at: str | None = None
    nth: int = Field(default=1, ge=1)
    how: Literal["close", "reset", "freeze"] = "close"
    """A close frame; a TCP reset; or a peer that no longer reads, writes or answers a ping."""
    code: int = Field(default=1011, ge=1000, le=4999)
    reason: str = ""

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if (self.after_s is None) == (self.at is None):
            raise ValueError("give either after_s or at")
        return self


class Extra(StrictModel):
    """Something to send right after the nth server event of a type: an event, or a frame as it stands."""

    at: str
    nth: int = Field(default=1, ge=1)
    event: dict[str, Any] | None = None
    raw: str | None = None
    padding_bytes: int = Field(default=0, ge=0, le=64 << 20)
    """The size by which the event is made larger; the SDK's limit for one frame is 4 MiB."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.event is None) == (self.raw is None):
            raise ValueError("give either event or raw")
        if self.padding_bytes and self.event is None:
            raise ValueError("padding_bytes needs an event")
        return self


class Faults(StrictModel):
    """All faults of a script; the default is a service that works."""

    handshake: HandshakeFault | None = None
    connections_per_minute: int | None = Field(default=None, ge=0)
    """Handshakes beyond that are answered with 429."""
    tokens_per_minute: int | None = Field(default=None, ge=0)
    """Responses of all sessions fail once the last minute took so many."""
    cut: Cut | None = None
    stall_s: float = Field(default=0, ge=0)
    """The time between ``response.created`` and the first output."""
    gap_s: float = Field(default=0, ge=0)
    """The gap in the middle of every response's audio."""
    send: list[Extra] = Field(default_factory=list)
    deaf: bool = False
    """No speech of the caller is reported until the session is updated for the second time."""
    pong: bool = True
    unread_s: float | None = Field(default=None, gt=0)
    """The time for which a client may leave what was sent unread: then ``session_output_overflow``, and 1008."""
    expire_after_s: float | None = Field(default=None, gt=0)
    """The session's lifetime, reported in ``expires_at`` and ended by a close with 1001."""
