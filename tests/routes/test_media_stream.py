"""The media stream's front door: who is let in, who is turned away, and how they are told."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.call import keypad, notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.record import CallIdentity
from gateway.routes.noting.call_log import call_ended
from tests.as_source import needs_source
from tests.e2e.bare_phone import bare_phone, media
from tests.e2e.rig import GATEWAY, LINE, NUMBER, Log, Rig, configuration, instant, listening, rig, save
from tests.story import Story

SECOND = LINE.replace(NUMBER, "+14255550101").replace("Hello.", "Second.")


async def refusal(held: Rig, path: str) -> int:
    """The status that an upgrade is refused with."""
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(held.gateway.url + path)
    return caught.value.status


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/stream/nobody", "unknown_provider"),
        ("/stream/telnyx", "unknown_provider"),
        ("/stream/twilio/nowhere", "unknown_line"),
    ],
)
async def test_unknown_providers_and_lines_are_404(tmp_path: Path, path: str, reason: str) -> None:
    """The upgrade is refused, and counted."""
    async with rig(configuration(tmp_path), instant()) as held:
        assert await refusal(held, path) == 404
        assert await held.metric("gateway_calls_refused_total", reason=reason) == 1


async def test_a_plain_get_is_426(tmp_path: Path) -> None:
    """A browser is told what this is."""
    async with (
        rig(configuration(tmp_path), instant()) as held,
        aiohttp.ClientSession() as http,
        http.get(f"{held.gateway.url}/stream/twilio") as said,
    ):
        assert (said.status, await said.text()) == (426, "this is a WebSocket\n")


async def test_one_call_too_many_is_503(tmp_path: Path) -> None:
    """The cap counts streams from their opening on, and frees its place when one ends."""
    async with rig(configuration(tmp_path, gateway=GATEWAY + "limits: {calls: 1}\n"), instant()) as held:
        async with bare_phone(held.stream_url):
            assert await refusal(held, "/stream/twilio") == 503
            assert await held.metric("gateway_calls_refused_total", reason="full") == 1
        await held.until_quiet()
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            await phone.next("media")


async def test_a_busy_line_is_1013(tmp_path: Path) -> None:
    """One line's cap leaves the others alone."""
    lines = {"support": LINE + "limits: {calls: 1}\n", "second": SECOND}
    async with (
        rig(configuration(tmp_path, lines), instant()) as held,
        bare_phone(held.stream_url, "CA1") as first,
        bare_phone(held.stream_url, "CA2") as second,
        bare_phone(held.stream_url, "CA3") as third,
    ):
        await first.start()
        await first.next("media")
        await second.start()
        assert await second.closed() == 1013
        await third.start(to="+14255550101")
        await third.next("media")
        assert await held.metric("gateway_calls_refused_total", reason="line_full") == 1


