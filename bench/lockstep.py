"""One call in lock step: each message is sent when all that followed from the last one has arrived.

So a program that is slowed down fifty times, or has a tenth of the machine, does the same for each message.
"""

import base64
import json
import select
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench import events, tags
from bench.certificate import certificate
from bench.phone import PATH
from bench.websocket import (
    CLOSE,
    PING,
    PONG,
    READ_BYTES,
    TEXT,
    LateError,
    PeerError,
    frame,
    frames_in,
    unmask,
    upgrade_answer,
    upgrade_request,
)

LIMIT_S = 60.0
"""The limit of each wait: valgrind on a busy machine is slow."""
LET_GO_AFTER_S = 2.0
"""A frame whose append has not come after this time has been let go, behind a pause that a busy machine made."""
DELTA_BYTES, FIRST_DELTA_BYTES = tags.FRAME_BYTES, 5 * tags.FRAME_BYTES
"""The first delta gives the phone so much audio that it does not run dry while the next ones come one by one."""
MOST_DELTAS = 6
"""So few that the gateway passes on each as it comes: with more of them its lead would be full."""
FRAMES_AFTER_A_REPLY = 13
"""In their time the phone plays what it was sent."""
SID = f"MZ{0:032x}"
START = {
    "accountSid": f"AC{0:032x}",
    "streamSid": SID,
    "callSid": f"CA{0:032x}",
    "tracks": ["inbound"],
    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    "customParameters": {"from": "+14255550000", "to": "+14255550100"},
}


