"""The order of events in a call that uses tools, without time."""

import json
import random
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bench.loop import Loop
from bench.script import Script, tool_user
from bench.tool_server import DONE, TOOLS
from bench.voice import Service, Session
from bench.websocket import frames_in

ASKS: dict[str, Any] = {"type": "response.create"}


class Told(Session):
    """A session that keeps what it says."""

    def __init__(self, service: Service, sock: socket.socket) -> None:
        super().__init__(service, sock)
        self.messages: list[dict[str, Any]] = []

    def send(self, data: bytes) -> None:
        found, _ = frames_in(data)
        self.messages += [json.loads(data[start:end]) for _, _, start, end in found]

    @property
    def kinds(self) -> list[str]:
        """The types of everything said so far."""
        return [message["type"] for message in self.messages]

    def output(self, index: int, text: str = DONE.decode()) -> None:
        """The client tells what one of the functions called last has come to."""
        called = [message["item"] for message in self.messages if message["type"] == "response.output_item.done"]
        calls = [item for item in called if item["type"] == "function_call"][-len(TOOLS) :]
        item = {"type": "function_call_output", "call_id": calls[index]["call_id"], "output": text}
        self.message({"type": "conversation.item.create", "item": item})


@pytest.fixture
def session() -> Iterator[Told]:
    """One that is past its greeting."""
    ours, theirs = socket.socketpair()
    with ours, theirs, closing(Loop()) as loop, closing(Service(loop)) as service:
        session = Told(service, ours)
        session.is_talking = True
        yield session


def begun(session: Told) -> Script:
    """The script of a tool's user, its greeting over."""
    greeting = session.answer()
    greeting.is_over = True
    return tool_user(session, greeting, random.Random(0))


def until(script: Script, session: Told, kind: str) -> None:
    """Go on with the script until it has said ``kind``."""
    session.messages.clear()
    while kind not in session.kinds:
        next(script)


def test_both_tools_are_called_in_one_response(session: Told) -> None:
    """Voice Live's order: each call is an item from its start to its end, and the response is over after both."""
    until(begun(session), session, "response.done")
    begin = session.kinds.index("response.created")
    item = [
        "response.output_item.added",
        "conversation.item.created",
        "response.function_call_arguments.done",
        "response.output_item.done",
    ]
    assert session.kinds[begin:] == ["response.created", *item, *item, "response.done"]
    calls = [message for message in session.messages if message["type"] == "response.function_call_arguments.done"]
    assert [(call["output_index"], call["name"]) for call in calls] == list(enumerate(TOOLS))
    assert [json.loads(call["arguments"]) for call in calls] == [{"number": "42"}] * 2
    assert len({call["call_id"] for call in calls}) == 2
    ended = session.messages[-1]["response"]
    assert [(item["name"], item["status"]) for item in ended["output"]] == [(name, "completed") for name in TOOLS]


def test_it_speaks_when_both_outputs_are_there_and_it_is_asked(session: Told) -> None:
    """Not for the outputs alone; then it answers, and the next turn calls both tools again."""
    script = begun(session)
    until(script, session, "response.done")
    session.output(1)
    session.output(0)
    for _ in range(5):
        next(script)
    assert session.kinds[-2:] == ["conversation.item.created"] * 2
    session.message(ASKS)
    until(script, session, "response.audio.delta")
    until(script, session, "response.function_call_arguments.done")
    assert (session.service.outputs, session.service.unexpected) == (2, {})


def test_a_response_asked_for_too_early_is_not_given(session: Told) -> None:
    """Before the last output it is counted as unexpected, and nothing is said."""
    script = begun(session)
    until(script, session, "response.function_call_arguments.done")
    session.output(0)
    session.message(ASKS)
    until(script, session, "response.done")
    session.message(ASKS)
    session.messages.clear()
    for _ in range(5):
        next(script)
    assert session.messages == []
    assert session.service.unexpected == {"response.create before every output": 2}


def test_a_response_asked_for_twice_is_counted(session: Told) -> None:
    """One for both outputs is enough."""
    until(begun(session), session, "response.done")
    session.output(0)
    session.output(1)
    session.message(ASKS)
    session.message(ASKS)
    assert session.service.unexpected == {"second response.create for the same outputs": 1}


def test_an_output_that_is_not_the_tools_is_counted(session: Told) -> None:
    """A tool that failed, or one told of twice, is no tool call done."""
    until(begun(session), session, "response.done")
    session.output(0, '{"error":"the service failed"}')
    session.output(1)
    session.output(1)
    assert session.service.outputs == 1
    assert session.service.unexpected == {
        "output that is not the tool's": 1,
        "item that is no output of a function called": 1,
    }
