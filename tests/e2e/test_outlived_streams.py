"""Calls that outlive their stream: nobody is left in silence, whatever ends or refuses the stream, at any provider."""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.fleet.places import Place
from gateway.phone.providers import PROVIDERS
from gateway.phone.token import StreamTokens
from gateway.routes.line_book import LineBook
from gateway.sim.phone.connecting import BusyError, RefusedError
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.providers.telnyx import CALL_CONTROL
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, instant, noise
from tests.kinds import STREAM_ONLY
from tests.virtual_time import virtual_time

COMMANDED = f"telnyx {CALL_CONTROL}"
CASES = (*PROVIDERS, COMMANDED)
OUTLIVING = ("acs", "vonage", COMMANDED)
"""Here a call goes on when its stream has ended, until it is hung up by REST."""
ENDS = {"acs": ":terminate", "vonage": "", COMMANDED: "/actions/hangup"}
"""How the path of the request ends that hangs up."""
IN_THE_ANSWER = "\n"
"""Nothing is asked for: the answer to the event of the stream's end says it."""
TRANSFERS = {"acs": ":transferToParticipant", "vonage": IN_THE_ANSWER, COMMANDED: "/actions/transfer"}
HANG_UPS = {"acs": "/calling/callConnections/{id}:terminate", COMMANDED: "/v2/calls/{id}/actions/hangup"}
"""The path of that request, where a call is handed on by another one."""
NUMBERS = {case: f"+1425555{number:04}" for number, case in enumerate(CASES)}


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def lines(keys: str) -> dict[str, str]:
    """A line for each case, with these keys."""
    text = LINE.partition("\n")[2].replace("Hello.", "200 ms")
    return {f"line{n}": f'numbers: ["{NUMBERS[case]}"]\n{text}{keys}' for n, case in enumerate(CASES)}


def line_of(case: str) -> str:
    """Its name."""
    return f"line{CASES.index(case)}"


async def call(held: Exchange, case: str) -> SimulatedPhone:
    """Call, stay until the gateway ends it, and wait as the provider does for the call's own end."""
    provider, _, quirk = case.partition(" ")
    url = held.stream_url(provider) if provider in STREAM_ONLY else ""
    async with held.call(provider, NUMBERS[case], url=url, quirks=[quirk] if quirk else []) as phone:
        await phone.closed.wait()
    return phone


async def call_all(held: Exchange, cases: Iterable[str]) -> dict[str, list[str]]:
    """The rules that each call's gateway broke: the phone of a call that was left alone says so."""

    async def one(case: str) -> tuple[str, list[str]]:
        phone = await call(held, case)
        return case, [str(violation.what) for violation in phone.violations]

    return dict(await asyncio.gather(*(one(case) for case in cases)))


def hours(after: str = "") -> str:
    """Hours of which none is now."""
    offset = 12 - datetime.now(UTC).hour
    zone = f"Etc/GMT{-offset:+d}" if offset else "UTC"
    closed = 'hours: {open: {mon-sun: "00:00-00:01"}, closed: {say: 300 ms closed}}'
    return f"timezone: {zone}\n{closed}\n{after}"


@pytest.mark.parametrize("after", ["", "after: {say: Nobody is here.}\n"], ids=["", "after"])
async def test_a_closed_line_ends_the_call_at_every_provider(tmp_path: Path, after: str) -> None:
    """Its words are heard, and then the call is over; what the line's ``after`` says was not meant for it."""
    async with exchange(tmp_path, PROVIDERS, lines(hours(after)), instant({"say": "100 ms"})) as held:
        broken = await call_all(held, CASES)
        for case in CASES:
            end = await held.told(line_of(case), "call_ended")
            assert (case, end["reason"]) == (case, "line_closed")
    assert broken == {case: [] for case in CASES}


ASKED = [case for case in CASES if case not in STREAM_ONLY]
LIMIT = "limits: {calls: 1}\n"


@pytest.mark.parametrize("full", ["line", "gateway", "drain"])
async def test_a_call_without_a_place_is_rejected_before_it_is_answered(tmp_path: Path, full: str) -> None:
    """In each provider's words for busy; whoever has a place stays on the phone."""
    keys, gateway_yaml = (LIMIT, "{}\n") if full == "line" else ("", LIMIT if full == "gateway" else "{}\n")
    there = ASKED if full == "line" else ASKED[:1]
    async with (
        exchange(tmp_path, PROVIDERS, lines(keys), instant({"say": "100 ms"}), gateway_yaml=gateway_yaml) as held,
        asyncio.TaskGroup() as group,
    ):
        talking: list[asyncio.Task[object]] = [group.create_task(call(held, case)) for case in there]
        for case in there:
            await held.told(line_of(case), "session_ready")
        if full == "drain":
            talking.append(group.create_task(held.gateway.calls.drain(3600, 60)))
            await asyncio.sleep(0)
        for case in ASKED:
            with pytest.raises((RefusedError, BusyError)) as refused:
                await call(held, case)
            assert not isinstance(refused.value, RefusedError) or refused.value.status == 503
        assert len(held.gateway.calls) == len(there)
        assert not any(one.done() for one in talking)
        if full == "drain":
            held.gateway.calls.end_now()
        else:
            await held.gateway.calls.drain(0, 60)


