"""A WebSocket whose messages are recorded; it stands before the real one only while a tape runs."""

from collections.abc import Callable, Sequence

from gateway.phone.leg import MediaSocket
from gateway.sockets.message_socket import BINARY, MessageSocket

Note = Callable[[str, str, object], None]
"""Records ``to`` (``in`` or ``out``), a kind and what it was."""


class TapedSocket:
    """Passes everything on to ``socket`` and records it; once told to stop, it is out of the way."""

    def __init__(self, socket: MediaSocket, note: Note) -> None:
        self._socket = socket
        self._note: Note | None = note
        self._is_ended = False

    def stop(self) -> None:
        """Record nothing more. Messages that are taken later do not pass here; nor does what a phone leg sends.

        A voice leg has found ``send`` at its start: what it sends passes here unrecorded.
        """
        self._note = None
        self.send = self._socket.send  # type: ignore[method-assign,assignment]  # the real one in its place

    async def receive(self) -> str | bytes | None:
        """Return the next message; ``None`` once closed."""
        message = await self._socket.receive()
        if message is None:
            self._ended()
        elif self._note is not None:
            self._note("in", "message", message)
        return message

    async def hand_to(self, take: Callable[[str | bytes], bool], alive: Callable[[], None] | None = None) -> None:
        """Hand every message to ``take`` as it arrives, until closed or until it returns ``False``."""
        note = self._note
        if note is None:
            return await self._socket.hand_to(take, alive)
        is_done = False

        def taken(message: str | bytes) -> bool:
            nonlocal is_done
            note("in", "message", message)
            is_done = not take(message)
            return not is_done

        def lives() -> None:
            note("in", "alive", None)
            if alive is not None:
                alive()

        await self._socket.hand_to(taken, lives)
        if not is_done:
            self._ended()
        return None

    def send(self, message: str | bytes, opcode: int = BINARY) -> None:
        """Write at once; see ``MessageSocket.send``."""
        note = self._note
        try:
            if isinstance(self._socket, MessageSocket):
                self._socket.send(message, opcode)
            else:
                self._socket.send(message)
        except Exception as error:
            if note is not None:
                note("out", "unsent", {"error": type(error).__name__, "size": len(message)})
            raise
        if note is not None:
            note("out", "message", message)

    def send_all(self, messages: Sequence[str | bytes]) -> None:
        """Write each message at once, so that the tape has it with its own fate."""
        for message in messages:
            self.send(message)

    def ping(self) -> None:
        """Ask for a pong."""
        if self._note is not None:
            self._note("out", "ping", None)
        self._socket.ping()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order; safe to call twice."""
        if self._note is not None and self._socket.close_code is None and not self._is_ended:
            self._note("out", "close", {"code": code, "reason": reason})
        await self._socket.close(code, reason)
        self._ended()

    @property
    def close_code(self) -> int | None:
        """The close code, 1006 where the connection broke."""
        return self._socket.close_code

    @property
    def failure(self) -> str:
        """The reason why the connection broke, in words."""
        return self._socket.failure

    def __getattr__(self, name: str) -> object:
        return getattr(self._socket, name)

    def _ended(self) -> None:
        if self._note is not None and not self._is_ended:
            self._is_ended = True
            reason = self._socket.close_reason if isinstance(self._socket, MessageSocket) else ""
            told = {"code": self._socket.close_code, "reason": reason, "failure": self._socket.failure}
            self._note("in", "closed", told)
