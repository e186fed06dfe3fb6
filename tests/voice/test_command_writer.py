"""Commands that are written to a session; that they are what the service takes is in test_wire.py and test_leg.py."""

import json
from contextlib import nullcontext

import pytest

from gateway.errors import OutboxFullError
from gateway.voice.command_writer import CommandWriter
from gateway.voice.commands import CommitTurn, CreateResponse, SendAudio


class Sent(list[str | bytes]):
    """Keeps the messages that are sent."""

    def __call__(self, message: str | bytes, opcode: int = 2) -> None:
        assert opcode == 1
        self.append(message)


@pytest.mark.parametrize("opened", [False, True])
def test_audio_is_the_same_as_bytes_and_as_a_command(opened: bool) -> None:
    """Before there is a session, either is a bug."""
    sent, writer = Sent(), CommandWriter(())
    if opened:
        writer.open(sent, is_agent=False)
        writer.send(SendAudio(b"\xff"))
        writer.send_audio(b"\xff")
        assert sent == [b'{"type":"input_audio_buffer.append","audio":"/w=="}'] * 2
        return
    with pytest.raises(RuntimeError, match="before SessionReady"):
        writer.send(SendAudio(b"\xff"))
    with pytest.raises(RuntimeError, match="before SessionReady"):
        writer.send_audio(b"\xff")


def test_what_was_sent_ahead_is_not_sent_again() -> None:
    """The call gives the same command as its first; audio between is not it, and a second one is another."""
    sent, writer = Sent(), CommandWriter(())
    writer.open(sent, is_agent=False)
    writer.send_ahead([CreateResponse(request_id="1")])
    writer.send(SendAudio(b"\xff"))
    writer.send(CreateResponse(request_id="1"))
    writer.send(CreateResponse(request_id="1"))
    assert [json.loads(message)["type"] for message in sent] == [
        "response.create",
        "input_audio_buffer.append",
        "response.create",
    ]


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), OutboxFullError("full")])
def test_a_connection_that_is_gone_is_reported_by_its_end_alone(error: Exception) -> None:
    """A peer that does not read is told at once."""
    writer = CommandWriter(())

    def write(message: str | bytes, opcode: int = 2) -> None:
        raise error

    writer.open(write, is_agent=False)
    is_told = isinstance(error, OutboxFullError)
    with pytest.raises(OutboxFullError) if is_told else nullcontext():
        writer.send(CommitTurn())
    with pytest.raises(OutboxFullError) if is_told else nullcontext():
        writer.send_audio(b"\xff")
