from typing import Any

import pytest

from tests.sim.emulator.wire import ULAW, Event, conversation, scripted


def refusing(**refuse: Any) -> Any:
    """A script with these refusals."""
    return scripted({"say": "A"}, refuse=refuse)


@pytest.mark.parametrize(
    ("how", "code", "param", "named"),
    [
        ("named", "invalid_request_error", "session.metadata", True),
        ("in_text", "invalid_request_error", None, True),
        ("invalid_message", "invalid_session_update_message", "type", True),
        ("unnamed", "invalid_request_error", None, False),
    ],
)
async def test_a_member_is_refused(how: str, code: str, param: str | None, named: bool) -> None:
    """By ``error.param``, in the text, in a validator's text or without a name; and taken once it is left out."""
    async with conversation(refusing(updates=[{"member": "metadata", "how": how}])) as (wire, session):
        await wire.send("session.update", event_id="mine", session={"metadata": {"a": "b"}, **ULAW})
        error = await wire.error()
        assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
        assert ("session.metadata" in error["message"]) is named
        assert session.session["output_audio_format"] == "pcm16"
        updated = await wire.update(**ULAW)
        assert updated["output_audio_format"] == "g711_ulaw"
        assert session.violations == []


async def test_a_script_words_the_error_itself() -> None:
    """Code, message and param of the rule stand in the error as they are, null included."""
    rule = {"member": "voice", "code": "odd", "message": "No.", "param": None}
    async with conversation(refusing(updates=[rule])) as (wire, _):
        await wire.send("session.update", session={"voice": "en-US-AvaNeural"})
        error = await wire.error()
        assert (error["code"], error["message"], error["param"]) == ("odd", "No.", None)


@pytest.mark.parametrize(("how", "code"), [("close", 1008), ("reset", 1006)])
async def test_a_refusal_by_the_end_of_the_connection(how: str, code: int) -> None:
    """No error comes before it."""
    async with conversation(refusing(updates=[{"member": "metadata", "how": how}])) as (wire, _):
        await wire.send("session.update", session={"metadata": {"a": "b"}})
        assert await wire.closed() == code
        assert wire.all("error") == []


async def test_an_update_that_is_never_answered() -> None:
    """What comes behind it is answered."""
    async with conversation(refusing(updates=[{"how": "silence", "attempts": [1]}])) as (wire, session):
        await wire.send("session.update", session={})
        await session.until(lambda one: len(one.received) == 1)
        await wire.update()
        assert [event["type"] for event in wire.events] == ["session.created", "session.updated"]


@pytest.mark.parametrize("attempt", [1, 3, 5])
async def test_a_refusal_at_one_attempt(attempt: int) -> None:
    """The other updates of the connection are accepted."""
    async with conversation(refusing(updates=[{"how": "unnamed", "attempts": [attempt]}])) as (wire, _):
        answers: list[Event] = []
        for _ in range(6):
            await wire.send("session.update", session={})
            answers.append(await wire.next())
        refused = [number for number, answer in enumerate(answers, 1) if answer["type"] == "error"]
        assert refused == [attempt]


async def test_five_refused_updates_end_the_connection() -> None:
    """``max_config_attempts_exceeded`` and 1008, as at the service."""
    async with conversation(refusing(updates=[{"member": "metadata"}])) as (wire, session):
        for _ in range(5):
            await wire.send("session.update", session={"metadata": {}})
        assert await wire.closed() == 1008
        *refused, last = [event["error"] for event in wire.all("error")]
        assert [error["param"] for error in refused] == ["session.metadata"] * 5
        assert last["code"] == "max_config_attempts_exceeded"
        assert last["message"] == "Session configuration failed after 5 attempts."
        assert last["param"] == "type"
        assert [violation.partition(":")[0] for violation in session.violations] == ["max_config_attempts_exceeded"]


async def test_what_comes_behind_a_refusal_counts_as_well() -> None:
    """Audio that a client sends before its session is accepted uses up the attempts."""
    async with conversation(refusing(updates=[{"member": "metadata"}])) as (wire, session):
        await wire.send("session.update", session={"metadata": {}})
        await wire.append(b"\xff" * 160 * 4)
        assert await wire.closed() == 1008
        codes = [event["error"]["code"] for event in wire.all("error")]
        assert codes == [
            "invalid_request_error",
            *["invalid_session_update_message"] * 4,
            "max_config_attempts_exceeded",
        ]
        assert session.appended_bytes == 0


async def test_what_comes_before_the_first_update() -> None:
    """It is carried out, or counts and is refused where the script says so."""
    async with conversation(refusing()) as (wire, session):
        await wire.append(b"\xff" * 160)
        await wire.update()
        assert session.appended_bytes == 160
    async with conversation(refusing(attempts={"counts": "from_start", "limit": 2})) as (wire, session):
        await wire.append(b"\xff" * 160)
        assert (await wire.error())["code"] == "invalid_session_update_message"
        await wire.update()
        await wire.append(b"\xff" * 160)
        await session.until(lambda one: one.appended_bytes == 160)


async def test_an_accepted_session_has_no_attempts_to_lose() -> None:
    """A later update may be refused any number of times."""
    async with conversation(refusing(updates=[{"member": "metadata"}])) as (wire, _):
        await wire.update()
        for _ in range(7):
            await wire.send("session.update", session={"metadata": {}})
            await wire.error()
        await wire.update()


async def test_a_refusal_for_one_connection_or_one_model() -> None:
    """A connection that the rule does not name is served."""
    script = refusing(updates=[{"how": "unnamed", "connections": [2]}, {"how": "close", "models": ["gpt-realtime*"]}])
    async with conversation(script) as (wire, _):
        await wire.update()
    async with conversation(script, model="gpt-realtime") as (wire, _):
        await wire.send("session.update", session={})
        assert await wire.closed() == 1008


async def test_a_repeated_model_is_refused_where_the_script_says_so() -> None:
    """Clients disagree about it: both readings can be tried."""
    async with conversation(refusing(repeated_model=True)) as (wire, _):
        await wire.send("session.update", session={"model": "gpt-4.1"})
        assert (await wire.error())["param"] == "session.model"
    async with conversation(refusing()) as (wire, session):
        await wire.update(model="gpt-4.1")
        assert session.violations == []
