"""Responses and truncations that the service refuses or cuts off: what the caller hears, and what is asked for.

On the virtual clock; the emulator refuses by its script.
"""

from pathlib import Path
from typing import Any

import pytest

from gateway.sim.emulator import Session
from tests.e2e.bare_phone import BarePhone, bare_phone
from tests.e2e.rig import GATEWAY, LINE, Rig, configuration, instant, noise, rig, session_of
from tests.virtual_time import virtual_time


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """No speech has to be made."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def asked(session: Session) -> list[dict[str, Any]]:
    """The ``response`` of every ``response.create``."""
    return [record.event.get("response") or {} for record in session.received if record.type == "response.create"]


def sent(session: Session, event_type: str) -> int:
    """The number of server events of a type."""
    return sum(record.type == event_type for record in session.sent)


async def turn(session: Session, words: str) -> None:
    """The caller speaks for a moment."""
    await session.speech_started()
    await session.speech_stopped(words)


async def greeted(held: Rig, phone: BarePhone) -> Session:
    """The session of a call that has begun to speak."""
    await phone.start()
    session = await session_of(held, phone.call_id)
    await phone.next("media")
    return session


NAMES = {"pre_generated_assistant_message": "ready", "instructions": "said"}
NAMED = {"member": "pre_generated_assistant_message"}


@pytest.mark.parametrize(
    ("rules", "members"),
    [
        ([{"member": "metadata"}], [{"metadata", "ready"}, {"ready"}]),
        ([{"member": "metadata", "how": "unnamed"}], [{"metadata", "ready"}, {"ready"}]),
        ([NAMED], [{"metadata", "ready"}, {"metadata", "said"}]),
        ([NAMED | {"how": "in_text"}], [{"metadata", "ready"}, {"metadata", "said"}]),
        ([NAMED | {"how": "unnamed"}], [{"metadata", "ready"}, {"ready"}, {"said"}]),
        ([NAMED, {"member": "metadata"}], [{"metadata", "ready"}, {"metadata", "said"}, {"said"}]),
    ],
)
@virtual_time
async def test_a_greeting_whose_request_is_refused(
    tmp_path: Path, rules: list[dict[str, Any]], members: list[set[str]]
) -> None:
    """It is asked for without what was refused, and heard; the next text of the call is asked for so at once."""
    script = instant({"say": "100 ms"}, refuse={"responses": rules})
    silence = "silence: {after_s: 2, say: Are you there?, times: 1}\n"
    async with (
        rig(configuration(tmp_path, {"support": LINE + silence}), script) as held,
        bare_phone(held.stream_url, "CA1") as phone,
    ):
        session = await greeted(held, phone)
        found = [{NAMES.get(name, name) for name in response} for response in asked(session)]
        assert found == members
        await phone.hang_up()
        await held.end_of("CA1")
        held.emulator.check()


@pytest.mark.parametrize(
    ("version", "members"),
    [("2026-04-10", {"metadata", "ready"}), ("2026-01-01-preview", {"metadata", "said"}), ("2025-10-01", {"said"})],
)
@virtual_time
async def test_what_an_older_version_does_not_know_is_not_asked_for(
    tmp_path: Path, version: str, members: set[str]
) -> None:
    """The emulator refuses by version, and has nothing to refuse: one request, and the greeting is heard."""
    gateway = f'{GATEWAY}voice_live: {{api_version: "{version}"}}\n'
    file = configuration(tmp_path, {"support": LINE}, gateway)
    async with rig(file, instant()) as held, bare_phone(held.stream_url, "CA1") as phone:
        session = await greeted(held, phone)
        assert [{NAMES.get(name, name) for name in response} for response in asked(session)] == [members]
        assert len(session.updates) == 1
        await phone.hang_up()
        await held.end_of("CA1")
        held.emulator.check()


@virtual_time
async def test_a_request_that_is_refused_for_good_is_given_up(tmp_path: Path) -> None:
    """Three requests, and no fourth; the caller's turn is answered."""
    script = instant({"say": "100 ms"}, refuse={"responses": [{"how": "unnamed"}]})
    async with rig(configuration(tmp_path), script) as held, bare_phone(held.stream_url, "CA1") as phone:
        await phone.start()
        session = await session_of(held, "CA1")
        await session.until(lambda one: len(asked(one)) == 3)
        await turn(session, "Hello?")
        await phone.next("media")
        assert len(asked(session)) == 3
        await phone.hang_up()
        await held.end_of("CA1")


@pytest.mark.parametrize(("overlapped", "requests"), [("answered", 0), ("ignored", 1), ("refused", 1)])
@virtual_time
async def test_a_turn_beside_a_response_is_answered_once(tmp_path: Path, overlapped: str, requests: int) -> None:
    """By the service itself, or because the gateway asked when it did not."""
    turns = [{"say": "3000 ms"}, {"say": "300 ms"}, {"say": "200 ms"}]
    script = instant(*turns, overlapped=overlapped, pace=1)
    line = LINE.replace("greeting: Hello.\n", "barge_in: false\n")
    async with (
        rig(configuration(tmp_path, {"support": line}), script) as held,
        bare_phone(held.stream_url, "CA1") as phone,
    ):
        await phone.start()
        session = await session_of(held, "CA1")
        await turn(session, "One.")
        await phone.next("media")
        await turn(session, "Two.")
        await session.until(lambda one: sent(one, "response.done") == 2)
        await held.until(lambda: len(held.fields("CA1", "reply_heard")) == 2)
        assert sent(session, "response.created") == 2
        assert len(asked(session)) == requests
        await phone.hang_up()
        await held.end_of("CA1")


@virtual_time
async def test_a_response_that_ends_without_a_sound_is_tried_once_more(tmp_path: Path) -> None:
    """``incomplete``, as by a filter or a limit: the caller hears the second try."""
    script = instant({"say": "X", "ending": "content_filter", "silent": True}, unprompted="200 ms")
    line = LINE.replace("greeting: Hello.\n", "")
    async with (
        rig(configuration(tmp_path, {"support": line}), script) as held,
        bare_phone(held.stream_url, "CA1") as phone,
    ):
        await phone.start()
        session = await session_of(held, "CA1")
        await turn(session, "One.")
        await phone.next("media")
        assert len(asked(session)) == 1
        assert held.fields("CA1", "response_cut_short") == [{"status": "incomplete", "detail": "content_filter"}]
        await phone.hang_up()
        await held.end_of("CA1")


@virtual_time
async def test_a_truncation_that_is_refused_beside_a_response(tmp_path: Path) -> None:
    """It is asked for once more behind ``response.done``, and taken: the service knows what was heard."""
    script = instant({"say": "20000 ms"}, refuse={"truncates": [{"while_active": True}]}, pace=1, late_deltas=0)
    line = LINE.replace("greeting: Hello.\n", "")
    async with (
        rig(configuration(tmp_path, {"support": line}), script) as held,
        bare_phone(held.stream_url, "CA1") as phone,
    ):
        await phone.start()
        session = await session_of(held, "CA1")
        await turn(session, "One.")
        for _ in range(10):
            await phone.next("media")
        await session.speech_started()
        await session.until(lambda one: sent(one, "conversation.item.truncated"))
        kinds = [record.type for record in session.received if "truncate" in record.type]
        assert len(kinds) == 2
        order = [record.type for record in session.sent]
        assert order.index("error") < order.index("response.done") < order.index("conversation.item.truncated")
        await phone.hang_up()
        await held.end_of("CA1")
        held.emulator.check()
