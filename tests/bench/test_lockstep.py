"""A call in lock step."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bench import lockstep, tags
from bench.certificate import certificate
from bench.target import Kept, Program, running
from bench.websocket import PING, PONG, TEXT, frame, frames_in, unmask

Ends = tuple[lockstep.Call, socket.socket, socket.socket]


@pytest.mark.timeout(120)
def test_each_frame_and_each_delta_arrives() -> None:
    """Of one call of the gateway, with TLS; what does not arrive, or arrives changed, is an error."""
    with lockstep.listening() as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with (
            running(Program(kept=Kept.NOTHING), url, certificate().authority, None) as target,
            lockstep.call(server, target.port) as call,
        ):
            call.frames(10)
            call.reply(lockstep.MOST_DELTAS)


def connected() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection."""
    with lockstep.listening() as server:
        end = socket.create_connection(server.getsockname(), timeout=10)
        return end, server.accept()[0]


@pytest.fixture(name="ends")
def fixture_ends() -> Iterator[Ends]:
    """Make a call and the program's ends of its phone and its service."""
    phone, of_phone = connected()
    voice, of_voice = connected()
    with phone, voice, of_phone, of_voice:
        made = lockstep.Call(lockstep.End(phone, is_client=True), lockstep.End(voice, is_client=False))
        yield made, of_phone, of_voice


def send(end: socket.socket, *messages: dict[str, Any]) -> None:
    """Send messages of the program under test."""
    for message in messages:
        end.sendall(frame(json.dumps(message).encode(), masked=False, opcode=TEXT))


def media(audio: bytes) -> dict[str, Any]:
    """Return what the phone gets of a delta."""
    return {"event": "media", "media": {"payload": base64.b64encode(audio).decode()}}


def append(number: int) -> dict[str, Any]:
    """Return the append of a caller's frame by its number."""
    return {"audio": (tags.caller_text(0) + tags.NUMBERS[number] + tags.FILL_TEXT).decode()}


SILENCE = {"audio": base64.b64encode(b"\xff" * 800).decode()}


def test_silence_in_place_of_a_pause_disturbs_a_count(ends: Ends) -> None:
    """The program writes an append more than it was sent frames; frames that come in time disturb nothing."""
    call, _phone, voice = ends
    send(voice, append(0), append(1))
    call.frames(2)
    assert call.disturbed == 0
    send(voice, SILENCE, append(2))
    call.frames(1)
    assert call.disturbed == 1


def test_a_frame_that_is_let_go_disturbs_a_count(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its append never comes, and the next frame is sent all the same."""
    call, _phone, voice = ends
    monkeypatch.setattr(lockstep, "LET_GO_AFTER_S", 0.05)
    call.frames(1)
    assert call.disturbed == 1
    send(voice, append(1))
    call.frames(1)
    assert call.disturbed == 1


def test_a_delta_for_a_phone_that_ran_dry_disturbs_a_count(ends: Ends) -> None:
    """Each but the first of a reply, which always comes to a silent phone."""
    call, phone, voice = ends
    first = lockstep.FIRST_DELTA_BYTES
    audio = tags.reply_audio(1, first + lockstep.DELTA_BYTES)
    send(phone, media(audio[:first]), media(audio[first:]))
    send(voice, *map(append, range(lockstep.FRAMES_AFTER_A_REPLY)))
    call.reply(1)
    assert call.disturbed == 0
    audio = tags.reply_audio(2, first + lockstep.DELTA_BYTES)
    send(phone, media(audio[:first]))
    late = threading.Timer(0.3, send, (phone, media(audio[first:])))
    late.start()
    send(voice, *map(append, range(lockstep.FRAMES_AFTER_A_REPLY, 2 * lockstep.FRAMES_AFTER_A_REPLY)))
    call.reply(1)
    late.join()
    assert call.disturbed == 1


def test_a_ping_is_answered(ends: Ends) -> None:
    """A program whose pings nobody answers takes the peer for gone, in the middle of a count."""
    call, phone, _voice = ends
    phone.sendall(frame(b"are you there", masked=False, opcode=PING))
    send(phone, {"event": "mark", "mark": {"name": "g0-1"}})
    assert call.phone.next()["event"] == "mark"
    answer = phone.recv(100)
    (opcode, key, start, end), *rest = frames_in(answer)[0]
    assert (opcode, unmask(answer, key, start, end), rest) == (PONG, b"are you there", [])
