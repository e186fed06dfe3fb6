"""A taped call at each provider: nothing planted is on it, it can be passed on, nothing differs, and it plays again."""

import base64
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from gateway.phone.providers import PROVIDERS
from gateway.tape.checking import Known, left_on
from gateway.tape.form import read_tape
from gateway.tape.report.reporting import report
from tests.kinds import ASKING
from tests.tape.calls import KEYS, NUMBERS, WORDS, TapedCall, line, taped_calls
from tests.tapes.replay import replayed
from tests.virtual_time import in_virtual_time


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TapedCall]:
    """A call at each provider."""
    return in_virtual_time(lambda: taped_calls(tmp_path_factory.mktemp("tapes"), PROVIDERS))


@pytest.fixture(params=list(PROVIDERS))
def call(request: pytest.FixtureRequest, calls: dict[str, TapedCall]) -> TapedCall:
    """The call at one of them."""
    return calls[request.param]


def planted(call: TapedCall) -> Iterator[str]:
    """What must be nowhere: secrets and ids of the account, tokens, numbers, words."""
    yield from (value for value in {*call.secrets.values(), *call.tokens} if len(value) >= 6)
    for number in NUMBERS.values():
        yield from (number, "".join(filter(str.isdigit, number)))
    for text in WORDS.values():
        yield from (text, *(word for word in text.replace("-", " ").split() if len(word) > 6))
    yield KEYS[:6]


def spellings(text: str) -> Iterator[bytes]:
    """A text as bytes, percent-encoded, in JSON's escapes, in hexadecimal, in base64 of each alignment."""
    raw = text.encode()
    yield from (raw, quote(text, safe="").encode(), text.encode("ascii", "backslashreplace"), raw.hex().encode())
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw)
        inner = encoded[(0, 2, 3)[shift] : -4]
        if len(inner) >= 8:
            yield from (inner, inner.replace(b"+", b"-").replace(b"/", b"_"))


def found_in(content: bytes, call: TapedCall) -> list[str]:
    """What is in it of all that is planted, in any spelling."""
    low = content.lower()
    return [text for text in planted(call) if any(one.lower() in low for one in spellings(text))]


def test_nothing_planted_is_on_the_tape(call: TapedCall) -> None:
    """No secret, token, number, key or word, in no spelling."""
    assert found_in(call.file.read_bytes(), call) == []


def test_the_search_finds_what_is_there(call: TapedCall) -> None:
    """What it looks for was said and sent in this call, and it would find it in each spelling."""
    heard = str([record.event for record in call.session.sent])
    assert all(text in heard for text in (WORDS["caller"], WORDS["bot"]))
    received = str([record.event for record in call.session.received])
    assert WORDS["output"] in received
    assert WORDS["instructions"] in received
    for text in planted(call):
        for spelling in spellings(text):
            assert text in found_in(b"..." + spelling + b"...", call)


def test_only_its_owner_can_read_it(call: TapedCall) -> None:
    """0600."""
    assert stat.S_IMODE(call.file.stat().st_mode) == 0o600


def test_it_can_be_passed_on(call: TapedCall) -> None:
    """The check, which knows all secrets, objects to nothing."""
    known = Known(tuple(call.secrets.values()), tuple(NUMBERS.values()), (WORDS["instructions"],))
    assert left_on(call.file, known) == []


def test_nothing_differs_from_the_simulators(call: TapedCall) -> None:
    """The report of a call between simulators has nothing to tell."""
    assert report(read_tape(call.file)).findings == []


def test_all_parts_are_on_it(call: TapedCall) -> None:
    """Both sockets in both directions, the end, and the webhook with its answer where the provider has one."""
    tape = read_tape(call.file)
    for side in ("phone", "voice"):
        assert tape.of(side, "in", "message")
        assert tape.of(side, "out", "message")
        assert tape.of(side, "in", "closed")
    has_webhook = call.provider in ASKING
    assert bool(tape.of("webhook", "in", "request")) == has_webhook
    assert bool(tape.of("webhook", "out", "answer")) == has_webhook
    assert [facts for _, line in tape.of("gateway", kind="note") if (facts := line.facts or {})["kind"] == "call_ended"]
    assert tape.of("gateway", kind="lost") == []


def test_it_plays_as_both_peers_to_the_same_end(call: TapedCall, tmp_path: Path) -> None:
    """For the same reason, after as many replies and the same time."""
    tape = read_tape(call.file)
    end = in_virtual_time(lambda: replayed(tape, tmp_path, line))
    assert (end["reason"], end["by"], end["turns"]) == (call.end["reason"], call.end["by"], call.end["turns"])
    assert end["duration_s"] == pytest.approx(call.end["duration_s"], abs=0.3)
