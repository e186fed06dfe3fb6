"""The responses of a call: those that are wanted, the one that was asked for, the one that runs. Pure.

The service takes a ``response.create`` only while no response runs or is asked for, and it answers committed turns by
itself. So each request of ours carries an id, which comes back with its response and with its refusal; a response
without one is the service's own.
"""

from collections import deque

from msgspec.structs import replace

from gateway.call.speaking.request_form import RequestForm, passes
from gateway.voice.commands import CancelResponse, CreateResponse, SayText
from gateway.voice.events import ServiceError

ANSWER_LIMIT_S = 10.0
"""A response that is owed, asked for or runs is given up when it has brought nothing for this long."""
CANCEL_LIMIT_S = 3.0
"""A response that was given up is over by then, whether the service has said so or not."""
RETRY_AFTER_S = 1.0
"""A request that was refused, or that failed without a sound, is made once more after this."""
SPEECH_LIMIT_S = 30.0
"""``speech_stopped`` may never follow ``speech_started``: nobody speaks for so long without half a second's pause."""
OWN_ANSWER_S = 0.3
"""A turn that ended beside a response may be answered by the service itself, right behind that response."""
PATIENCE_S = 3.0
"""A response or an answer that the caller did not wait for had at least this long to bring a sound."""
MUTE_TRIES = 2
"""So many tries of any kind without a sound, and nothing more is expected of the session."""
ALREADY_ACTIVE = "conversation_already_has_active_response"

Request = CreateResponse | SayText
ANSWER = CreateResponse()
"""The wish to have answered whatever stands in the conversation: it has no words of its own."""


def first_request(request: Request) -> Request:
    """Return a request as the first one of a call is made."""
    return replace(request, request_id=_request_id(1))


def _request_id(number: int) -> str:
    return f"request-{number}"


