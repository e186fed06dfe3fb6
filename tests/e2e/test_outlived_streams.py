"""Calls that outlive their stream: nobody is left in silence, whatever ends or refuses the stream, at any provider."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.app import PROVIDERS
from gateway.errors import GatewayError
from gateway.sim.phone import SimulatedPhone
from gateway.sim.providers.telnyx import CALL_CONTROL
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, instant, noise

STREAM_ONLY = frozenset({"genesys", "asterisk"})
COMMANDED = f"telnyx {CALL_CONTROL}"
CASES = (*PROVIDERS, COMMANDED)
OUTLIVING = ("acs", "vonage", COMMANDED)
"""Here a call goes on when its stream has ended, until it is hung up by REST."""
ENDS = {"acs": ":terminate", "vonage": "", COMMANDED: "/actions/hangup"}
"""How the path of the request ends that hangs up."""
NUMBERS = {case: f"+1425555{number:04}" for number, case in enumerate(CASES)}


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.response.spoken", noise)


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


@pytest.mark.parametrize("case", OUTLIVING)
async def test_a_caller_of_a_busy_line_is_not_left_in_silence(tmp_path: Path, case: str) -> None:
    """The stream is turned away, and the provider asked to end the call, or to do what ``after`` says."""
    async with exchange(tmp_path, PROVIDERS, lines("limits: {calls: 1}\n"), instant({"say": "100 ms"})) as held:
        provider, _, quirk = case.partition(" ")
        async with held.call(provider, NUMBERS[case], quirks=[quirk] if quirk else []) as first:
            await held.told(line_of(case), "session_ready")
            second = await call(held, case)
            assert [violation.what for violation in second.violations] == []
            assert not first.closed.is_set()


@pytest.mark.parametrize("case", OUTLIVING)
async def test_a_caller_for_whom_there_is_no_place_is_not_left_in_silence(tmp_path: Path, case: str) -> None:
    """The stream is refused before it opens, and the provider is asked for the call all the same."""
    limit = "limits: {calls: 1}\n"
    async with exchange(tmp_path, PROVIDERS, lines(""), instant({"say": "100 ms"}), gateway_yaml=limit) as held:
        provider, _, quirk = case.partition(" ")
        quirks = [quirk] if quirk else []
        async with held.call(provider, NUMBERS[case], quirks=quirks) as first:
            await held.told(line_of(case), "session_ready")
            asked = len(held.apis[provider].requests)
            with pytest.raises(GatewayError):
                async with held.call(provider, NUMBERS[case], quirks=quirks):
                    pass
            paths = [request.path for request in held.apis[provider].requests[asked:]]
            assert any(first.call_id not in path and path.endswith(ENDS[case]) for path in paths), paths
            assert not first.closed.is_set()
