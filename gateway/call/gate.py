"""The one gate to a response: who speaks, who was asked to, and whose answer it is that begins. Pure.

The service takes a ``response.create`` only while no response runs or is asked for, and it answers committed turns by
itself. So each request of ours carries an id, which comes back with its response and with its refusal; a response
without one is the service's own.
"""

from msgspec.structs import replace

from gateway.voice.commands import CancelResponse, CreateResponse, SayText

ANSWER_LIMIT_S = 15.0
"""A response that is owed or runs, and that brings nothing for so long, brings nothing any more."""
SPEECH_LIMIT_S = 30.0
"""``speech_stopped`` may never follow ``speech_started``: nobody speaks for so long without half a second's pause."""
ALREADY_ACTIVE = "conversation_already_has_active_response"

Request = CreateResponse | SayText


class ResponseGate:
    """Times are in seconds. Whatever is returned is to be sent to the voice leg."""

    def __init__(self) -> None:
        self.response: str | None = None
        """The response that runs, as far as we know."""
        self.cancelled = False
        """Whether what comes of it is to be dropped."""
        self._response_by = 0.0
        self._requested: Request | None = None
        self._dropped = False
        self._wanted: Request | None = None
        self._requests = 0
        self._owed_by: float | None = None
        self._speech: str | None = None
        self._speech_by = 0.0

    @property
    def caller_speaks(self) -> bool:
        """Whether the caller is in the middle of a turn, by the service's ear."""
        return self._speech is not None

    @property
    def idle(self) -> bool:
        """Whether nobody speaks, is asked to, or is about to."""
        return (
            self.response is None
            and self._requested is None
            and self._wanted is None
            and self._owed_by is None
            and self._speech is None
        )

    def next_deadline(self) -> float | None:
        """When ``expire`` wants to be called."""
        due = [
            self._speech_by if self._speech is not None else None,
            self._owed_by,
            self._response_by if self.response is not None else None,
        ]
        return min((at for at in due if at is not None), default=None)

    def expire(self, now: float) -> list[Request | CancelResponse]:
        """Give up waiting for what never came: the caller's pause, an owed answer, more of a response."""
        commands: list[Request | CancelResponse] = []
        if self._speech is not None and now >= self._speech_by:
            self._speech = None
        if self._owed_by is not None and now >= self._owed_by:
            self._owed_by = None
        if self.response is not None and now >= self._response_by:
            if not self.cancelled:
                commands.append(CancelResponse(self.response))
            self.response = None
        return [*commands, *self._release()]

    # What we want

    def want(self, request: Request) -> list[Request]:
        """Ask for a response, now or as soon as the service would take the request; a newer wish replaces an older."""
        self._wanted = request
        return self._release()

    def drop_wishes(self) -> None:
        """Nothing that was wanted or asked for is to be heard any more."""
        self._wanted = None
        self._dropped = self._requested is not None

    def cancel(self) -> list[CancelResponse]:
        """Cancel the response that runs, once."""
        if self.response is None or self.cancelled:
            return []
        self.cancelled = True
        return [CancelResponse(self.response)]

    def _release(self) -> list[Request]:
        if self._wanted is None or self.response is not None or self._requested is not None:
            return []
        if self._speech is not None or self._owed_by is not None:
            return []
        self._requests += 1
        self._requested, self._wanted = replace(self._wanted, request_id=f"request-{self._requests}"), None
        self._dropped = False
        return [self._requested]

    # What the service says

    def caller_spoke(self, item_id: str, now: float) -> None:
        """The caller has begun a turn."""
        self._speech, self._speech_by = item_id, now + SPEECH_LIMIT_S

    def caller_done(self, item_id: str) -> list[Request]:
        """That turn is over."""
        if self._speech == item_id:
            self._speech = None
        return self._release()

    def answer_owed(self, now: float) -> None:
        """The service will answer a turn by itself; what we wanted to have said meanwhile, its answer covers."""
        self._owed_by = now + ANSWER_LIMIT_S
        self._wanted = None

    def started(self, response_id: str, request_id: str, now: float) -> bool:
        """A response runs: ours by its id, or the service's own; ``False`` if it was dropped before it began."""
        self.response, self.cancelled = response_id, False
        self._response_by = now + ANSWER_LIMIT_S
        asked = self._requested
        is_ours = asked is not None and (request_id == asked.request_id or (not request_id and self._owed_by is None))
        if not is_ours:
            self._owed_by = None
            return True
        dropped = self._dropped
        self._requested, self._dropped = None, False
        return not dropped

    def goes_on(self, now: float) -> None:
        """The response has brought a sound or a call."""
        self._response_by = now + ANSWER_LIMIT_S

    def ended(self, response_id: str) -> list[Request]:
        """A response is over."""
        if response_id != self.response:
            return []
        self.response = None
        return self._release()

    def refused(self, request_id: str, code: str, now: float) -> list[Request]:
        """The service did not take a request: one that came too early is made again, any other is given up."""
        if self._requested is None or request_id != self._requested.request_id:
            return []
        request, dropped = self._requested, self._dropped
        self._requested, self._dropped = None, False
        if code == ALREADY_ACTIVE and not dropped:
            self._wanted = self._wanted or request
            if self.response is None:
                self._owed_by = now + ANSWER_LIMIT_S  # the response that is in the way has yet to be told
        return self._release()