class End:
    """One end of a WebSocket whose messages are waited for."""

    def __init__(self, sock: socket.socket, *, is_client: bool) -> None:
        sock.settimeout(LIMIT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._is_client = is_client
        self._rest = b""
        self._messages: deque[dict[str, Any]] = deque()

    def shake_hands(self, request: bytes = b"") -> None:
        """Send a client's ``request`` and read the answer, or answer one as a server."""
        if request:
            self._sock.sendall(request)
        while b"\r\n\r\n" not in self._rest:
            self._receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if not request:
            self._sock.sendall(upgrade_answer(head))
        elif not head.startswith(b"HTTP/1.1 101"):
            raise PeerError(f"the stream was refused: {head.splitlines()[0].decode()}")

    def say(self, *messages: dict[str, Any]) -> None:
        """Send messages in one piece, so that they are read together."""
        texts = (json.dumps(message, separators=(",", ":")).encode() for message in messages)
        self.send(b"".join(frame(text, masked=self._is_client) for text in texts))

    def send(self, data: bytes) -> None:
        """Send whole frames."""
        self._sock.sendall(data)

    def next(self) -> dict[str, Any]:
        """Wait for the next message and return it; LateError where none comes."""
        message = self.next_within(LIMIT_S)
        if message is None:
            raise LateError(f"nothing came from the program under test for {LIMIT_S:.0f} s")
        return message

    def next_within(self, limit_s: float) -> dict[str, Any] | None:
        """Wait for the next message and return it, or ``None`` where none comes in time."""
        self._sock.settimeout(limit_s)
        try:
            while not self._messages:
                self._receive()
                self._read()
        except TimeoutError:
            return None
        finally:
            self._sock.settimeout(LIMIT_S)
        return self._messages.popleft()

    def waiting(self) -> dict[str, Any] | None:
        """Return the next message if it has come already. Not with TLS, whose bytes may be no message's."""
        if not self._messages and select.select([self._sock], [], [], 0)[0]:
            self._receive()
            self._read()
        return self._messages.popleft() if self._messages else None

    def _read(self) -> None:
        found, rest = frames_in(self._rest)
        for opcode, key, start, end in found:
            if opcode == CLOSE:
                raise PeerError("the program under test closed the call")
            if opcode == TEXT:
                self._messages.append(json.loads(unmask(self._rest, key, start, end)))
            elif opcode == PING:
                self.send(frame(unmask(self._rest, key, start, end), masked=self._is_client, opcode=PONG))
        self._rest = self._rest[rest:]

    def _receive(self) -> None:
        data = self._sock.recv(READ_BYTES)
        if not data:
            raise PeerError("the program under test closed a connection")
        self._rest += data


class Call:
    """A call with a bot that speaks, as ``call`` opens it."""

    def __init__(self, phone: End, voice: End) -> None:
        self.phone = phone
        self.voice = voice
        self.disturbed = 0
        """How often the machine was too slow: a pause in the caller's audio was filled, or a delta came to a phone that
        had run dry, so that the program under test did more than the message asks for."""
        self._frames = 0
        self._spoke_at = 0.0
        self._replies = 0
        self._plays_until = 0.0
        self._marks: deque[tuple[float, str]] = deque()

    def greet(self) -> None:
        """Answer what opens the session, and speak a greeting."""
        self.voice.send(events.session_event(b"session.created", events.SESSION))
        update = _until(self.voice, "type", "session.update")
        self.voice.send(events.session_event(b"session.updated", {**events.SESSION, **update["session"]}))
        _until(self.voice, "type", "response.create")
        self.reply(MOST_DELTAS)

    def frames(self, count: int) -> None:
        """Send frames of the caller, each once the append of the one before has arrived, and no sooner than a phone.

        Faster ones would be let go where a pause before them was filled with silence. Marks that are due return.
        """
        for _ in range(count):
            time.sleep(max(0.0, self._spoke_at + tags.FRAME_S - time.monotonic()))
            marks = self._marks_to_return()
            number = self._frames
            text = (tags.caller_text(0) + tags.NUMBERS[number] + tags.FILL_TEXT).decode()
            media = {"track": "inbound", "chunk": str(number + 1), "timestamp": str(number * 20), "payload": text}
            message = {"event": "media", "sequenceNumber": str(number + 2), "media": media, "streamSid": SID}
            self.phone.say(*marks, message)
            self._frames += 1
            self._spoke_at = time.monotonic()
            while (arrived := self.voice.next_within(LET_GO_AFTER_S)) is None or arrived.get("audio") != text:
                self.disturbed += 1  # silence, in place of a pause that a busy machine made
                if arrived is None:
                    break  # frames that come late after it are let go

    def reply(self, deltas: int) -> None:
        """Speak a first delta and ``deltas`` short ones, each once the last is heard, and let them be played."""
        self._replies += 1
        response, item = b"resp_%022d" % self._replies, b"msg_%022d" % self._replies
        audio = tags.reply_audio(self._replies, FIRST_DELTA_BYTES + deltas * DELTA_BYTES)
        begin = events.response_created(response) + events.item_added(response, item)
        for start in (0, *range(FIRST_DELTA_BYTES, len(audio), DELTA_BYTES)):
            piece = audio[start : start + DELTA_BYTES] if start else audio[:FIRST_DELTA_BYTES]
            self.voice.send(begin + events.audio(response, item, base64.b64encode(piece)))
            begin = b""
            self._hear(piece, is_first=not start)
        self.voice.send(events.response_ended(response, item))
        self.frames(FRAMES_AFTER_A_REPLY)

    def _hear(self, audio: bytes, *, is_first: bool) -> None:
        """Wait until the phone has the audio of a delta; the first of a reply is never late."""
        heard = b""
        while len(heard) < len(audio):
            message = self.phone.next()
            if message["event"] == "mark":
                self._marks.append((self._plays_until, message["mark"]["name"]))
                continue
            now = time.monotonic()
            self.disturbed += not is_first and self._plays_until < now
            piece = base64.b64decode(message["media"]["payload"], validate=True)
            heard += piece
            self._plays_until = max(now, self._plays_until) + len(piece) / 8000
        if heard != audio:
            raise PeerError("the audio at the phone is not that of the delta")

    def _marks_to_return(self) -> list[dict[str, Any]]:
        """Return the messages for the marks of audio that has been played."""
        while (message := self.phone.waiting()) is not None:
            self._marks.append((self._plays_until, message["mark"]["name"]))
        now, due = time.monotonic(), []
        while self._marks and self._marks[0][0] <= now:
            mark = {"name": self._marks.popleft()[1]}
            due.append({"event": "mark", "sequenceNumber": "1", "streamSid": SID, "mark": mark})
        return due


def _until(end: End, key: str, kind: str) -> dict[str, Any]:
    """Return the next message of that kind, and leave out others."""
    while (message := end.next())[key] != kind:
        pass
    return message


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Listen as the service does, on a free port of 127.0.0.1, during the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT_S)
        yield server


@contextmanager
def call(server: socket.socket, port: int) -> Iterator[Call]:
    """Make a call to the program on ``port`` during the block; ``server`` takes its session, with TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as sock:
        phone = End(sock, is_client=True)
        phone.shake_hands(upgrade_request(PATH, port))
        phone.say({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        phone.say({"event": "start", "sequenceNumber": "1", "start": START, "streamSid": SID})
        accepted, _ = server.accept()
        accepted.settimeout(LIMIT_S)
        with certificate().context.wrap_socket(accepted, server_side=True) as wrapped:
            voice = End(wrapped, is_client=False)
            voice.shake_hands()
            made = Call(phone, voice)
            made.greet()
            yield made
            phone.send(frame((1000).to_bytes(2, "big"), masked=True, opcode=CLOSE))
