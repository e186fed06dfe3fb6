"""What callers get for whom there is no room: decided at the webhook, so that nobody is picked up into silence."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from sqlalchemy import select

from gateway.call.refusal import TURNED_AWAY, Refusal
from gateway.fleet.sessions import CircuitState
from gateway.phone.providers import PROVIDERS
from gateway.records.store.database import Database
from gateway.records.store.tables import calls
from gateway.routes.admitting.load import Load
from gateway.sim.phone.connecting import BusyError, RefusedError
from gateway.sim.phone.turned_away import TurnedAwayError
from tests.conformance.transcripts import bare
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import instant, noise
from tests.e2e.test_following import FOLLOWED, calling, told
from tests.e2e.test_outlived_streams import ASKED, NUMBERS, line_of, lines
from tests.virtual_time import virtual_time

RESCUE, DESK = "+14255550177", "+14255550188"
ON_FAILURE = f'on_trouble: {{tries: 0}}\non_failure: {{say: Sorry., transfer: "{RESCUE}"}}\n'
WHEN_FULL = f'when_full: {{say: All lines are busy., transfer: "{DESK}"}}\n'
ONE = "limits: {calls: 1}\n"
REFUSED = {"handshake": {"status": 429, "retry_after_s": 100}}
WAITING = [case for case in ASKED if "wait" in bare(case.partition(" ")[0]).traits.when_full and " " not in case]
"""Call Control of Telnyx has no document in which a call could wait."""


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


@pytest.fixture(autouse=True)
def seconds_that_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two providers sign the second, which is the same for a caller who waits in virtual time."""
    seconds = itertools.count(int(time.time()))
    for name in ("telnyx", "jambonz"):
        monkeypatch.setattr(f"gateway.sim.providers.{name}.time", SimpleNamespace(time=lambda: next(seconds)))


async def turned_away(held: Exchange, case: str) -> list[tuple[str, str]]:
    """What a caller meets who is not connected; nothing but the refusal itself where the provider has no words."""
    try:
        async with calling(held, case):
            raise AssertionError(f"{case} was connected")
    except TurnedAwayError as error:
        assert "failed" not in {step.kind for step in error.steps}, (case, error)
        return [
            (step.kind, "+" + step.text.removeprefix("+") if step.kind == "transfer" else step.text)
            for step in error.steps
        ]
    except BusyError:
        return [("busy", "")]
    except RefusedError as error:
        return [("refused", str(error.status))]


def expected(case: str) -> list[tuple[str, str]]:
    """What the traits of a provider promise of ``WHEN_FULL``."""
    traits = bare(case.partition(" ")[0]).traits
    said = [("say", "All lines are busy.")] if "say" in traits.when_full else []
    reached = [("transfer", DESK)] if "transfer" in traits.when_full else []
    if not said and not reached:
        return [("refused", "503")]
    return [*said, *reached, ("hang_up", "")]


@virtual_time
async def test_when_every_endpoint_refuses_the_next_webhook_says_so_without_a_connect(tmp_path: Path) -> None:
    """The caller who was on the line is rescued by ``on_failure``; those who come then are not picked up at all."""
    script = instant(faults=REFUSED)
    async with exchange(tmp_path, PROVIDERS, lines(ON_FAILURE + WHEN_FULL), script) as held:
        sessions = held.gateway.voice_live.pool._sessions
        (name,) = held.gateway.voice_live.services
        for case in FOLLOWED:
            sessions.set_circuit(name, CircuitState())  # as after the time that it is open
            async with calling(held, case) as phone:
                await phone.closed.wait()
            said, reached = told(phone)
            assert (case, reached) == (case, [RESCUE])
            assert (case, said) == (case, [] if case == "acs" else ["Sorry."])
            assert held.gateway.admission.why_not() is Refusal.VOICE_UNREACHABLE
        handshakes = held.emulator.handshakes
        for case in ASKED:
            assert (case, await turned_away(held, case)) == (case, expected(case))
        assert held.emulator.handshakes == handshakes


@asynccontextmanager
async def busy(
    folder: Path, keys: str, gateway_yaml: str = ONE, *, keep_records: bool = False
) -> AsyncIterator[Exchange]:
    """A gateway whose one place is taken by a call."""
    script = instant({"say": "100 ms"})
    async with (
        exchange(
            folder, PROVIDERS, lines(keys), script, gateway_yaml=gateway_yaml, limit_s=600, keep_records=keep_records
        ) as held,
        held.call("asterisk", NUMBERS["asterisk"], url=held.stream_url("asterisk")),
    ):
        await held.told(line_of("asterisk"), "session_ready")
        yield held


@virtual_time
async def test_a_deployment_s_when_full_is_that_of_lines_without_one(tmp_path: Path) -> None:
    """``busy`` on a line overrides it."""
    async with busy(tmp_path / "a", "", ONE + WHEN_FULL) as held:
        assert await turned_away(held, "twilio") == expected("twilio")
        assert held.gateway.metrics.registry.get_sample_value("gateway_calls_turned_away_total", {"given": "say"}) == 1
    async with busy(tmp_path / "b", "when_full: busy\n", ONE + WHEN_FULL) as held:
        assert await turned_away(held, "twilio") == [("busy", "")]


