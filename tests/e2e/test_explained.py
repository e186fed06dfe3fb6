"""Whole calls with one planted cause each: the explanation names it first, and has none for a call that went well."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.call.record import CallIdentity, TimedNote
from gateway.cli import main
from gateway.records.call_rows import CallRows
from gateway.records.explain.events import Event
from gateway.records.explain.explaining import Subject, explain
from gateway.records.explain.stored import of_stored
from gateway.records.stored_call import stored_call
from gateway.report.explanation import Explanation
from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Script
from gateway.sim.faults import FaultPlan, drawn
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.rest_api import ApiResponse
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import GATEWAY, LINE, NUMBER, configuration, instant, listening, noise, rig, save
from tests.e2e.tool_server import tool_server
from tests.virtual_time import virtual_time

GREETING = "1500 ms of a greeting"
ANSWER = "4000 ms of an answer about your order"
Caller = Callable[[Exchange, SimulatedPhone], Awaitable[None]]


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def line(greeting: str = GREETING, **keys: Any) -> dict[str, str]:
    """A line with these keys besides the usual ones; JSON is YAML."""
    text = LINE.replace("Hello.", greeting)
    return {"support": text + "".join(f"{key}: {json.dumps(value)}\n" for key, value in keys.items())}


def explained(notes: list[TimedNote]) -> Explanation:
    """Explain a call from its notes, as a record keeps them: with times in tenths of a millisecond."""
    begun = notes[0].at
    events = [Event(round((noted.at - begun) * 1000, 1), noted.note.event, noted.note.fields()) for noted in notes]
    found = explain(Subject(call="CA1", provider="twilio", line="support"), events)
    assert found.findings == recorded(notes).findings
    return found


def recorded(notes: list[TimedNote]) -> Explanation:
    """Explain the same call from the rows of its record."""
    identity = CallIdentity("CA1", "twilio", "support", "+1", "+2", "pcmu/8000", notes[0].at)
    rows = CallRows(identity, datetime(2026, 11, 30, tzinfo=UTC), key="k1")
    made = [rows.call, *(row for noted in notes for row in rows.add(noted))]
    return explain(*of_stored(stored_call(made)))


def kinds(found: Explanation) -> list[str]:
    """The kinds of the findings, ranked."""
    return [finding.kind for finding in found.findings]


@asynccontextmanager
async def ended(held: Exchange, faults: Any = None, provider: str = "twilio") -> AsyncIterator[SimulatedPhone]:
    """A call that is over, for the gateway too, when the block is; the caller hangs up if nobody else has."""
    async with held.call(provider, NUMBER, faults=faults, keep=False) as phone:
        yield phone
        if not phone.closed.is_set():
            phone.hang_up()
        await phone.closed.wait()
    await held.told("support", "call_ended")


async def heard(held: Exchange, count: int) -> None:
    """Wait until so many replies were heard to their end."""
    await held.told("support", "reply_heard", count)


async def say(held: Exchange, words: str, seconds: float = 1.0) -> None:
    """Let the caller say something."""
    session = await held.session_of("support")
    await session.speech_started()
    await asyncio.sleep(seconds)
    await session.speech_stopped(words)


async def one_turn(held: Exchange, phone: SimulatedPhone) -> None:
    """Hear the greeting, ask, and hear the answer."""
    await heard(held, 1)
    await asyncio.sleep(0.5)
    await say(held, "Where is my parcel?")
    await heard(held, 2)
    await asyncio.sleep(0.5)


def call(folder: Path, caller: Caller, *, script: Script | None = None, lines: Mapping[str, str] | None = None,
         faults: Mapping[str, Any] | None = None, provider: str = "twilio") -> Explanation:  # fmt: skip
    """Make one call in virtual time, and explain it."""
    made: list[Explanation] = []

    @virtual_time
    async def run() -> None:
        spoken = script or instant({"say": ANSWER})
        async with exchange(folder, [provider], lines or line(), spoken, limit_s=300) as held:
            plan = drawn(FaultPlan.model_validate(faults or {}), 1)
            held.emulator.faults = plan.service
            async with ended(held, plan.phone, provider) as phone:
                await caller(held, phone)
            made.append(explained(held.notes["support"]))

    run()
    return made[0]


def test_a_call_that_went_well_has_no_finding(tmp_path: Path) -> None:
    """Nothing is made up, and no silence or interruption is told of."""
    found = call(tmp_path, one_turn)
    assert (kinds(found), found.silences, found.interruptions) == ([], [], [])
    assert found.ended.startswith("The caller hung up after ")
    assert dict(found.figures)["Turns"] == "1 turn of the caller, 2 replies of the bot"
    assert dict(found.figures)["Late frames"] == "0"


def test_a_slow_tool(tmp_path: Path) -> None:
    """Six seconds in which a tool ran, and nobody said anything."""
    made: list[Explanation] = []

    @virtual_time
    async def run() -> None:
        async with tool_server() as server:
            tool = {
                "name": "hangs",
                "description": "Looks something up.",
                "parameters": {"number": "string"},
                "http": {"url": f"{server.url}/hangs", "timeout_s": 20},
            }
            script = instant({"call": {"name": "hangs", "arguments": {"number": "1"}}, "after_call": ANSWER})
            async with exchange(tmp_path, ["twilio"], line(tools=[tool]), script) as held:
                async with ended(held):
                    await heard(held, 1)
                    await say(held, "Where is my parcel?")
                    await asyncio.sleep(6)
                    server.release.set()
                    await heard(held, 2)
                made.append(explained(held.notes["support"]))

    run()
    (found,) = made
    assert kinds(found) == ["slow_tool"]
    assert found.findings[0].detail == "hangs: 6.0 s of silence"
    assert [(one.whose, one.why) for one in found.silences] == [("tool", "hangs was running")]


def test_an_echo(tmp_path: Path) -> None:
    """What the caller is said to have said are the bot's own words."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await heard(held, 1)
        await say(held, "Where is my parcel?")
        await held.told("support", "reply_started", 2)
        await asyncio.sleep(1.5)
        await say(held, "4000 ms of an answer")
        await heard(held, 3)

    found = call(tmp_path, caller)
    assert kinds(found)[0] == "echo"
    assert [cut.kind for cut in found.interruptions] == ["echo"]


