"""A simulated Voice Live service: sessions that take audio and answer according to ``script``.

Voice Live API reference 2026-07-15. It does not listen: when the caller speaks is in the script.
"""

import base64
import socket
import ssl
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from bench import events, tags
from bench.certificate import certificate
from bench.conditions import USUAL, Conditions
from bench.listener import Listener
from bench.loop import Loop
from bench.phone import Phone
from bench.reply import Reply
from bench.script import Answer, Script, ToolTurn, whole_call
from bench.websocket import Peer, unmask

HEAD_BYTES = 128  # of an append: enough for its keys, an event id and the tag
ONE_FRAME_BYTES = HEAD_BYTES + tags.FRAME_CHARS
LOOKED_INTO_EVERY = 64
UPDATED_AFTER_S, CREATED_AFTER_S = 0.07, 0.08


class Service:
    """A service on a free port of 127.0.0.1."""

    def __init__(self, loop: Loop, conditions: Conditions = USUAL, tool_user: int | None = None) -> None:
        self.loop = loop
        self.conditions = conditions
        self.tool_user = tool_user
        """The call that uses tools."""
        self.outputs = 0
        self.phones: dict[bytes, Phone] = {}
        self.replies: dict[bytes, Reply] = {}
        self.sessions: list[Session] = []
        self.unexpected: dict[str, int] = {}
        self.answers = 0
        self._listener = Listener(loop, self._take)
        self._tls: ssl.SSLContext | None = None if conditions.is_plain else certificate().context
        self.authority = b"" if conditions.is_plain else certificate().authority
        """The certificate that clients are to trust, as PEM; empty where there is no TLS."""
        self.url = f"{'http' if conditions.is_plain else 'https'}://127.0.0.1:{self._listener.port}"

    def _take(self, sock: socket.socket) -> None:
        if self._tls is not None:
            sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        session = Session(self, sock)
        self.sessions.append(session)
        self.loop.watch(sock, session.ready)

    def open_sessions(self) -> Iterator["Session"]:
        """Return the sessions whose connection is still open."""
        return (session for session in self.sessions if not session.is_gone)

    def forget(self) -> None:
        """Drop every session and what is known of calls, so that other calls may have their numbers."""
        for session in self.sessions:
            session.end()
        self.phones.clear()
        self.replies.clear()
        self.sessions.clear()
        self.unexpected.clear()
        self.answers = 0

    def close(self) -> None:
        """Stop listening and drop every session."""
        self._listener.close()
        for session in self.sessions:
            session.end()