@virtual_time
async def test_a_call_without_room_is_in_the_records(tmp_path: Path) -> None:
    """With its line and its limit, and without an answer."""
    async with busy(tmp_path, "", ONE, keep_records=True) as held:
        await turned_away(held, "twilio")
    async with Database(f"sqlite:///{tmp_path / 'data' / 'calls.db'}") as database, database.read() as connection:
        c = calls.c
        columns = (c.line, c.state, c.detail, c.answered, c.duration_s)
        found = (await connection.execute(select(*columns).where(c.reason == TURNED_AWAY))).all()
    assert found == [(line_of("twilio"), "ended", "full", None, 0.0)]


@virtual_time
async def test_a_caller_who_waits_gets_the_call_when_there_is_room(tmp_path: Path) -> None:
    """At every provider whose document can wait: the words, music, and then the greeting."""
    keys = "when_full: {say: Please hold., wait_s: 600, music: https://music.example/short.mp3}\n"
    script = instant({"say": "1 ms"})

    async def wait(held: Exchange, case: str) -> None:
        async with calling(held, case) as phone:
            await held.told(line_of(case), "session_ready")
            phone.hang_up()

    async with exchange(tmp_path, PROVIDERS, lines(keys), script, gateway_yaml=ONE, limit_s=600) as held:
        async with (
            asyncio.TaskGroup() as group,
            held.call("asterisk", NUMBERS["asterisk"], url=held.stream_url("asterisk")),
        ):
            await held.told(line_of("asterisk"), "session_ready")
            for case in WAITING:
                group.create_task(wait(held, case))
            await asyncio.sleep(12)
            assert len(held.emulator.sessions) == 1
        for case in WAITING:
            await held.told(line_of(case), "call_ended")


@virtual_time
async def test_a_caller_who_waits_in_vain_is_transferred(tmp_path: Path) -> None:
    """After the line's seconds; the words came once."""
    keys = f'when_full: {{say: Please hold., wait_s: 12, transfer: "{DESK}"}}\n'
    async with busy(tmp_path, keys) as held:
        all_met = await asyncio.gather(*(turned_away(held, case) for case in WAITING))
        for case, met in zip(WAITING, all_met, strict=True):
            waits = [step for step in met if step[0] == "wait"]
            others = [step for step in met if step[0] != "wait"]
            assert (case, others) == (case, [("say", "Please hold."), ("transfer", DESK), ("hang_up", "")])
            assert 2 <= len(waits) <= 4


@pytest.mark.parametrize("cap", ["limits: {calls: 3}\n", "voice_live: {limits: {sessions: 3}}\n"])
@virtual_time
async def test_offered_twice_its_cap_the_cap_is_served_and_the_rest_answered(tmp_path: Path, cap: str) -> None:
    """By ``limits.calls`` and by the endpoint's quota alike: no stream is opened beyond it."""
    async with exchange(tmp_path, ["twilio"], lines(WHEN_FULL), instant({"say": "1 ms"}), gateway_yaml=cap) as held:
        over = asyncio.Event()
        met: list[list[tuple[str, str]]] = []

        async def call() -> None:
            try:
                async with calling(held, "twilio"):
                    await over.wait()
            except TurnedAwayError as error:
                met.append([(step.kind, step.text) for step in error.steps])
                if len(met) == 3:
                    over.set()

        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(call())
        assert met == [expected("twilio")] * 3
        assert held.emulator.handshakes <= 3


@virtual_time
async def test_a_busy_process_answers_as_a_full_one(tmp_path: Path) -> None:
    """By ``limits.calls: auto``: the caller hears ``when_full``, /readyz says so, and the next call is taken again."""
    keys = "limits: {calls: auto}\n"
    async with exchange(tmp_path, ["twilio"], lines(WHEN_FULL), instant({"say": "1 ms"}), gateway_yaml=keys) as held:
        room = held.gateway.calls.room
        assert isinstance(room, Load)
        room._saturation.is_saturated = True
        assert await turned_away(held, "twilio") == expected("twilio")
        async with aiohttp.ClientSession() as http, http.get(f"{held.url}/readyz") as answer:
            told = await answer.json()
            assert (answer.status, told["status"], told["limit"]) == (503, "full", "auto")
        room._saturation.is_saturated = False
        async with calling(held, "twilio"):
            assert room._late_frames().keys() == {call for _, call in held.gateway.calls.running_now()}


@virtual_time
async def test_while_it_drains_callers_get_when_full_and_do_not_wait(tmp_path: Path) -> None:
    """Nobody here would answer the next question; the reason is ``draining``."""
    keys = f'when_full: {{say: All lines are busy., wait_s: 60, transfer: "{DESK}"}}\n'
    async with busy(tmp_path, keys, "{}\n") as held, asyncio.TaskGroup() as group:
        draining = group.create_task(held.gateway.calls.drain(3600, 60))
        await asyncio.sleep(0)
        assert held.gateway.admission.why_not() is Refusal.DRAINING
        assert await turned_away(held, "twilio") == expected("twilio")
        value = held.gateway.metrics.registry.get_sample_value("gateway_calls_refused_total", {"reason": "draining"})
        assert value == 1
        held.gateway.calls.end_now()
        await draining
