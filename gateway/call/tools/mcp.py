"""The tools of MCP servers, which the service runs by itself: those that run, and those that wait for approval. Pure.

Voice Live API reference 2026-07-15: a result is spoken only when a response is asked for, ``completed`` may come twice,
and after the response that called has ended.
"""

import re
import unicodedata
from typing import Literal

from msgspec import Struct

from gateway.call import notes
from gateway.call.notes import Note
from gateway.call.settings import Approval, CallSettings
from gateway.call.speaking.responses import Request
from gateway.call.tools.waiting import Wait
from gateway.voice.commands import AnswerApproval
from gateway.voice.events import ApprovalRequested, McpCalled, McpReturned, ToolsListed, ToolsRequested

How = Literal["key", "words", "no answer", "not understood", "not asked", "limit"]
Outcome = Literal["ok", "error", "timeout"]
RUN_LIMIT_S = 60.0
"""A server that takes longer is not waited for; its result may still be reported."""
TRANSCRIPT_LIMIT_S = 5.0
"""A turn whose words have not come by then, counted from its end, was not understood."""
GRANTED_LIMIT_S = 10.0
"""An approved call that the service has not begun by then is not waited for."""
MOST_ASKS = 2
"""So often a question is asked by itself: once more, where the answer was not understood."""


class _Run(Struct):
    server: str
    tool: str
    since: float
    wait: Wait
    is_allowed: bool
    """``True`` if the caller has allowed it."""


class _Question(Struct):
    """An approval that the caller is to be asked for.

    ``turn`` is the caller's first turn since it was asked, and ``words_by`` when its words are to be there.
    """

    request: ApprovalRequested
    approval: Approval
    by: float
    wanted: bool = False
    asked: bool = False
    asks: int = 0
    turn: str = ""
    words_by: float | None = None
    item_id: str = ""
    """The item of the call, where the service shows it before the caller has allowed it."""
    is_noted: bool = False
    """``True`` if that call is noted already."""


class _Granted(Struct):
    """A call that the caller allowed, and that the service has not begun yet."""

    server: str
    tool: str
    since: float


