"""The floor: a relay of frames as lean as a Python program can be, on picows. It has no features.

One phone call on ``/stream/twilio``, one Voice Live session. Every message is parsed: the caller's audio becomes an
append, the bot's audio becomes media, and ``clear`` follows when the caller starts to speak. It does not pace, mark,
truncate, log, count, limit or check anything, and drops what the caller says before there is a session.

    python -m bench.relay PORT
"""

import asyncio
import os
import signal
import ssl
import sys
from contextlib import suppress

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_connect, ws_create_server

PATH = "/voice-live/realtime?api-version=2026-07-15&model=gpt-4.1"
SESSION = b"""{"type":"session.update","session":{"modalities":["text","audio"],
"instructions":"You take bookings for a restaurant.",
"voice":{"type":"azure-standard","name":"en-US-AvaMultilingualNeural"},
"input_audio_format":"g711_ulaw","input_audio_sampling_rate":8000,"output_audio_format":"g711_ulaw",
"turn_detection":{"type":"azure_semantic_vad","threshold":0.5,"prefix_padding_ms":420,"silence_duration_ms":500},
"input_audio_transcription":{"model":"azure-speech","language":"en-US"}}}"""


class Media(msgspec.Struct, gc=False):
    """The audio of a phone's message."""

    payload: str


class PhoneMessage(msgspec.Struct, gc=False):
    """A message of the phone, as far as it is relayed."""

    event: str
    media: Media | None = None
    stream: str = msgspec.field(name="streamSid", default="")


class Event(msgspec.Struct, gc=False):
    """An event of the service, as far as it is relayed."""

    type: str
    response_id: str = ""
    delta: str = ""


read_message = msgspec.json.Decoder(PhoneMessage).decode
read_event = msgspec.json.Decoder(Event).decode


class Phone(WSListener):
    """The phone's end of one call."""

    def __init__(self, relay: "Relay") -> None:
        self._relay = relay
        self._phone: WSTransport | None = None
        self._voice: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Keep the connection."""
        self._phone = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Relay the caller's audio, and open and close the session with the call."""
        if frame.msg_type is not WSMsgType.TEXT:
            if frame.msg_type is WSMsgType.CLOSE:
                transport.send_close()
                transport.disconnect()
            return
        message = read_message(frame.get_payload_as_memoryview())
        if message.media is not None:
            if self._voice is not None:
                append = f'{{"type":"input_audio_buffer.append","audio":"{message.media.payload}"}}'
                self._voice.send(WSMsgType.TEXT, append.encode())
        elif message.event == "start":
            self._relay.calls.create_task(self._open(transport, message.stream))

    async def _open(self, phone: WSTransport, stream: str) -> None:
        self._voice, _ = await ws_connect(
            lambda: Voice(phone, stream),
            self._relay.url,
            ssl_context=self._relay.trusted,
            extra_headers={"api-key": self._relay.key},
        )
        if phone.is_disconnected:
            self._voice.disconnect()

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """End the session with the call."""
        if self._voice is not None:
            self._voice.send_close()
            self._voice.disconnect()


class Voice(WSListener):
    """The service's end of one call."""

    def __init__(self, phone: WSTransport, stream: str) -> None:
        self._phone = phone
        self._head = f'{{"event":"media","streamSid":"{stream}","media":{{"payload":"'
        self._clear = f'{{"event":"clear","streamSid":"{stream}"}}'.encode()
        self._is_greeted = False
        self._speaking = ""
        self._silenced = ""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Ask for the settings."""
        transport.send(WSMsgType.TEXT, SESSION)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Relay the bot's audio; drop the rest of a response that the caller spoke over."""
        if frame.msg_type is not WSMsgType.TEXT:
            return
        event = read_event(frame.get_payload_as_memoryview())
        kind = event.type
        if kind == "response.audio.delta":
            if event.response_id != self._silenced:
                self._speaking = event.response_id
                self._phone.send(WSMsgType.TEXT, f'{self._head}{event.delta}"}}}}'.encode())
        elif kind == "input_audio_buffer.speech_started":
            self._silenced = self._speaking
            self._phone.send(WSMsgType.TEXT, self._clear)
        elif kind == "session.updated" and not self._is_greeted:
            self._is_greeted = True
            transport.send(WSMsgType.TEXT, b'{"type":"response.create"}')

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """End the call with the session."""
        self._phone.disconnect()


class Relay:
    """The relay of all calls; ``calls`` is their task group."""

    def __init__(self, calls: asyncio.TaskGroup) -> None:
        self.calls = calls
        endpoint = os.environ["AZURE_VOICELIVE_ENDPOINT"]
        self.url = "ws" + endpoint.removeprefix("http") + PATH
        self.key = os.environ["AZURE_VOICELIVE_API_KEY"]
        self.trusted = ssl.create_default_context() if endpoint.startswith("https:") else None

    def phone(self, _request: WSUpgradeRequest) -> Phone:
        """Take a phone's stream."""
        return Phone(self)


async def main() -> None:
    """Serve on 127.0.0.1 until a signal ends it."""
    async with asyncio.TaskGroup() as calls:
        server = await ws_create_server(Relay(calls).phone, "127.0.0.1", int(sys.argv[1]), backlog=1024)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.close)  # so that a profile is left
        with suppress(asyncio.CancelledError):
            await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
