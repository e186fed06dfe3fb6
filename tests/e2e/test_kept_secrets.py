"""Calls with records, recordings, traces, deliveries: no trace of secret digits, or of a number that is forgotten."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.sim.caller.dial import dial
from gateway.tracing.environment import Exports
from tests.e2e.rig import GATEWAY, LINE, NUMBER, configuration, instant, noise, rig
from tests.e2e.test_secrets import CARD, traces
from tests.e2e.tool_server import tool_server
from tests.records.delivery.receiving import SECRET, receiving
from tests.tracing.collector import collector

CALLER, OTHER = "+14255550123", "+14255550188"
SPELLINGS = ("4255550123", "425 555 0123", "425-555-0123", "(425) 555-0123")
SAID = "Pay for 425 555 0123, please."
EVENTS = ["call.started", "call.ended", "transfer.failed", "tool.failed"]
INCLUDE = ["transcript", "usage", "recording_url"]
AWAY = "records: {numbers: full, url: 'sqlite:///gateway.yaml/calls.db'}\n"
"""A database that can never be opened, so that everything waits in the spool."""


@dataclass
class Told:
    """What left the gateway: the bodies of deliveries, and the spans as text."""

    deliveries: str
    spans: str
    paid: list[object]


def gateway_yaml(url: str, more: str) -> str:
    """A configuration that keeps numbers in full and delivers everything."""
    receiver = {"url": url, "name": "crm", "secret": "${CRM_SECRET}", "events": EVENTS, "include": INCLUDE}
    return GATEWAY + f"deliver: {json.dumps([receiver])}\n" + (more or "records: {numbers: full}\n")


def line_yaml(tools: str) -> str:
    """A line that is recorded, and that takes a card number by a function whose server says it back and fails."""
    pay = {
        "name": "pay",
        "description": "Takes a payment.",
        "parameters": {"card": {"secret": "digits", "prompt": "100 ms your card", "length": 16}},
        "http": {"url": f"{tools}/echoes"},
    }
    text = LINE.replace("Hello.", "100 ms of a greeting")
    return text + f"tools: {json.dumps([pay])}\nrecording: {{channels: stereo}}\n"


async def called(folder: Path, monkeypatch: pytest.MonkeyPatch, *callers: str, more: str = "") -> Told:
    """Make a call of each caller, who speaks of a number and keys in the card; return what left the gateway."""
    async with receiving() as server, tool_server() as tools, collector() as collected:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        monkeypatch.setenv("CRM_SECRET", SECRET)
        file = configuration(folder, {"support": line_yaml(tools.url)}, gateway_yaml(server.url, more))
        turn = {"call": {"name": "pay", "arguments": {}}, "after_call": "100 ms of thanks"}
        async with rig(
            file,
            instant(*[turn] * len(callers)),
            environ={"CRM_SECRET": SECRET},
            limit_s=120,
            exports=Exports(traces=True, metrics=True),
            recordings=folder / "data" / "recordings",
            keep_records=True,
        ) as held:
            for number, caller in enumerate(callers):
                call_id = f"CA{number}"
                async with dial("twilio", held.stream_url, to=NUMBER, from_=caller, call_id=call_id) as phone:
                    session = await held.emulator.session(number)
                    await session.until(lambda one: any(record.type == "response.done" for record in one.sent))
                    await session.speech_started()
                    await session.speech_stopped(SAID)
                    await held.until(partial(held.fields, call_id, "secure_entry_started"))
                    for digit in CARD:
                        await phone.press(digit)
                    await held.until(partial(held.fields, call_id, "tool_returned"))
                await held.end_of(call_id)
        bodies = json.dumps([got.body for got in server.got])
        return Told(bodies, str(collected.traces) + str(collected.metrics), [one["arguments"] for one in tools.asked])


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """The files of a folder as text; of a sound, what is no sample."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            is_sound = path.suffix == ".wav"
            yield str(path.relative_to(folder)), "".join(s if s.isascii() else " " for s in text) if is_sound else text


def mentions(folder: Path) -> set[str]:
    """The files that hold the caller's number."""
    return {name for name, text in files(folder) if any(one in text or one in name for one in SPELLINGS)}


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


@pytest.mark.parametrize("more", ["", AWAY], ids=["database", "spool"])
def test_a_keyed_card_number_is_kept_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str) -> None:
    """Neither in the database or the spool, nor in recordings, traces, metrics or deliveries; the function gets it."""
    told = asyncio.run(called(tmp_path, monkeypatch, CALLER, more=more))
    assert told.paid == [{"card": CARD}]
    kept = dict(files(tmp_path / "data"))
    assert any("spool" in name for name in kept) if more else "calls.db" in kept
    assert any(SAID in text for text in kept.values()), "the words are kept, so that the search can find something"
    assert any(name.endswith(".wav") for name in kept)
    assert "execute_tool" in told.spans
    assert ("call.ended" in told.deliveries) == (not more)
    found = {name: traces(text) for name, text in kept.items() if "wav" not in name}
    found |= {"deliveries": traces(told.deliveries), "spans": [CARD] if CARD in told.spans else []}
    found |= {name: [CARD] for name, text in kept.items() if CARD in text}
    assert {where: pieces for where, pieces in found.items() if pieces} == {}


def test_a_number_that_is_forgotten_is_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of its own call nothing is left; in another one it is no longer mentioned, and the rest of that call is there."""
    told = asyncio.run(called(tmp_path, monkeypatch, CALLER, OTHER))
    assert "425 555 0123" in told.deliveries
    assert mentions(tmp_path / "data")
    assert main(["records", "forget", CALLER, "--config", str(tmp_path / "gateway.yaml")]) == 0
    assert "deleted 1 call" in capsys.readouterr().out
    assert mentions(tmp_path / "data") == set()
    kept = "".join(text for _, text in files(tmp_path / "data"))
    assert OTHER in kept
    assert "Pay for" in kept