class McpTools:
    """The MCP calls of one call. Times are in seconds."""

    def __init__(self, settings: CallSettings) -> None:
        self._approvals = settings.approvals
        self._waiting = settings.mcp_waiting
        self._servers: dict[str, str] = {}
        self._runs: dict[str, _Run] = {}
        self._over: set[str] = set()
        self._questions: list[_Question] = []
        self._granted: list[_Granted] = []
        self.answer_due = False
        """``True`` if there are results that no response has reported yet."""

    @property
    def running(self) -> bool:
        """``True`` if a server is at work."""
        return bool(self._runs)

    @property
    def busy(self) -> bool:
        """``True`` if a server is at work or about to be, or the caller's approval is awaited."""
        return bool(self._runs or self._questions or self._granted)

    def listed(self, event: ToolsRequested | ToolsListed) -> list[Note]:
        """Note that a server has listed its tools, or has failed to."""
        if isinstance(event, ToolsRequested):
            self._servers[event.item_id] = event.server
            return []
        server = self._servers.pop(event.item_id, "")
        return [notes.McpListed(server, "error" if event.failed else "ok")]

    def called(self, call: McpCalled, now: float) -> list[Note]:
        """Note that the service runs a tool; it may say so more than once."""
        if call.item_id in self._runs or call.item_id in self._over:
            return []
        same = (granted for granted in self._granted if (granted.server, granted.tool) == (call.server, call.tool))
        granted = next(same, None)
        if granted is None and self._held(call):
            return []
        if granted is not None:
            self._granted.remove(granted)
        self._run(call.item_id, call.server, call.tool, now, is_allowed=granted is not None)
        return [notes.McpCalled(call.server, call.tool, call.item_id)]

    def _run(self, item_id: str, server: str, tool: str, now: float, *, is_allowed: bool) -> None:
        self._runs[item_id] = _Run(server, tool, now, Wait(self._waiting.get(server), now), is_allowed)

    def _held(self, call: McpCalled) -> bool:
        """Hold a call that the service shows while the caller has yet to allow it: it does not run."""
        for question in self._questions:
            same = (question.request.server, question.request.tool) == (call.server, call.tool)
            if same and question.item_id in ("", call.item_id):
                question.item_id = call.item_id
                return True
        return False

    def returned(self, returned: McpReturned, now: float) -> list[Note]:
        """Note that a tool is done; only the first report counts."""
        run = self._runs.pop(returned.item_id, None)
        if run is None:
            return []
        self.answer_due = True
        return [self._end(returned.item_id, run, "error" if returned.failed else "ok", now)]

    def please_wait(self, now: float, *, quiet: bool) -> list[Request]:
        """Return the words that are due because a server takes long: once for each call, and only into silence."""
        return [words for run in self._runs.values() if (words := run.wait.words(now, quiet=quiet)) is not None]

    # The caller's approval

    def requested(self, request: ApprovalRequested, now: float) -> list[AnswerApproval | Note]:
        """Ask the caller for approval; deny it to a server for which the line has no question."""
        approval = self._approvals.get(request.server)
        if approval is None:
            return [*self._denied_run(request, now), *self._answered(request, approved=False, how="not asked")]
        question = _Question(request, approval, now + approval.timeout_s)
        if (item_id := self._shown_before(request)) is not None:
            del self._runs[item_id]
            question.item_id, question.is_noted = item_id, True
        self._questions.append(question)
        return [notes.ApprovalAsked(request.server, request.tool)]

    def denied(self, request: ApprovalRequested, now: float) -> list[AnswerApproval | Note]:
        """Deny approval without asking the caller: no further tool may be called."""
        return [*self._denied_run(request, now), *self._answered(request, approved=False, how="limit")]

    def _shown_before(self, request: ApprovalRequested) -> str | None:
        """Return the item of the call that the request is for, where the service has shown it before."""
        wanted = (request.server, request.tool)
        runs = (item for item, run in self._runs.items() if (run.server, run.tool) == wanted and not run.is_allowed)
        return next(runs, None)

    def _denied_run(self, request: ApprovalRequested, now: float) -> list[Note]:
        item_id = self._shown_before(request)
        return [] if item_id is None else [self._end(item_id, self._runs.pop(item_id), "error", now)]

    def question(self, now: float) -> Request | None:
        """Return the question that the caller is to be asked now; each once."""
        question = self._questions[0] if self._questions else None
        if question is None or question.wanted:
            return None
        question.wanted = True
        question.by = now + question.approval.timeout_s
        return question.approval.ask

    def unsaid(self) -> None:
        """Ask again what was not asked to its end, because the caller interrupted."""
        for question in self._questions:
            question.wanted = question.asked

    def asking(self, request: Request | None) -> None:
        """Note that a response begins, which may ask the question."""
        if self._questions and self._questions[0].wanted and self._questions[0].approval.ask == request:
            question = self._questions[0]
            question.asked, question.turn, question.words_by = True, "", None
            question.asks += 1

    @property
    def takes_keys(self) -> bool:
        """``True`` if the next key answers a question that the caller was asked."""
        return bool(self._questions and self._questions[0].asked and self._questions[0].approval.key)

    def press(self, digit: str, now: float) -> list[AnswerApproval | Note]:
        """Take a key as the answer: one allows, any other denies. Return nothing if no question takes a key."""
        if not self.takes_keys:
            return []
        question = self._questions[0]
        return self._settle(question, now, approved=digit == question.approval.key, how="key")

    def caller_spoke(self, item_id: str, now: float) -> None:
        """Note that the caller begins a turn: the first one since the question answers it."""
        if self._questions and self._questions[0].asked:
            self._questions[0].turn = self._questions[0].turn or item_id

    def caller_done(self, item_id: str, now: float) -> None:
        """Note that this turn is over: its words come next, or never."""
        for question in self._questions[:1]:
            if question.turn == item_id and question.approval.words and question.words_by is None:
                question.words_by = now + TRANSCRIPT_LIMIT_S

    def not_understood(self, item_id: str, now: float) -> list[AnswerApproval | Note]:
        """Ask once more, because the words of a turn could not be made out; then the key decides, or it is a no."""
        question = next((q for q in self._questions if q.turn == item_id and q.approval.words), None)
        if question is None:
            return []
        question.turn, question.words_by = "", None
        again = question.asks < MOST_ASKS
        if again:
            question.wanted = question.asked = False
        request = question.request
        note = notes.ApprovalNotUnderstood(request.server, request.tool, asked_again=again)
        if again or question.approval.key:
            return [note]
        return [note, *self._settle(question, now, approved=False, how="not understood")]

    def caller_said(self, item_id: str, text: str, now: float) -> list[AnswerApproval | Note]:
        """Take the words of a turn as the answer: they allow if they begin with a word that does, and deny otherwise.

        Of noise the service may write punctuation alone, which says nothing.
        """
        question = next((q for q in self._questions if q.turn == item_id and q.approval.words), None)
        if question is None:
            return []
        said = _words(text)
        if not said:
            return self.not_understood(item_id, now)
        allowed = any(f"{said} ".startswith(f"{_words(word)} ") for word in question.approval.words)
        return self._settle(question, now, approved=allowed, how="words")

    def _settle(self, question: _Question, now: float, *, approved: bool, how: How) -> list[AnswerApproval | Note]:
        self._questions.remove(question)
        answer = self._answered(question.request, approved=approved, how=how)
        if question.item_id:
            return [*answer, *self._decided(question, now, approved=approved)]
        if approved:
            self._granted.append(_Granted(question.request.server, question.request.tool, now))
        return answer

    def _decided(self, question: _Question, now: float, *, approved: bool) -> list[Note]:
        """Run the call that the service has shown already, from now on; or note that it never will."""
        item_id, server, tool = question.item_id, question.request.server, question.request.tool
        called = notes.McpCalled(server, tool, item_id)
        if approved:
            self._run(item_id, server, tool, now, is_allowed=True)
            return [] if question.is_noted else [called]
        self._over.add(item_id)
        return [notes.McpReturned(server, tool, item_id, "error", took_ms=0)] if question.is_noted else []

    def _answered(self, request: ApprovalRequested, *, approved: bool, how: How) -> list[AnswerApproval | Note]:
        self.answer_due = self.answer_due or not approved
        note = notes.ApprovalGiven(request.server, request.tool, approved=approved, how=how)
        return [AnswerApproval(request.request_id, approved), note]

    def session_lost(self, now: float) -> list[Note]:
        """Give up what the session was doing: what runs, and what the caller was to be asked; the model is told."""
        given_up: list[Note] = [self._end(item_id, run, "error", now) for item_id, run in self._runs.items()]
        given_up += [_return_note("", granted, "error", now) for granted in self._granted]
        for question in self._questions:
            request = question.request
            given_up.append(notes.ApprovalGiven(request.server, request.tool, approved=False, how="no answer"))
            given_up += self._decided(question, now, approved=False) if question.item_id else []
        self._runs.clear()
        self._granted.clear()
        self._questions.clear()
        self._servers.clear()
        self.answer_due = self.answer_due or bool(given_up)
        return given_up

    # Time

    def next_deadline(self) -> float | None:
        """Return when ``on_deadline`` is due; ``None`` if nothing is."""
        if not self.busy:
            return None
        due = [run.since + RUN_LIMIT_S for run in self._runs.values()]
        due += [run.wait.at for run in self._runs.values() if run.wait.at is not None]
        due += [granted.since + GRANTED_LIMIT_S for granted in self._granted]
        for question in self._questions[:1]:
            due += [question.by] if question.words_by is None else [question.by, question.words_by]
        return min(due, default=None)

    def on_deadline(self, now: float, *, quiet: bool) -> list[AnswerApproval | Note]:
        """Give up what takes too long. A question waits as long again while somebody speaks."""
        commands: list[AnswerApproval | Note] = []
        for item_id, run in list(self._runs.items()):
            if now >= run.since + RUN_LIMIT_S:
                del self._runs[item_id]
                self.answer_due = True
                commands.append(self._end(item_id, run, "timeout", now))
        for granted in [granted for granted in self._granted if now >= granted.since + GRANTED_LIMIT_S]:
            self._granted.remove(granted)
            self.answer_due = True
            commands.append(_return_note("", granted, "timeout", now))
        for question in self._questions[:1]:
            if question.words_by is not None and now >= question.words_by:
                return [*commands, *self.not_understood(question.turn, now)]
            if now >= question.by and quiet:
                commands += self._settle(question, now, approved=False, how="no answer")
            elif now >= question.by:
                question.by = now + question.approval.timeout_s
        return commands

    def _end(self, item_id: str, run: _Run, outcome: Outcome, now: float) -> notes.McpReturned:
        self._over.add(item_id)
        return _return_note(item_id, run, outcome, now)


def _words(text: str) -> str:
    """Return the words of a text, however its accents are encoded."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _return_note(item_id: str, run: _Run | _Granted, outcome: Outcome, now: float) -> notes.McpReturned:
    return notes.McpReturned(run.server, run.tool, item_id, outcome, took_ms=round((now - run.since) * 1000))