@pytest.mark.parametrize("case", OUTLIVING)
@pytest.mark.parametrize("rescue", ["", 'on_failure: {transfer: "+14155550111"}\n'], ids=["", "on_failure"])
async def test_a_caller_whose_stream_cannot_be_opened_is_not_left_in_silence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str, rescue: str
) -> None:
    """The provider says so: the call goes on as the line's ``on_failure`` says, or ends; its place is free again."""

    def unreachable(*_: object, **__: object) -> SimulatedPhone:
        raise RefusedError("no way to the stream", 502, stream=True)

    monkeypatch.setattr(SimulatedPhone, "open", unreachable)
    async with exchange(tmp_path, PROVIDERS, lines(rescue), instant({"say": "100 ms"}), gateway_yaml=LIMIT) as held:
        provider = case.partition(" ")[0]
        for time in (1, 2):
            with pytest.raises(RefusedError, match="no way"):
                await call(held, case)
            asked = [request.path for request in held.apis[provider].requests]
            wanted = TRANSFERS[case] if rescue else ENDS[case]
            assert len([path for path in asked if path.endswith(wanted)]) == time * (wanted != IN_THE_ANSWER), asked


@pytest.mark.parametrize("case", OUTLIVING)
async def test_a_caller_whose_stream_is_refused_is_not_left_in_silence(tmp_path: Path, case: str) -> None:
    """Its place is gone: the provider is asked to end the call, once, whatever it tells of the stream."""
    async with exchange(tmp_path, PROVIDERS, lines(""), instant({"say": "100 ms"}), gateway_yaml=LIMIT) as held:
        provider = case.partition(" ")[0]
        take = held.gateway.calls.place

        def too_late(key: tuple[str, str] | None = None) -> AbstractContextManager[Place | None]:
            if key is not None:
                held.gateway.calls.cancel(key)
            return take(("nobody", "here"))

        with pytest.MonkeyPatch.context() as patch, held.gateway.calls.place():
            patch.setattr(held.gateway.calls, "reserve", lambda *_: None)
            patch.setattr(held.gateway.calls, "place", too_late)
            with pytest.raises(RefusedError):
                await call(held, case)
        asked = [request.path for request in held.apis[provider].requests]
        assert len([path for path in asked if path.endswith(ENDS[case]) and "answer" not in path]) == 1, asked


@pytest.mark.parametrize("words", ["", "say: 300 ms farewell, "], ids=["", "words"])
@pytest.mark.parametrize("case", ["acs", COMMANDED])
@virtual_time
async def test_a_caller_whom_nobody_can_be_connected_with_is_not_left_in_silence(
    tmp_path: Path, case: str, words: str
) -> None:
    """The provider refuses what is to follow the stream, and is asked to end the call instead."""
    provider = case.partition(" ")[0]
    after = f'after: {{{words}transfer: "+14255550199"}}\nlimits: {{duration_s: 30}}\n'
    async with exchange(tmp_path, [provider], lines(after), instant({"say": "100 ms"})) as held:
        held.apis[provider].transfer_refusal = 422
        await call(held, case)
        end = await held.told(line_of(case), "call_ended")
        assert end["reason"] == "time_limit"
        await held.apis[provider].requested("POST", HANG_UPS[case])


def never_opened(patch: pytest.MonkeyPatch) -> None:
    """Let the provider open no stream, and not tell of it."""

    def unreachable(*_: object, **__: object) -> SimulatedPhone:
        raise RefusedError("no way to the stream", 502)

    patch.setattr(SimulatedPhone, "open", unreachable)


@pytest.mark.parametrize("case", OUTLIVING)
async def test_a_caller_whose_stream_has_not_come_when_the_gateway_stops_is_not_left_in_silence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str
) -> None:
    """The call was answered, and nobody will be there for its stream: it is ended."""
    never_opened(monkeypatch)
    async with exchange(tmp_path, PROVIDERS, lines(""), instant({"say": "100 ms"})) as held:
        api = held.apis[case.partition(" ")[0]]
        with pytest.raises(RefusedError, match="no way"):
            await call(held, case)
        assert [expected.line for expected in held.gateway.calls.expected()] == [line_of(case)]
        answered = len(api.requests)
    assert [request.path.endswith(ENDS[case]) for request in api.requests[answered:]] == [True]


@pytest.mark.parametrize("case", OUTLIVING)
async def test_a_caller_whose_line_is_gone_when_the_stream_comes_is_not_left_in_silence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str
) -> None:
    """Its file was deleted since the webhook was answered: the call is ended, and its place is free."""
    async with exchange(tmp_path, PROVIDERS, lines(""), instant({"say": "100 ms"}), gateway_yaml=LIMIT) as held:
        api, issue = held.apis[case.partition(" ")[0]], StreamTokens.issue

        def issued(tokens: StreamTokens, *given: Any) -> str:
            monkeypatch.setattr(LineBook, "find", lambda *_: None)
            return issue(tokens, *given)

        monkeypatch.setattr(StreamTokens, "issue", issued)
        with pytest.raises(RefusedError):
            await call(held, case)
        asked = [request.path for request in api.requests if not request.path.endswith((":answer", "/answer", "/keys"))]
        assert [path.endswith(ENDS[case]) for path in asked] == [True]
        assert held.gateway.calls.willing