def test_dead_air_of_the_service(tmp_path: Path) -> None:
    """A response that begins, and brings nothing for seven seconds."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await heard(held, 1)
        await say(held, "Where is my parcel?")
        await heard(held, 2)

    script = instant({"say": ANSWER}, faults={"stall_s": 7})
    found = call(tmp_path, caller, script=script)
    assert kinds(found) == ["dead_air"]
    assert {one.whose for one in found.silences} == {"service"}
    assert [one.length_ms // 1000 for one in found.silences] == [7, 7]


def test_late_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway's timers are met more than half a second late, as in a process that has no CPU."""
    monkeypatch.setattr("gateway.call.call.LOOP_GRAIN_S", 0.4)
    found = call(tmp_path, one_turn)
    assert kinds(found)[0] == "late_frames"


def test_a_cut_session(tmp_path: Path) -> None:
    """Another session goes on with the call."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await heard(held, 1)
        session = await held.session_of("support")
        session.cut("reset")
        await held.told("support", "session_recovered")
        await asyncio.sleep(1)

    found = call(tmp_path, caller)
    assert kinds(found)[0] == "session_lost"
    assert dict(found.figures)["Lost sessions"].startswith("1, 1 recovered")


REFUSALS = [(429, "quota"), (401, "credentials_refused"), (503, "session_unavailable")]


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
def test_a_session_that_is_refused(tmp_path: Path, status: int, kind: str) -> None:
    """For a quota, for a wrong key, for trouble of the service's own: the call ends."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await phone.closed.wait()

    refused = {"service": [{"kind": "refuse", "status": status, "connection": "every"}]}
    found = call(tmp_path, caller, faults=refused, lines=line(on_trouble={"tries": 0}))
    assert kinds(found)[0] == kind
    assert "the service" in found.ended


def test_a_silent_caller(tmp_path: Path) -> None:
    """The line's reminder is said, and then the call ends."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await phone.closed.wait()

    rule = {"after_s": 4, "say": "1000 ms of a reminder", "times": 1}
    found = call(tmp_path, caller, lines=line(silence=rule))
    assert kinds(found) == ["caller_silent"]
    assert {one.whose for one in found.silences} == {"caller"}


def test_a_wrong_key(tmp_path: Path) -> None:
    """The line has a meaning for 1, and the caller presses 7."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await heard(held, 1)
        await phone.press("7")
        await held.told("support", "digit_ignored")
        await one_more(held)

    async def one_more(held: Exchange) -> None:
        await say(held, "Hello?")
        await heard(held, 2)

    lines = line(transfers={"desk": "+14255550199"}, on_key={"1": {"transfer": "desk"}})
    found = call(tmp_path, caller, lines=lines)
    assert kinds(found) == ["key_ignored"]
    assert found.findings[0].detail == "1 key: 7"