class Session(Peer):
    """One session; ``call`` is -1 until its first audio has named the call."""

    def __init__(self, service: Service, sock: socket.socket) -> None:
        super().__init__(service.loop, sock)
        self.service = service
        self.replies = service.replies
        self.number = len(service.sessions)
        self.phone: Phone | None = None
        self.received_ms = 0
        self.is_talking = False
        self.accepted_at = perf_counter()
        self.opened_at = self.update_at = self.updated_at = self.asked_at = self.turn_over_at = 0.0
        self.greeting: Reply | None = None
        self.pace = service.conditions.delivery.pace
        self._tag = b""
        self._tag_at = 0
        self._script: Script = whole_call(self)
        self._answer: Answer | None = None
        self._tool_turn: ToolTurn | None = None

    @property
    def call(self) -> int:
        """The number of the call that the session serves."""
        return -1 if self.phone is None else self.phone.call

    @property
    def uses_tools(self) -> bool:
        """True if it is the session of the call that uses tools."""
        return self.call == self.service.tool_user

    def opened(self) -> None:
        """Send ``session.created``, which comes unasked."""
        self.opened_at = perf_counter()
        self.send(events.session_event(b"session.created", events.SESSION))

    def usual(self, data: bytes) -> bool:
        """Take one more append of one frame, written like the one before: only the tag is unmasked."""
        at = self._tag_at
        aligned = at & ~3  # as the masking key is: four bytes from the payload's start, which is byte 8
        text = unmask(data, 4, aligned, at + tags.TAG_CHARS)[at - aligned :]
        number = tags.NUMBER_OF.get(text[8:], -1)
        if text[:8] != self._tag or number % LOOKED_INTO_EVERY == 0:
            return False
        self._arrived(text[4:8], number)
        return True

    def hot(self, data: bytes, key: int, start: int, end: int) -> bool:
        """Take an append of one frame, recognised by its first bytes; every 64th is read whole."""
        if end - start > ONE_FRAME_BYTES:
            return False
        head = unmask(data, key, start, min(end, start + HEAD_BYTES))
        at = head.find(tags.CALLER)
        if at < 0:
            return False
        number = tags.NUMBER_OF.get(head[at + 8 : at + 12], -1)
        if number % LOOKED_INTO_EVERY == 0:
            return False
        self._arrived(head[at + 4 : at + 8], number)
        if start == 8 and end == len(data):
            self.usual_size, self._tag_at, self._tag = end, start + at, head[at : at + 8]
        return True

    def _arrived(self, call: bytes, number: int) -> None:
        phone = self.service.phones.get(call)
        if phone is None or number < 0:
            self._count("audio of no caller")
            return
        if phone.arrived_at[number]:
            phone.duplicates += 1
        phone.arrived_at[number] = perf_counter()
        if phone is not self.phone:
            if self.phone is not None:
                phone.strays += 1
            self.phone = phone
        self.received_ms += 20

    def message(self, message: dict[str, Any]) -> None:
        """Take every other client event, and appends that are not one tagged frame."""
        match message["type"]:
            case "input_audio_buffer.append":
                self._append(base64.b64decode(message["audio"], validate=True))
            case "session.update":
                self.update_at = perf_counter()
                session = {**events.SESSION, **message["session"]}
                self.loop.at(perf_counter() + UPDATED_AFTER_S, lambda _: self._updated(session))
            case "response.create" if not self.is_talking:
                self.is_talking = True
                self.asked_at = perf_counter()
                self.loop.at(self.asked_at + CREATED_AFTER_S, self._go_on)
            case "response.create" if self._tool_turn is not None:
                self._count(self._tool_turn.asked())
            case "conversation.item.create" if self._tool_turn is not None:
                self._count(self._tool_turn.returned(message["item"]))
            case "response.cancel":
                if self._answer is None or self._answer.is_over:
                    self._reject(
                        b"response_cancel_not_active", b"Cancellation failed: no active response found", message
                    )
            case "conversation.item.truncate":
                self.send(events.truncated(message["item_id"], message["audio_end_ms"]))
            case kind:
                self._count(kind)

    def _append(self, audio: bytes) -> None:
        if len(audio) % tags.FRAME_BYTES:
            self._count("append that is not whole frames")
        for at in range(0, len(audio), tags.FRAME_BYTES):
            block = audio[at : at + tags.FRAME_BYTES]
            if tags.is_caller_frame(block):
                self._arrived(base64.b64encode(block[3:6]), tags.NUMBER_OF.get(base64.b64encode(block[6:9]), -1))
            else:
                self._count("frame that no caller sent")

    def _updated(self, session: dict[str, Any]) -> None:
        self.updated_at = perf_counter()
        self.send(events.session_event(b"session.updated", session))

    def _reject(self, code: bytes, text: bytes, message: dict[str, Any]) -> None:
        self.send(events.error(code, text, message.get("event_id")))

    def _count(self, what: str) -> None:
        """Count what is wrong; nothing is, where ``what`` is empty."""
        if not what:
            return
        self.service.unexpected[what] = self.service.unexpected.get(what, 0) + 1

    def _go_on(self, due: float) -> float | None:
        if self.is_gone:
            return None
        wait_s = next(self._script, None)
        return None if wait_s is None else due + wait_s

    def answer(self) -> Answer:
        """Begin the next answer."""
        self.service.answers += 1
        self._answer = Answer(self, self.service.answers)
        self._answer.reply.turn_over_at = self.turn_over_at
        if self.greeting is None:
            self.greeting = self._answer.reply
        return self._answer

    def tool_turn(self) -> ToolTurn:
        """Begin a response that calls tools."""
        self.service.answers += 1
        self._tool_turn = ToolTurn(self, self.service.answers)
        return self._tool_turn

    def caller_speaks(self, item: bytes, answer: Answer) -> None:
        """Let the caller begin to speak, maybe over ``answer``."""
        now = perf_counter()
        phone = self.phone
        if phone is not None and now < answer.reply.ends_at:
            answer.reply.is_interrupted = True
            phone.interrupt(now)
        self.send(events.speech_started(item, self.received_ms))
