"""Numbers as providers spell them, over every provider's wire: by the webhook, and by the stream alone."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from gateway.phone.providers import PROVIDERS
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import instant
from tests.kinds import STREAM_ONLY, names_number

SPELLINGS = ("0301{:06}", "49301{:06}", "0049301{:06}", "sip:0301{:06}@sip.example.com", "+49301{:06}")
CALLERS = {
    "0891234567": "+49891234567",
    "+266696687": "",
    "anonymous": "",
    "sip:anonymous@anonymous.invalid": "",
    "+7378742833": "",
}


@dataclass(frozen=True)
class Case:
    """A call to a line of its own; ``straight`` opens the stream as a static document would."""

    provider: str
    straight: bool
    number: int

    @property
    def line(self) -> str:
        """Its name."""
        return f"line{self.number}"

    @property
    def spelt(self) -> str:
        """The number as the provider sends it; each spelling is met by several."""
        return SPELLINGS[self.number % len(SPELLINGS)].format(self.number)

    @property
    def caller(self) -> str:
        """The caller as the provider sends it."""
        return list(CALLERS)[self.number % len(CALLERS)]


@dataclass(frozen=True)
class Started:
    """A call that has started."""

    fields: Mapping[str, object]
    """Those of the note."""
    is_named: bool
    """``True`` if the stream itself says who calls whom."""


def cases() -> list[Case]:
    """Every provider by its webhook, if it has one, and by its stream; twice, for other spellings."""
    kinds = [
        (name, straight) for name in PROVIDERS for straight in (False, True) if straight or name not in STREAM_ONLY
    ]
    return [Case(*kind, number) for number, kind in enumerate(kinds * 2)]


CASES = {f"{case.provider} {'stream' if case.straight else 'webhook'} {case.number}": case for case in cases()}


async def place(held: Exchange, case: Case) -> Started:
    """What the gateway made of a call's numbers, and whether the stream said them."""
    url = ""
    if case.provider in STREAM_ONLY:
        url = held.stream_url(case.provider)
    elif case.straight:
        secret = held.accounts[case.provider].secrets["stream_secret"]
        url = held.stream_url(case.provider, case.line, secret)
    async with held.call(case.provider, case.spelt, from_=case.caller, url=url) as phone:
        started = await held.told(case.line, "call_started")
        is_named = names_number(phone.wire, re.sub(r"\D", "", case.spelt))
        phone.hang_up()
        await phone.closed.wait()
    return Started(started, is_named)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Started | Exception]:
    """All calls, one after the other, on one gateway that serves all providers."""
    found: dict[str, Started | Exception] = {}

    async def make() -> None:
        lines = {
            case.line: f'region: DE\nnumbers: ["030 1{case.number:06}"]\ninstructions: Talk.\nmodel: gpt-4.1\n'
            for case in CASES.values()
        }
        async with exchange(tmp_path_factory.mktemp("numbers"), PROVIDERS, lines, instant(), limit_s=100) as held:
            for name, case in CASES.items():
                try:
                    async with asyncio.timeout(20):
                        found[name] = await place(held, case)
                except Exception as error:  # noqa: BLE001 -- it is raised again in the test of this case
                    found[name] = error

    asyncio.run(make())
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_spelling_reaches_its_line(started: dict[str, Started | Exception], name: str) -> None:
    """The called number is the line's, the caller is in E.164, and who withholds it is nobody."""
    found = started[name]
    if isinstance(found, Exception):
        raise found
    case = CASES[name]
    expected = (f"+49301{case.number:06}", CALLERS[case.caller])
    if case.straight and not found.is_named:
        expected = ("", "")
    assert (found.fields["called"], found.fields["caller"]) == expected
