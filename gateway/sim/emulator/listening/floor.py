"""The floor of a session: at most one response at a time, from its acceptance to its ``response.done``."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from gateway.sim.emulator.dialogue import Dialogue
from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.script import Answer, McpCall
from gateway.sim.emulator.settings.fields import ResponseFields
from gateway.sim.emulator.speaking.interim import interim_of
from gateway.sim.emulator.speaking.response import Response, Scene

Spawn = Callable[[Coroutine[Any, Any, None]], object]
Ready = Callable[[], Awaitable[object]]


class Floor:
    """The object that starts, refuses and cancels a session's responses."""

    def __init__(self, scene: Scene, dialogue: Dialogue, spawn: Spawn) -> None:
        self._scene = scene
        self._dialogue = dialogue
        self._spawn = spawn
        self._active: Response | None = None
        self.interrupted_by_service = False
        """The last response was cancelled because the caller spoke."""

    @property
    def active(self) -> Response | None:
        """The response that is requested or running."""
        return self._active

    def create(self, request: ResponseFields, ready: Ready | None) -> None:
        """Take a client's ``response.create``; :class:`Rejected` while another response is active."""
        if self._active is not None:
            raise self._occupied(self._active)
        self._start(request, ready)

    async def answer_turn(self, ready: Ready) -> None:
        """Answer a turn that voice activity ended; after a response that is being cancelled, once that is over."""
        before = self._active
        if before is not None and before.cancel_reason is None:
            await self._overlapped(before, ready)
            return

        async def both() -> None:
            if before is not None:
                await before.finished.wait()
            await ready()

        self._start(ResponseFields(), both)

    async def _overlapped(self, active: Response, ready: Ready) -> None:
        """Take a turn that ended beside a response, as the script says that the service does."""
        match self._scene.script.overlapped:
            case "refused":
                await self._scene.out.emit("error", error=self._occupied(active).error(None))
            case "answered":
                self._spawn(self._answer_behind(active, ready))

    async def _answer_behind(self, active: Response, ready: Ready) -> None:
        await active.finished.wait()
        if self._active is None:
            self._start(ResponseFields(), ready)

    def make_call(self, call: McpCall) -> None:
        """Make an approved call in a response of its own, behind those that are active."""
        self._spawn(self._make_behind(Answer(mcp=call)))

    async def _make_behind(self, answer: Answer) -> None:
        while self._active is not None:
            await self._active.finished.wait()
            await asyncio.sleep(0)  # lets the floor become free
        self._begin(Response(self._scene, lambda _choice, _tools: answer, ResponseFields()), None)

    def _occupied(self, active: Response) -> Rejected:
        return Rejected(
            f"Conversation already has an active response in progress: {active.id}. "
            "Wait until the response is finished before creating a new one.",
            code="conversation_already_has_active_response",
        )

    def _start(self, request: ResponseFields, ready: Ready | None) -> None:
        dialogue, ready_made = self._dialogue, request.pre_generated_assistant_message
        answer = (
            partial(dialogue.answer, instructions=request.instructions)
            if ready_made is None
            else lambda _choice, _tools: dialogue.announced(ready_made.content[0].text)
        )
        self._begin(Response(self._scene, answer, request), ready)

    def _begin(self, response: Response, ready: Ready | None) -> None:
        self._active = response
        self.interrupted_by_service = False
        self._spawn(self._run(response, ready))

    async def _run(self, response: Response, ready: Ready | None) -> None:
        try:
            await response.run(ready)
            if response.is_silent and response.cancel_reason is not None:
                self._dialogue.unsaid(response.answer)
            interim = interim_of(None, self._scene.settings.echo.get("interim_response"), "tool", self._scene.script)
            if interim is not None and response.waits_for_outputs:
                self._spawn(self._fill(response, *interim))
        finally:
            if self._active is response:
                self._active = None

    async def _fill(self, response: Response, words: str, after_s: float) -> None:
        """Say the words of an interim response once functions take that long, if nobody else speaks."""
        await asyncio.sleep(after_s)
        if response.waits_for_outputs and self._active is None:
            answer = Answer(say=words)
            self._begin(Response(self._scene, lambda _choice, _tools: answer, ResponseFields()), None)

    def interrupt(self) -> Response | None:
        """Cancel the active response because the caller spoke, and return it."""
        if self._active is None or self._active.cancel_reason is not None:
            return None
        self._active.cancel("turn_detected")
        self.interrupted_by_service = True
        return self._active

    def cancel(self, response_id: object = None) -> None:
        """Take a client's ``response.cancel``; :class:`Rejected` where nothing is left to cancel."""
        active = self._active
        if active is None or active.cancel_reason is not None or response_id not in (None, active.id):
            raise Rejected(
                "Cancellation failed: no active response found", code="response_cancel_not_active", harmless=True
            )
        active.cancel("client_cancelled")