class Responses:
    """Asks for one response after the other. Times are in seconds; what is returned is to be sent to the voice leg."""

    def __init__(self) -> None:
        self.response: str | None = None
        """The response that runs, as far as we know."""
        self.request: Request | None = None
        """The request that it carries out; ``None`` if the service began it by itself."""
        self.cancelled = False
        """``True`` if what comes of it is to be dropped."""
        self._response_by = 0.0
        self._spoke = False
        self._tried_again = False
        self._requested: Request | None = None
        self._requested_by = 0.0
        self._dropped = False
        self._form = RequestForm()
        self._overlapped = False
        """A turn ended beside a response, and has not been answered yet."""
        self._wanted: deque[Request] = deque()
        self._held_until = 0.0
        self._requests = 0
        self._owed_by: float | None = None
        self._speech: str | None = None
        self._speech_by = 0.0
        self._away = False
        """``True`` while there is no session that would take a request."""
        self._silent_tries = 0
        self._unanswered: Request | None = None
        """The request that a second try has not answered either; another session is asked for it."""

    @property
    def is_generating(self) -> bool:
        """``True`` if a response runs."""
        return self.response is not None

    @property
    def has_spoken(self) -> bool:
        """``True`` if a response runs that has brought a sound or a call."""
        return self.response is not None and self._spoke

    def is_mute(self, *, on_trial: bool) -> bool:
        """Return ``True`` if the service takes requests and brings nothing; ``on_trial``, the first one counts."""
        return self._silent_tries >= (1 if on_trial else MUTE_TRIES)

    @property
    def owes_a_sound(self) -> bool:
        """``True`` if the caller waits for the session alone, and nothing of a response has come."""
        if self._speech is not None or self._away:
            return False
        if self.response is not None and not self.cancelled:
            return not self._spoke
        return self._owed_by is not None or bool(self._wanted) or (self._requested is not None and not self._dropped)

    @property
    def has_failed(self) -> bool:
        """``True`` if the session has brought no sound to one try already."""
        return self._silent_tries > 0

    @property
    def caller_speaks(self) -> bool:
        """``True`` if the caller is in the middle of a turn, as the service reports it."""
        return self._speech is not None

    @property
    def is_busy(self) -> bool:
        """``True`` if a response runs or was asked for."""
        return self.response is not None or self._requested is not None

    @property
    def idle(self) -> bool:
        """``True`` if nobody speaks, is asked to, or is about to."""
        return self.response is None and self._is_alone

    @property
    def waits_for_a_tool(self) -> bool:
        """``True`` if a response runs and nothing else is going on: it waits for its tool, where one is at work."""
        return self.response is not None and not self.cancelled and self._is_alone

    @property
    def answers(self) -> bool:
        """``True`` if the response that runs answers what stands in the conversation, and not only says a text."""
        return self.response is not None and self.request in (None, ANSWER)

    def next_deadline(self) -> float | None:
        """Return when ``on_deadline`` is due; ``None`` if nothing is."""
        if self.idle:
            return None
        due = [
            self._speech_by if self._speech is not None else None,
            self._owed_by,
            self._requested_by if self._requested is not None else None,
            self._response_by if self.response is not None else None,
            self._held_until if self._wanted and self._is_free else None,
        ]
        return min((at for at in due if at is not None), default=None)

    def on_deadline(self, now: float) -> list[Request | CancelResponse]:
        """Give up waiting for what never came: the caller's pause, an answer, more of a response.

        A caller who would have heard nothing at all is answered by a second try.
        """
        commands: list[Request | CancelResponse] = []
        if self._speech is not None and now >= self._speech_by:
            self._speech = None
        if self._owed_by is not None and now >= self._owed_by:
            self._owed_by = None
            self._silent_tries += 1
            self._try_again(ANSWER)
        if self._requested is not None and now >= self._requested_by:
            request, self._requested = replace(self._requested, request_id=""), None
            if not self._dropped:
                self._silent_tries += 1
                self._try_again(request)
        if self.response is not None and now >= self._response_by:
            commands += self._give_up(now)
        return [*commands, *self._release(now)]

    def _give_up(self, now: float) -> list[CancelResponse]:
        if self.cancelled:
            self.response = None
            return []
        if not self._spoke:
            self._silent_tries += 1
            self._try_again(self.request or ANSWER)
        self._response_by = now + CANCEL_LIMIT_S
        return self.cancel()

    def _try_again(self, request: Request, after: float = 0.0) -> None:
        if self._tried_again:
            self._unanswered = request
        else:
            self._tried_again = True
            self._wanted.appendleft(request)
            self._held_until = after

    # What we want

    def want(self, request: Request, now: float) -> list[Request]:
        """Ask for a response, now or as soon as the service would take the request; several are asked for in turn."""
        if request != ANSWER or ANSWER not in self._wanted:
            self._wanted.append(request)
        return self._release(now)

    def turn_overlapped(self, now: float) -> list[Request]:
        """Note a turn that ended during a response: it is answered after it, by the service or because it is asked."""
        self._overlapped = True
        return self.want(ANSWER, now)

    def drop_wishes(self) -> None:
        """Drop the texts that were wanted or asked for; answers that are wanted stay wanted."""
        self._wanted = deque(request for request in self._wanted if request == ANSWER)
        self._dropped = self._requested is not None

    def drop_answers(self) -> None:
        """Drop the answers that are wanted; one that the service owes of its own accord still comes."""
        self._wanted.clear()
        self._overlapped = False

    def cancel(self) -> list[CancelResponse]:
        """Cancel the response that runs, once."""
        if self.response is None or self.cancelled:
            return []
        self.cancelled = True
        return [CancelResponse(self.response)]

    @property
    def _is_alone(self) -> bool:
        """``True`` if, beside the response that may run, nobody speaks, is asked to, or is about to."""
        return self._requested is None and not self._wanted and self._owed_by is None and self._speech is None

    @property
    def _is_free(self) -> bool:
        """``True`` if the service would take a request."""
        return not (self.is_busy or self._away) and self._speech is None and self._owed_by is None

    def _release(self, now: float) -> list[Request]:
        if not self._wanted or not self._is_free or now < self._held_until:
            return []
        self._requests += 1
        self._requested = replace(self._wanted.popleft(), request_id=_request_id(self._requests))
        self._requested_by = now + ANSWER_LIMIT_S
        self._dropped = False
        return [self._form.of(self._requested)]

    # What the service says

    def caller_spoke(self, item_id: str, now: float) -> None:
        """Note that the caller has begun a turn; one that begins over a response that says nothing gives up on it."""
        if self.response is not None and not (self.cancelled or self._spoke):
            self._silent_tries += now - (self._response_by - ANSWER_LIMIT_S) >= PATIENCE_S
        self._speech, self._speech_by = item_id, now + SPEECH_LIMIT_S
        self._tried_again = False

    def caller_done(self, item_id: str, now: float) -> list[Request]:
        """Note that this turn is over."""
        if self._speech == item_id:
            self._speech = None
        return self._release(now)

    def answer_owed(self, now: float) -> None:
        """Expect the service's own answer to a turn: one is enough; a text that is wanted is said after it."""
        if self._owed_by is not None:
            self._silent_tries += now - (self._owed_by - ANSWER_LIMIT_S) >= PATIENCE_S
        self._owed_by = now + ANSWER_LIMIT_S
        self._wanted = deque(request for request in self._wanted if request != ANSWER)

    def started(self, response_id: str, request_id: str, now: float) -> bool:
        """Note a response that begins, ours by its id or the service's own; ``False`` if it was dropped before."""
        self.response, self.request, self.cancelled, self._spoke = response_id, None, False, False
        self._response_by = now + ANSWER_LIMIT_S
        asked = self._requested
        is_ours = asked is not None and (request_id == asked.request_id or (not request_id and self._owed_by is None))
        if self._overlapped and (not is_ours or self._asked_to_answer):
            self._overlapped = False
            if not is_ours:
                self._wanted = deque(request for request in self._wanted if request != ANSWER)
        if not is_ours:
            self._owed_by = None
            return True
        dropped = self._dropped
        self.request = replace(asked, request_id="") if asked is not None else None
        self._requested, self._dropped = None, False
        return not dropped

    def goes_on(self, now: float) -> None:
        """Note that the response has brought a sound or a call, or that one of its tools runs."""
        self._response_by = now + ANSWER_LIMIT_S
        self._spoke = True
        self._tried_again = False
        self._silent_tries, self._unanswered = 0, None

    def ended(self, response_id: str, now: float, *, failed: bool = False, refused: bool = False) -> list[Request]:
        """Note the end of a response; one that ``failed`` before the caller heard anything is tried once more.

        ``refused``: by its content, of which another session would say as much.
        """
        if response_id != self.response:
            return []
        if failed and not self.cancelled and not self._spoke:
            self._silent_tries += not refused
            self._try_again(self.request or ANSWER, now + RETRY_AFTER_S)
        self.response = None
        if self._overlapped:
            self._held_until = max(self._held_until, now + OWN_ANSWER_S)
        return self._release(now)

    def refused(self, error: ServiceError, now: float) -> list[Request]:
        """Note a request that the service did not take.

        One that came too early is made again; one that was refused for what it holds, without that; one that met a
        failure of the service is tried once more.
        """
        if self._requested is None or error.event_id != self._requested.request_id:
            return []
        request, dropped = replace(self._requested, request_id=""), self._dropped
        self._requested, self._dropped = None, False
        if error.code == ALREADY_ACTIVE and not dropped:
            self._wanted.appendleft(request)
            if self.response is None:
                self._owed_by = now + ANSWER_LIMIT_S  # the response that is in the way has yet to be reported
        elif not dropped and passes(error):
            self._silent_tries += 1
            self._try_again(request, now + RETRY_AFTER_S)
        elif not dropped and self._form.reduce(request, error):
            self._wanted.appendleft(request)
        elif not dropped:
            self._silent_tries += 1
        return self._release(now)

    # A session after another

    def lost(self, *, turn_is_kept: bool) -> bool:
        """Forget the session; what it was to bring is wanted of the next one.

        ``turn_is_kept``: the caller's last turn is sent once more, and answered by itself. Return ``True`` if the
        response that runs has brought a sound or a call.
        """
        running, asked = (self.response is not None and not self.cancelled), self._requested
        wanted = [request for request in self._wanted if not (turn_is_kept and request == ANSWER)]
        if running and not self._spoke:
            asked = self.request or ANSWER
        elif self._dropped:
            asked = None
        elif asked is None and (self._owed_by is not None or self._overlapped):
            asked = ANSWER
        asked = asked or self._unanswered
        if asked is not None:
            asked = replace(asked, request_id="")
            if asked not in wanted and not (turn_is_kept and asked == ANSWER):
                wanted.insert(0, asked)
        self._wanted = deque(wanted)
        had_spoken = running and self._spoke
        self.response = self.request = self._requested = self._owed_by = self._speech = self._unanswered = None
        self.cancelled = self._dropped = self._tried_again = self._overlapped = False
        self._held_until, self._silent_tries, self._form, self._away = 0.0, 0, RequestForm(), True
        return had_spoken

    def back(self, now: float, *, owed: bool) -> list[Request]:
        """Ask the next session for what is wanted; ``owed``: it has a turn of the caller's to answer by itself."""
        self._away = False
        if owed:
            self.answer_owed(now)
        return self._release(now)

    @property
    def _asked_to_answer(self) -> bool:
        return self._requested is not None and replace(self._requested, request_id="") == ANSWER