async def test_a_stream_that_never_starts_is_1008(tmp_path: Path) -> None:
    """The place is given back after the time-out."""
    gateway = GATEWAY + "limits: {start_timeout_s: 0.1}\n"
    async with rig(configuration(tmp_path, gateway=gateway), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.send('{"event":"connected"}')
        assert await phone.closed() == 1008
        await held.until_quiet()
        assert await held.metric("gateway_calls_refused_total", reason="no_start") == 1
        assert held.emulator.handshakes == 0


async def test_the_line_is_found_by_path_or_number(tmp_path: Path) -> None:
    """A line in the path wins; else the called number; else the line that takes any."""
    lines = {"support": LINE, "second": SECOND, "rest": LINE.replace(NUMBER, "*")}
    async with rig(configuration(tmp_path, lines), instant()) as held:
        for number, (path, to, line) in enumerate(
            [("", NUMBER, "support"), ("", "+14255550101", "second"), ("/second", NUMBER, "second"), ("", "", "rest")]
        ):
            async with bare_phone(held.stream_url + path, f"CA{number}") as phone:
                await phone.start(to=to)
                await phone.next("media")
            session = held.emulator.sessions[number]
            assert session.updates[0]["metadata"] == {"call_id": f"CA{number}", "line": line}


async def test_a_line_that_a_program_wrote_is_served(tmp_path: Path) -> None:
    """JSON is YAML; a character beyond U+FFFF is two escapes there, and one character towards the service."""
    line = {
        "numbers": ["*"],
        "instructions": "Be kind \U0001f600",
        "greeting": "Hi \U0001f600",
        "silence": {"after_s": 2, "say": "\U0001f600?"},
    }
    async with (
        rig(configuration(tmp_path, {"support": json.dumps(line)}), instant()) as held,
        bare_phone(held.stream_url, "CA1") as phone,
    ):
        await phone.start()
        await held.until(lambda: held.fields("CA1", "reply_said"))
        assert held.emulator.sessions[0].updates[0]["instructions"] == "Be kind \U0001f600"
        assert held.fields("CA1", "reply_said")[0]["text"] == "Hi \U0001f600"


async def test_a_number_that_no_line_takes_is_1008(tmp_path: Path) -> None:
    """No Voice Live session is opened for it."""
    async with rig(configuration(tmp_path), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start(to="+19995550100")
        assert await phone.closed() == 1008
        assert await held.metric("gateway_calls_refused_total", reason="unknown_number") == 1
        assert held.emulator.handshakes == 0


async def test_an_unknown_number_of_ours_is_in_the_log(tmp_path: Path) -> None:
    """In clear, for it is not the caller's, with what may help; the caller's is not there."""
    async with rig(configuration(tmp_path), instant()) as held, bare_phone(held.stream_url) as phone:
        with capture_logs() as logs:
            await phone.start(to="0301234567")
            assert await phone.closed() == 1008
        (refused,) = [entry for entry in logs if entry["event"] == "stream_refused"]
        assert refused["our_number"] == "0301234567"
        assert "region" in refused["hint"]
        assert "called" not in refused


async def test_the_provider_has_a_region(tmp_path: Path) -> None:
    """A national number finds its line, and the caller is told in international format."""
    gateway = GATEWAY.replace("twilio: {}", "twilio: {region: DE}")
    lines = {"berlin": LINE.replace(NUMBER, "+49301234567"), "rome": LINE.replace(NUMBER, "+390301234567")}
    async with rig(configuration(tmp_path, lines, gateway), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start(to="0301234567", from_="089 1234567")
        await phone.next("media")
        (started,) = held.fields("CA1", "call_started")
        assert (started["caller"], started["called"]) == ("+49891234567", "+49301234567")


async def test_a_withheld_caller_is_unknown(tmp_path: Path) -> None:
    """Twilio sends ANONYMOUS as it is keyed."""
    line = LINE.replace("Answer the phone.", "Talk to {caller}.")
    async with rig(configuration(tmp_path, {"support": line}), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start(from_="+266696687")
        await phone.next("media")
        assert held.emulator.sessions[0].updates[0]["instructions"] == "Talk to unknown."


async def test_a_changed_line_counts_from_when_it_was_loaded(tmp_path: Path) -> None:
    """It is read when it is saved; a broken file is told at that moment, once, and the last good version stays."""
    file = configuration(tmp_path)
    line = tmp_path / "lines" / "support.yaml"
    with listening() as log:
        async with rig(file, instant()) as held:

            async def greeted(call_id: str) -> tuple[object, object]:
                async with bare_phone(held.stream_url, call_id) as phone:
                    await phone.start()
                    await held.until(lambda: held.fields(call_id, "reply_said"))
                    text = held.fields(call_id, "reply_said")[0]["text"]
                    return text, held.fields(call_id, "call_started")[0]["generation"]

            first = (await log.until("line_loaded", line="support"))["generation"]
            assert await greeted("CA1") == ("Hello.", first)
            save(line, LINE.replace("Hello.", "Good evening."))
            await until_loaded(log, 2)
            second = log.of("line_loaded")[1]["generation"]
            assert second != first
            assert await greeted("CA2") == ("Good evening.", second)
            save(line, LINE + "gretting: Hi.\n")
            refused = await log.until("line_refused")
            assert refused["detail"].startswith(f"{line}:5:1: ")
            assert (refused["line"], refused["log_level"]) == ("support", "error")
            assert refused["generation"] not in (first, second, "")
            assert await greeted("CA3") == await greeted("CA4") == ("Good evening.", second)
            save(line, LINE)
            await until_loaded(log, 3)
            assert await greeted("CA5") == ("Hello.", first)
        assert len(log.of("line_refused")) == 1


async def until_loaded(log: Log, times: int) -> None:
    """Wait for so many loaded versions in all."""
    while len(log.of("line_loaded")) < times:
        await log.grown()


@needs_source(keypad)
async def test_a_bug_ends_one_call_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in a call is logged with its traceback and ends that call by ``fault``; the next one is served."""
    async with rig(configuration(tmp_path), instant()) as held:
        with monkeypatch.context() as broken:
            broken.setattr("gateway.call.keypad.Keypad.press", lambda *_: 1 / 0)
            async with bare_phone(held.stream_url, "CA1") as phone, asyncio.TaskGroup() as group:
                await phone.start()
                await phone.next("media")
                with capture_logs() as logs:
                    await phone.send('{"event":"dtmf","streamSid":"MZ","dtmf":{"digit":"1"}}')
                    assert await group.create_task(phone.closed()) in (1000, 1011)
                    assert (await held.end_of("CA1"))["reason"] == "fault"
            failed = [entry for entry in logs if entry["event"] == "call_failed"]
            assert [entry["exc_info"] for entry in failed] == [True]
        async with bare_phone(held.stream_url, "CA2") as phone:
            await phone.start()
            await phone.next("media")
            await phone.send(media())
            await held.until(lambda: held.emulator.open_sessions == 1)
        assert await held.metric("gateway_call_ends_total", by="gateway", reason="fault") == 1


@pytest.mark.parametrize(
    ("status", "reason", "level"), [(None, "caller_hung_up", "info"), (503, "voice_unavailable", "error")]
)
async def test_the_end_of_a_call_is_one_line_that_says_it_all(
    tmp_path: Path, status: int | None, reason: str, level: str
) -> None:
    """Why, by whom, at which provider, how long and with how many replies; an error where the bot failed the caller."""
    faults = {"handshake": {"status": status}} if status else {}
    script = instant(faults=faults)
    opened = configuration(tmp_path, {"support": f"{LINE}on_trouble: {{tries: 0}}\n"})
    with capture_logs() as logs:
        async with rig(opened, script) as held, bare_phone(held.stream_url) as phone:
            await phone.start()
            if not status:
                await phone.next("media")
                await phone.hang_up()
            await held.end_of(phone.call_id)
    (end,) = [entry for entry in logs if entry["event"] == "call_ended"]
    assert (end["reason"], end["log_level"], end["provider"]) == (reason, level, "twilio")
    assert end["turns"] == (0 if status else 1)
    assert 0 <= end["session_s"] <= end["duration_s"] + 0.1


def test_the_last_line_of_a_call_has_all_that_a_search_needs() -> None:
    """The duration is to a tenth of a second, from the call's beginning on."""
    identity = CallIdentity("CA1", "twilio", "support", "+1", "+2", "pcmu/8000", 100.0)
    end = EndCall(EndReason.STREAM_LOST, "provider", "no audio")
    assert call_ended(identity, end, 107.26, 3, None) == notes.CallEnded(
        end.reason, "provider", "no audio", "twilio", 7.3, turns=3
    )
    story = Story()
    story.wait(6.04)
    told = call_ended(identity, end, story.now, 3, story.conversation)
    assert (told.late_frames, told.marks_lost, told.session_s, told.caller_audio_s) == (0, 0, 6.0, 0.0)
