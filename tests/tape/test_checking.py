import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from gateway.tape.checking import Known, left_on

HEADER = {"tape": 1, "gateway": "0.1", "started": "2026-11-29T17:00:00Z", "clock": 5.0, "provider": "twilio"}
SECRET, INSTRUCTIONS = "s3cr3t-of-the-shop", "You answer the phone of Quirkwood Fishmongers in Quellenburg."
KNOWN = Known((SECRET,), ("+14255550100",), (INSTRUCTIONS,))
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"


def tape(folder: Path, *records: dict[str, Any], header: dict[str, Any] | None = None) -> Path:
    """A tape with these records."""
    file = folder / "tape.jsonl"
    whole = [header or HEADER, *({"t": 1.0, "side": "phone", "to": "in", **record} for record in records)]
    file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in whole), "utf-8")
    return file


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"json": {"event": "start", "note": SECRET}}, "a known secret"),
        ({"json": {"event": "start", "u": f"https://host-000000.example/a?b={quote(SECRET)}"}}, "a known secret"),
        ({"text": base64.b64encode(b"x" + SECRET.encode()).decode()}, "a known secret"),
        ({"text": SECRET.encode().hex()}, "a known secret"),
        ({"json": {"x": "14255550100"}}, "a number of a line or of the configuration"),
        ({"json": {"event": "start", "from": "+14155550123"}}, "a phone number"),
        ({"text": base64.b64encode(b'{"a":"+14155550123"}').decode()}, "a phone number"),
        ({"json": {"event": "start", "x": "bob@shop.test"}}, "an e-mail address"),
        ({"json": {"event": "start", "x": JWT}}, "a JSON Web Token"),
        ({"http": {"headers": {"authorization": "Bearer abcdefghij"}}}, "a credential"),
        ({"json": {"type": "x", "text": "-----BEGIN PRIVATE KEY-----"}}, "a private key"),
        (
            {"json": {"type": "session.update", "session": {"instructions": INSTRUCTIONS}}},
            "a text of the configuration",
        ),
        ({"json": {"type": "x", "transcript": "hello Alice"}}, "words"),
        ({"json": {"type": "x", "item": {"output": "shipped"}}}, "words"),
        ({"json": {"event": "start", "callSid": "CA0123456789abcdef0123456789abcdef"}}, "an id that was not replaced"),
        ({"http": {"url": "https://shop.internal/x", "headers": {}}}, "an address"),
        ({"http": {"headers": {"x-signature": "abcdef="}}}, "a credential"),
        ({"http": {"headers": {}, "form": [["CallerName", "Alice Jones"]]}}, "words"),
        ({"http": {"headers": {}, "xml": "<Response><Say>Hello Alice</Say></Response>"}}, "words"),
        ({"audio": "$audio 3 -12.0 AAAA"}, "the caller's voice"),
        ({"audio": "AAAA"}, "audio that is no size and level"),
        ({"json": {"dtmf": {"digit": "7"}}}, "an id"),
        ({"hidden": "x"}, "a member that a tape does not have"),
        ({"facts": {"reason": "call +1 415 555 0123 back"}}, "words"),
    ],
)
def test_each_kind_of_what_is_left_is_found(tmp_path: Path, record: dict[str, Any], what: str) -> None:
    """By its line and place; what it is, is never said."""
    found = left_on(tape(tmp_path, {"text": "MARK_MEDIA g1-1"}, record), KNOWN)
    assert any(one.what.startswith(what) for one in found), [str(one) for one in found]
    assert {one.line for one in found} == {3}
    told = " ".join(map(str, found))
    for content in (SECRET, "Alice", "4155550123", "bob@", "Quirkwood", "abcdef", "shop.internal"):
        assert content not in told


def test_a_clean_tape_is_clean(tmp_path: Path) -> None:
    """Fakes, times, counters and words of the protocol are no finding."""
    file = tape(
        tmp_path,
        {
            "json": {
                "event": "start",
                "start": {"callSid": "CAfa4e456789abcdef0123456789abcdef", "from": "+99955550123"},
            }
        },
        {"json": {"type": "response.done", "response": {"status": "completed", "id": "resp_fa4e2xyzzyAbC12xyzzy"}}},
        {"audio": "$audio 160 -31.2"},
        {
            "http": {
                "url": "https://api.twilio.com/2010-04-01/Accounts/ACfa4e456789abcdef0123456789abcdef",
                "headers": {},
            }
        },
        {"facts": {"count": 3, "of": {"phone in": 3}}, "kind": "lost"},
    )
    assert left_on(file, KNOWN) == []


def test_a_header_that_names_the_call_is_found(tmp_path: Path) -> None:
    """A tape that somebody else's program made."""
    file = tape(tmp_path, header={**HEADER, "call": "CA0123456789abcdef0123456789abcdef"})
    assert [str(one) for one in left_on(file, Known())] == ["line 1: an id that was not replaced at call"]


def test_a_short_secret_is_not_looked_for(tmp_path: Path) -> None:
    """It stands anywhere by chance."""
    assert left_on(tape(tmp_path, {"text": "MARK_MEDIA g1-1"}), Known(("g1",))) == []
