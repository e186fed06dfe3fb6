"""Writes the commands of a call to its session. It may be compiled (pyproject.toml): every frame passes here."""

from collections import deque
from collections.abc import Collection, Iterable

from msgspec.structs import replace

from gateway.sockets.message_socket import TEXT, Send
from gateway.voice import wire
from gateway.voice.commands import AddMessage, CreateResponse, SayText, SendAudio, VoiceCommand, without_members


class CommandWriter:
    """The way out of one session. ``unknown`` are the members of a response that this version of the API lacks."""

    def __init__(self, unknown: Collection[str]) -> None:
        self._unknown = unknown
        self._is_agent = False
        self._write: Send | None = None
        self._ahead: deque[VoiceCommand] = deque()
        """The commands that were carried out before the call was there, and that it has not given itself yet."""

    def open(self, write: Send, *, is_agent: bool) -> None:
        """Send by ``write`` of the session's socket from now on; ``is_agent`` where an agent answers there."""
        self._write = write
        self._is_agent = is_agent

    def send_ahead(self, commands: Iterable[VoiceCommand]) -> None:
        """Carry commands out that the call will give all the same, in their order; then they are not carried out."""
        asked = list(commands)
        for command in asked:
            self.send(command)
        self._ahead.extend(asked)

    def send(self, command: VoiceCommand) -> None:
        """Carry out a command at once; a connection that is gone is reported by its closing event.

        Raises ``OutboxFullError`` where the peer has stopped reading.
        """
        if isinstance(command, SendAudio):
            self.send_audio(command.audio)
        elif self._ahead and command == self._ahead[0]:
            self._ahead.popleft()
        else:
            self._put(wire.encode(self._adapted(command)))

    def send_audio(self, audio: bytes) -> None:
        """Do as ``send`` with ``SendAudio``, which comes fifty times a second."""
        self._put(wire.append(audio))

    def _put(self, message: bytes) -> None:
        write = self._write
        if write is None:
            raise RuntimeError("a command before SessionReady")
        try:
            write(message, TEXT)
        except ConnectionError:  # suppress() would be made for every frame
            return

    def _adapted(self, command: VoiceCommand) -> VoiceCommand:
        """Return a command as this service takes it; what it takes otherwise is sent before."""
        if self._unknown and isinstance(command, CreateResponse | SayText):
            command = without_members(command, self._unknown)
        if self._is_agent and isinstance(command, CreateResponse) and command.instructions:
            # refused with "Overriding instructions in response.create is not supported with Agent service."
            self.send(AddMessage("system", command.instructions))
            command = replace(command, instructions="")
        return command
