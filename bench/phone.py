"""A simulated phone on Twilio's wire: 50 frames a second on an absolute clock, and a playout clock of its own.

Twilio Media Streams, WebSocket messages.
"""

import base64
import json
import socket
from collections import deque
from time import perf_counter
from typing import Any

from bench import tags
from bench.loop import Loop
from bench.reply import Reply
from bench.websocket import Peer, frame, prepare, short_text, upgrade_request

HEAD = b'{"event":"media","sequenceNumber":"'
_NUMBERS = [b"%d" % number for number in range(2 * tags.LONGEST_FRAMES)]
_MEDIA = [
    b'","media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":"' % (number + 1, number * 20)
    for number in range(tags.LONGEST_FRAMES)
]
"""The text between the number of a message and the audio, by the number of the frame."""
GOLDEN_RATIO = 0.618034  # its multiples spread any number of calls evenly over the 20 ms
LOOKED_INTO_EVERY = 64
ONE_FRAME_AT = 4  # where the payload of the first frame of a read begins
PATH = "/stream/twilio"


class Phone(Peer):
    """One caller. Times are ``perf_counter`` seconds, ``sent_at`` and ``arrived_at`` by the number of the frame."""

    is_client = True

    def __init__(self, loop: Loop, call: int, port: int, replies: dict[bytes, Reply]) -> None:
        super().__init__(loop, socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        self.call = call
        self.started_at = 0.0
        self.began_at = 0.0
        self.sent_at: list[float] = []
        self.arrived_at = [0.0] * tags.LONGEST_FRAMES
        self.duplicates = 0
        self.garbled = 0
        self.strays = 0
        self.stale_bytes = 0
        self.late_at: list[float] = []
        self.plays_until = 0.0
        self.interrupted_at: list[float] = []
        self.cleared_after_s: dict[float, float] = {}
        self.is_hung_up = False
        self._port = port
        self._replies = replies
        self._reply: Reply | None = None
        self._marks: deque[tuple[float, str]] = deque()
        self._sequence = 1
        self._sid = b"MZ%032x" % call
        self._tag = tags.caller_text(call)
        self._tail = tags.FILL_TEXT + b'"},"streamSid":"%b"}' % self._sid
        self._tag_at = 0
        self._connect()

    def _connect(self) -> None:
        prepare(self.sock)
        self.sock.connect_ex(("127.0.0.1", self._port))
        self._unsent += upgrade_request(PATH, self._port)
        self.loop.watch(self.sock, self.ready, writing=True)

    def opened(self) -> None:
        """Name the call in the start message, and begin to speak."""
        sid, call_sid, account = self._sid.decode(), f"CA{self.call:032x}", f"AC{0:032x}"
        start = {
            "accountSid": account,
            "streamSid": sid,
            "callSid": call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"from": f"+1425555{self.call:04d}", "to": "+14255550100"},
        }
        self._say({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        self.started_at = perf_counter()
        self._say({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": sid})
        phase_s = self.call * GOLDEN_RATIO % 1 * tags.FRAME_S
        self.began_at = (perf_counter() // tags.FRAME_S + 1) * tags.FRAME_S + phase_s
        self.loop.every(self.began_at, tags.FRAME_S, self._tick)

    def interrupt(self, now: float) -> None:
        """Note that the service is about to report the caller's speech; a barge-in only while a reply is played."""
        if self.plays_until > now:
            self.interrupted_at.append(now)

    def hang_up(self) -> None:
        """End the call as Twilio does: ``stop``, then the closing handshake."""
        self.is_hung_up = True
        if self.is_open:
            stop = {"accountSid": f"AC{0:032x}", "callSid": f"CA{self.call:032x}"}
            self._say({"event": "stop", "sequenceNumber": str(self._sequence + 1), "stop": stop,
                       "streamSid": self._sid.decode()})  # fmt: skip
            self.close()
        else:
            self.end()

    def _say(self, message: dict[str, Any]) -> None:
        self.send(frame(json.dumps(message, separators=(",", ":")).encode(), masked=True))

    def _tick(self) -> bool:
        number = len(self.sent_at)
        if self.is_hung_up or self.is_gone or number == tags.LONGEST_FRAMES:
            return False
        self._sequence += 1
        message = (HEAD, _NUMBERS[self._sequence], _MEDIA[number], self._tag, tags.NUMBERS[number], self._tail)
        now = perf_counter()
        self.sent_at.append(now)
        self.send(short_text(b"".join(message)))
        marks = self._marks
        while marks and marks[0][0] <= now:
            self._return_mark(marks.popleft()[1])
        return True

    def _return_mark(self, name: str) -> None:
        self._sequence += 1
        self._say({"event": "mark", "sequenceNumber": str(self._sequence), "streamSid": self._sid.decode(),
                   "mark": {"name": name}})  # fmt: skip

    def usual(self, data: bytes) -> bool:
        """Take one more frame of 20 ms, framed like the one before."""
        at = self._tag_at
        reply = self._replies.get(data[at + 4 : at + 8])
        if reply is None or reply is not self._reply or data[at : at + 4] != tags.BOT:
            return False
        block = tags.NUMBER_OF[data[at + 8 : at + 12]]
        if block % LOOKED_INTO_EVERY == 0:
            return False
        self._play(reply, block, tags.FRAME_BYTES)
        return True

    def hot(self, data: bytes, key: int, start: int, end: int) -> bool:
        """Take media of a reply; leave what does not begin with a reply's tag to ``message``."""
        at = data.find(tags.BOT, start, end)
        if at < 0 or data[at - 1] != 0x22:
            return False
        reply = self._replies.get(data[at + 4 : at + 8])
        close = data.find(b'"', at, end)
        if reply is None or close < 0:
            return False
        block = tags.NUMBER_OF[data[at + 8 : at + 12]]
        size = tags.base64_size(data, at, close)
        if block % LOOKED_INTO_EVERY == 0 and not self._is_sound(data[start:end]):
            self.garbled += 1
        if start == ONE_FRAME_AT and end == len(data) and size == tags.FRAME_BYTES:
            self.usual_size, self._tag_at = end, at
        self._play(reply, block, size)
        return True

    def _is_sound(self, message: bytes) -> bool:
        whole = json.loads(message)
        audio = base64.b64decode(whole["media"]["payload"], validate=True)
        return (
            whole["event"] == "media"
            and whole["streamSid"] == self._sid.decode()
            and tags.is_reply_block(audio[: tags.FRAME_BYTES])
        )

    def message(self, message: dict[str, Any]) -> None:
        """Take every message of the wire that is not tagged media."""
        match message["event"]:
            case "media":
                self._play_untagged(base64.b64decode(message["media"]["payload"], validate=True))
            case "mark":
                self._marks.append((self.plays_until, message["mark"]["name"]))
            case "clear":
                self._clear()
            case _:
                self.garbled += 1

    def _clear(self) -> None:
        now = perf_counter()
        if self.interrupted_at:
            self.cleared_after_s.setdefault(self.interrupted_at[-1], now - self.interrupted_at[-1])
        self.plays_until = now
        if self._reply is not None:
            self._reply.is_cleared = True
        while self._marks:
            self._return_mark(self._marks.popleft()[1])

    def _play(self, reply: Reply, block: int, size: int) -> None:
        now = perf_counter()
        if reply.is_cleared:
            self.stale_bytes += size
            return
        if reply is not self._reply:
            self._reply = reply
            reply.heard_from = now
            if reply.call not in (self.call, -1):
                self.strays += 1
        elif self.plays_until < now:
            self.late_at.append(now)
        if block * tags.FRAME_BYTES != reply.delivered:
            self.garbled += 1
        reply.arrivals.append((now, reply.delivered))
        reply.delivered += size
        self.plays_until = max(now, self.plays_until) + size / 8000

    def _play_untagged(self, audio: bytes) -> None:
        """Play audio that is cut elsewhere than between two blocks: the tags inside name its reply."""
        at = audio.find(base64.b64decode(tags.BOT))
        reply = self._reply if at < 0 else self._replies.get(base64.b64encode(audio[at + 3 : at + 6]))
        if reply is None:
            self.garbled += 1
            return
        self._play(reply, reply.delivered // tags.FRAME_BYTES, len(audio))