async def test_a_bad_line_file(tmp_path: Path) -> None:
    """The call uses the version before it. In real time, because files are followed in a thread of their own."""
    with listening() as log:
        async with exchange(tmp_path, ["twilio"], line("200 ms of a greeting"), instant({"say": ANSWER})) as held:
            save(tmp_path / "lines" / "support.yaml", LINE.replace("greeting", "gretting"))
            await log.until("line_refused", line="support")
            async with ended(held):
                await heard(held, 1)
            found = explained(held.notes["support"])
    assert kinds(found) == ["line_file"]
    assert "gretting" in found.findings[0].detail


def test_a_refused_transfer(tmp_path: Path) -> None:
    """By the provider's REST API; the bot goes on with the caller."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await heard(held, 1)
        path = f"/calling/callConnections/{phone.call_id}:transferToParticipant"
        held.apis["acs"].on("POST", path, lambda _: ApiResponse(403, {"error": {"code": "Forbidden"}}))
        await phone.press("1")
        await held.told("support", "transfer_failed")
        await heard(held, 2)

    lines = line(transfers={"desk": "+14255550199"}, on_key={"1": {"transfer": "desk"}})
    found = call(tmp_path, caller, lines=lines, provider="acs")
    assert kinds(found)[0] == "transfer_refused"
    assert found.findings[0].detail.startswith("to desk: ")


def test_a_transfer_that_the_caller_calls_off(tmp_path: Path) -> None:
    """A key asks for it, and the caller speaks into its announcement; the bot answers and the call goes on."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await heard(held, 1)
        await phone.press("1")
        await held.told("support", "reply_started", 2)
        await asyncio.sleep(1)
        await say(held, "Where is my parcel?")
        await heard(held, 3)

    target = {"to": "+14255550199", "announce": "5000 ms of an announcement"}
    found = call(tmp_path, caller, lines=line(transfers={"desk": target}, on_key={"1": {"transfer": "desk"}}))
    assert kinds(found) == ["transfer_called_off"]
    assert found.findings[0].detail == "to desk, which a key had asked for"


def test_a_provider_that_closes(tmp_path: Path) -> None:
    """The stream is reset in the middle of the greeting."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await phone.closed.wait()

    found = call(tmp_path, caller, faults={"phone": [{"kind": "reset", "when": {"s": 1}}]})
    assert kinds(found)[0] == "provider_closed"
    assert "by the provider" in found.ended


@pytest.mark.parametrize("speaks", [False, True])
def test_a_greeting_that_nobody_hears(tmp_path: Path, speaks: bool) -> None:
    """The caller hangs up at once, or speaks into it."""

    async def caller(held: Exchange, phone: SimulatedPhone) -> None:
        await held.told("support", "reply_started")
        await asyncio.sleep(0.5)
        if speaks:
            await say(held, "Where is my parcel?")
            await heard(held, 2)

    found = call(tmp_path, caller, lines=line("4000 ms of a greeting"))
    assert kinds(found) == ["greeting_unheard"]
    assert [cut.kind for cut in found.interruptions] == (["true"] if speaks else [])


def test_a_call_of_the_records_is_explained_with_its_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After it has ended, by its id at the provider: from the database, and from where its recording is stored."""
    lines = line("300 ms of a greeting", on_key={"1": {"say": "100 ms of words"}}, recording={"channels": "stereo"})
    file = configuration(tmp_path, lines, GATEWAY)

    async def made() -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
        with listening() as log:
            async with rig(file, instant({"say": ANSWER}), limit_s=120, keep_records=True) as held:
                async with dial("twilio", held.stream_url, to=NUMBER, from_="+14155550123", call_id="CA7") as phone:
                    await held.until(lambda: held.fields("CA7", "reply_heard"))
                    await phone.press("9")
                    await held.until(lambda: held.fields("CA7", "digit_ignored"))
                await held.end_of("CA7")
                await log.until("recording_stored")

    asyncio.run(made())
    page = tmp_path / "page.html"
    assert main(["explain", "CA7", "--config", str(file), "--html", str(page)]) == 0
    told = capsys.readouterr().out
    assert ". The caller pressed a key that means nothing on this line\n     1 key: 9\n" in told
    assert "The caller hung up after " in told
    assert "data:audio/ogg;codecs=opus;base64,T2dnUw" in page.read_text("utf-8")
